"""A small DICOMweb archive over a folder: QIDO-RS, WADO-RS, STOW-RS, and faults on demand."""
