"""A mail server that keeps what it is given, and a page to read it: everybody's mailbox in the demo and in tests."""
