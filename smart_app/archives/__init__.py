"""DICOMweb archives: search, retrieve, and who they are. Knows neither Flask nor tables."""
