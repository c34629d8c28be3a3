"""The outside world for demo and tests: an EHR and DICOMweb archives. The product never imports it."""
