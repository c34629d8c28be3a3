"""Requests for images as FHIR R4 ServiceRequest and Task: served to registered clients, sent to partners, copied to the EHR.

`mapping` says what a request looks like, `reading` what a partner's Task means for us; `assertions`, `tokens` and `scopes` decide who
may ask; `partner` and `mirror` carry requests out, once each, however many answers are lost. See decision 19.
"""
