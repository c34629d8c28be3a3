"""Who saw what, when: an append-only, hash-chained record."""
