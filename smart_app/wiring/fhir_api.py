"""The FHIR face of requests: who may ask and what they see, partners that are asked, and what is written into EHRs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from flask import Flask

from launch.session import TokenProvider
from smart_app import registration, secrets_source
from smart_app.archives.registry import Issued, credential_of
from smart_app.config_partners import Partner
from smart_app.fhir_api import views
from smart_app.fhir_api.assertions import Assertions
from smart_app.fhir_api.client_keys import ClientKeys
from smart_app.fhir_api.copies import Copies
from smart_app.fhir_api.door import Door
from smart_app.fhir_api.mirror import Mirror, WritableEhr
from smart_app.fhir_api.partner import FOLLOW, ConfiguredPartner, Partners, Upload
from smart_app.fhir_api.served import Served, numbers
from smart_app.fhir_api.tokens import ApiTokens
from smart_app.image_requests.types import ImageRequest
from smart_app.intake.types import ItemState
from smart_app.jobs.types import Handler
from smart_app.links.types import Purpose
from smart_app.parts import Parts
from smart_app.web import current_who
from smart_app.wiring.intake import items_of


def add(app: Flask, parts: Parts) -> None:
    settings, base = parts.settings, _base(parts)
    clients = {client.client_id: client for client in settings.api_clients}
    tokens = ApiTokens(parts.database, clients, parts.clock, tenant=settings.tenant)
    assertions = Assertions(clients, ClientKeys(parts.outbound, parts.clock), f"{base}/token", tokens.first_use, parts.clock)
    served = Served(
        parts.database, parts.requests, parts.clock, tenant=settings.tenant, base=base, hospitals=_hospitals(parts), studies=_stored(parts)
    )
    app.register_blueprint(views.make_blueprint(Door(assertions, tokens, parts.audit), served, base, current_who))


def partners(parts: Parts) -> Partners:
    """Those who are asked by FHIR Task. `dispatch` sends through it."""
    configured = [
        ConfiguredPartner(one, credential_of(one.key, one.credential, secrets_source.read, partial(_tokens, parts, one))) for one in parts.settings.partners
    ]
    return Partners(
        configured, parts.outbound, parts.database, parts.requests, Copies(parts.database, parts.clock), parts.ledger, parts.audit, parts.clock,
        tenant=parts.settings.tenant, numbers=numbers(_base(parts)), hospitals=_hospitals(parts), upload=partial(_upload, parts), studies=_stored(parts),
    )  # fmt: skip


def handlers(parts: Parts) -> Mapping[str, Handler]:
    """Work of this part, by kind."""
    asked = partners(parts)
    writable = {
        ehr.key: WritableEhr(ehr.key, ehr.issuer, ehr.organization or ehr.name, ehr.write_requests, Issued(parts.smart.broker.backend_provider(ehr.key)))
        for ehr in parts.settings.ehrs
        if ehr.write_requests != "none"
    }
    mirror = Mirror(
        writable, asked, parts.outbound, parts.requests, Copies(parts.database, parts.clock), parts.audit, parts.clock, tenant=parts.settings.tenant,
        numbers=numbers(_base(parts)), studies=_stored(parts),
    )  # fmt: skip
    return {"mirror": mirror, FOLLOW: asked.follow}


def _stored(parts: Parts) -> Callable[[str], tuple[str, ...]]:
    """Study Instance UIDs of what was stored for a request; what was withdrawn since is not among them."""
    items = items_of(parts)
    kept = (ItemState.STORED, ItemState.STORED_IN_PART)
    return lambda request: tuple(dict.fromkeys(one.summary.study for one in items.of_scope(request) if one.state in kept))


def _base(parts: Parts) -> str:
    return f"{parts.settings.public_url.rstrip('/')}/fhir"


def _hospitals(parts: Parts) -> Mapping[str, str]:
    return {ehr.key: ehr.organization or ehr.name for ehr in parts.settings.ehrs}


def _tokens(parts: Parts, partner: Partner) -> TokenProvider:
    given = partner.credential
    secret = secrets_source.read(given.client_secret) if given.client_secret else None
    key = registration.signing_key(given.client_key) if given.client_key else None
    return parts.smart.broker.credentials_provider(
        f"partner:{partner.key}", given.token_url or "", given.client_id or "", secret=secret, key=key, scope=given.scope
    )


def _upload(parts: Parts, request: ImageRequest) -> Upload | None:
    """The request's living link, made when there is none; None: receiving is off."""
    if not parts.links.is_on:
        return None
    link = next((one for one in parts.links.of_request(request.id) if not one.ended), None)
    if link is None:
        with parts.database.transaction() as session:
            link = parts.links.issue(session, Purpose.REQUEST, request.id)
    return Upload(parts.links.address(link), parts.links.code(link))
