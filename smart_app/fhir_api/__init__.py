"""Requests as FHIR R4 ServiceRequest and Task, for registered systems, behind a token endpoint of our own."""
