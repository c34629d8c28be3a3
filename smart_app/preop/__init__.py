"""The pre-op board: whose imaging is ready before surgery, what is missing, and who answers for going on without it."""
