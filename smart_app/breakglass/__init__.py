"""Break-glass: restricted studies of one launch's patient, opened for a while with a reason, and reviewed afterwards."""
