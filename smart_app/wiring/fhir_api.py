"""The FHIR face of requests: who may ask, what they see."""

from __future__ import annotations

from flask import Flask

from smart_app.fhir_api import views
from smart_app.fhir_api.assertions import Assertions
from smart_app.fhir_api.client_keys import ClientKeys
from smart_app.fhir_api.door import Door
from smart_app.fhir_api.served import Served
from smart_app.fhir_api.tokens import ApiTokens
from smart_app.parts import Parts
from smart_app.web import current_who


def add(app: Flask, parts: Parts) -> None:
    settings = parts.settings
    base = f"{settings.public_url.rstrip('/')}/fhir"
    clients = {client.client_id: client for client in settings.api_clients}
    tokens = ApiTokens(parts.database, clients, parts.clock)
    assertions = Assertions(clients, ClientKeys(parts.outbound, parts.clock), f"{base}/token", tokens.first_use, parts.clock)
    hospitals = {ehr.key: ehr.organization or ehr.name for ehr in settings.ehrs}
    served = Served(parts.database, parts.requests, parts.clock, tenant=settings.tenant, base=base, hospitals=hospitals, studies=lambda request: ())
    app.register_blueprint(views.make_blueprint(Door(assertions, tokens, parts.audit), served, base, current_who))
