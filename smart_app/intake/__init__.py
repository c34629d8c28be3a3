"""What arrives: screened in a child process, graded, matched by a person or by certainty, coerced, stored, read back, and undone whole.

The sender's pages and the bytes' way onto our disk are `portal`; nothing here talks to a sender.
"""
