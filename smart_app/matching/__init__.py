"""A person compares two records and decides: the comparison page, what was decided, and its undoing."""
