"""A person's own marks on a study: kept for that person alone, and, where the site allows it, written to the archive as DICOM SR."""
