"""Who holds what, remembered per patient between launches: an index of studies, never a copy of images."""
