"""Work that must happen, and once: rows are the truth, written in the caller's transaction; a doorbell only says that there are some.

`ledger` adds, claims and settles rows; `types` is what a handler is. safety.md section D "Queue" and group J.
"""
