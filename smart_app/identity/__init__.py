"""Which identifier of this patient each archive may be asked with."""
