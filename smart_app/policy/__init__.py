"""What may be shown of a study, by configured rules: the one place where that is decided, for the list and for every pixel."""
