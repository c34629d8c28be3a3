"""Asking for images that are missing: what is asked, of whom, and where it stands.

`workflow` says who may do what, as a table; `service` does it, each change in one transaction. The sender's side is `portal`, what
arrives is `intake`.
"""
