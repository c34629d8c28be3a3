"""A small hospital whose FHIR server takes requests for images as Task: it may be slow, lose its answers, and says where each stands."""
