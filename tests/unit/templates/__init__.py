"""Pages rendered with hostile and strange values."""
