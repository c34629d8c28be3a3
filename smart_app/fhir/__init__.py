"""Remote FHIR reads and searches, parsed at this edge. Knows neither Flask nor tables."""
