"""The list of studies: ask every source, fold, show."""
