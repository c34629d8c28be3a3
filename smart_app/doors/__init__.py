"""Other ways in and out: a study named by the EHR or a work list, IHE image display, other viewers, a shared context."""
