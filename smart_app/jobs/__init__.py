"""Work that must happen, and once: rows are the truth, written in the caller's transaction; a doorbell only says that there are some.

`ledger` adds, claims and settles rows; `types` is what a handler is; `witness` says who has fallen silent; `worker` runs what is
due; `bell`, and `huey_bell` over Redis, wake it sooner than it would look by itself. safety.md section D "Queue" and group J; decision 17.
"""
