"""The demo EHR: a SMART authorization server, a FHIR R4 server and a chart that frames the app."""
