"""What is unsafe in the settings of partners, registered programs and what is written into an EHR. Pure checks, as `config_safety`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from smart_app.config import Settings
from smart_app.config_partners import ApiClient
from smart_app.config_safety import Danger, Where, address_dangers, credential_dangers, used_twice

WRITES = {"task": ("ServiceRequest", "Task"), "communication": ("Communication",)}
SERVED = ("Task", "ServiceRequest", "Patient", "Organization")
"""Resource types of our own API."""


def unsafe_exchange_of_requests(settings: Settings, environ: Mapping[str, str]) -> Iterator[Danger]:
    """Every danger found, in the order of the file."""
    for at, ehr in enumerate(settings.ehrs):
        if ehr.write_requests == "none":
            continue
        where: Where = ("ehrs", at, "write_requests")
        if ehr.backend is None:
            yield Danger(where, "nobody could write: this EHR has no `backend`.", "Register a backend client there and add `backend`.")
            continue
        for kind in WRITES[ehr.write_requests]:
            if not any(_writes(scope, kind) for scope in ehr.backend.scopes):
                yield Danger(where, f"the backend client has no scope to write {kind}.", f"Add system/{kind}.crus to `backend.scopes`.")
    yield from used_twice("partners", "key", (partner.key for partner in settings.partners))
    for at, partner in enumerate(settings.partners):
        yield from address_dangers(("partners", at, "fhir"), partner.fhir, partner, settings)
        yield from credential_dangers(("partners", at, "credential"), partner.credential, partner, settings, environ)
        if partner.credential.kind == "ehr-token":
            yield Danger(("partners", at, "credential", "kind"), "nobody is signed in when a request is sent.", "Use basic, bearer or oauth.")
    yield from used_twice("api_clients", "key", (client.key for client in settings.api_clients))
    yield from used_twice("api_clients", "client_id", (client.client_id for client in settings.api_clients))
    for at, client in enumerate(settings.api_clients):
        yield from _client(("api_clients", at), client, settings)


def _client(where: Where, client: ApiClient, settings: Settings) -> Iterator[Danger]:
    if client.jwks_url:
        yield from address_dangers((*where, "jwks_url"), client.jwks_url, client, settings)
    if client.jwks_file and not _holds_public_keys(client):
        yield Danger((*where, "jwks_file"), "holds no public keys, or private ones too.", "Give a JWKS with the public halves only.")
    for at, scope in enumerate(client.scopes):
        kind = scope.removeprefix("system/").partition(".")[0]
        if not scope.startswith("system/") or kind not in (*SERVED, "*") or "." not in scope:
            yield Danger((*where, "scopes", at), "gives nothing here.", "Use system/ and one of Task, ServiceRequest, Patient, Organization.")


def _holds_public_keys(client: ApiClient) -> bool:
    try:
        keys = json.loads(client.jwks_file.read_text())["keys"] if client.jwks_file else []
        return bool(keys) and all(key["kty"] in ("RSA", "EC") and "d" not in key for key in keys)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _writes(scope: str, kind: str) -> bool:
    name, _, letters = scope.removeprefix("system/").partition(".")
    return scope.startswith("system/") and name in (kind, "*") and ({"c", "u"} <= set(letters) or letters in ("write", "*"))
