"""FHIR servers of other people: an imaging exchange, and a document server with manifests, each in front of images of its own."""
