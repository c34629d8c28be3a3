"""Writes what Priors is configured with in a demo run: `priors.yaml`, and the keys it refers to (0600, made once)."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk

from sandbox.demo.plan import ArchivePlan, Plan
from sandbox.exchange.serving import CLIENT
from sandbox.world import ARCHIVES, EXCHANGES, NORTHGATE_MRN

PARTNER_KEY, PARTNER_NAME = "ferrybank", "Ferrybank Heart"
"""The hospital whose FHIR server takes requests as Task."""
CLIENT_ID, BACKEND_ID = "priors", "priors-backend"
CLIENT_KID, BACKEND_KID = "priors-demo-1", "priors-demo-backend-1"
SCOPES = (
    "openid", "fhirUser", "online_access", "patient/Patient.rs", "patient/ImagingStudy.rs", "patient/DiagnosticReport.rs",
    "patient/ServiceRequest.rs", "patient/DocumentReference.rs", "patient/Procedure.rs", "patient/Encounter.rs", "patient/Appointment.rs",
)  # fmt: skip
DISCOVERY: dict[str, Callable[[str], dict[str, Any]]] = {
    "kestrel": lambda origin: {"match": f"{origin}/fhir"},
    "stbrannoc": lambda origin: {"demographics": True},
}
"""How a patient without a number there is found: Kestrel has a patient index, St Brannoc only its archive."""
FACILITIES: tuple[dict[str, Any], ...] = (
    {"id": "stbrannoc", "name": "St Brannoc District", "place": "St Brannoc", "routes": [{"kind": "email", "address": "image-library@stbrannoc.example"}, {"kind": "fax", "address": "555 0171"}], "phone": "555 0170"},
    {"id": "kestrel", "name": "Kestrel Cancer Centre", "place": "Kestrel Valley", "routes": [{"kind": "email", "address": "records@kestrel.example"}], "phone": "555 0160"},
    {"id": "harrow-vale", "name": "Harrow Vale Clinic", "place": "Harrow Vale", "routes": [{"kind": "fax", "address": "555 0181"}], "phone": "555 0180", "note": "Answers the fax until noon."},
    {"id": PARTNER_KEY, "name": PARTNER_NAME, "place": "Ferrybank", "routes": [{"kind": "fhir", "address": PARTNER_KEY}, {"kind": "fax", "address": "555 0191"}, {"kind": "email", "address": "imaging@ferrybank.example"}], "phone": "555 0190"},
)
"""Whom the desk can ask."""
SENSITIVE = ("HIV", "PSY", "SEX")
ROLES = ("clinician", "staff", "reviewer", "administrator", "auditor", "surgical-team")
STAFF_SCOPES = tuple(
    f"user/{kind}.rs" for kind in ("Patient", "Appointment", "Encounter", "ServiceRequest", "Procedure", "Condition", "ImagingStudy", "DiagnosticReport", "DocumentReference")
)
"""What the pre-op board reads with; the EHR says for each patient whether this user may."""


def write(plan: Plan) -> Path:
    """Write the configuration of this run and return its path."""
    keys = plan.path("keys")
    keys.mkdir(mode=0o700, exist_ok=True)
    _once(keys / "sealing-key", lambda: secrets.token_urlsafe(32))
    for kid in (CLIENT_KID, BACKEND_KID):
        _once(keys / f"{kid}.pem", _new_private_key)
    for archive in (*plan.archives, *plan.exchanges):
        if archive.token:
            _write_private(keys / f"{archive.key}-token", archive.token)
    _once(partner_token(plan), lambda: secrets.token_urlsafe(24))
    file = plan.path("priors.yaml")
    head = "# Written by `priors demo` at each start: changes here are lost.\n"
    _write_private(file, head + yaml.safe_dump(_settings(plan), sort_keys=False, allow_unicode=True))
    return file


def public_jwks(plan: Plan, kid: str) -> dict[str, Any]:
    """The public half of one of the client keys, as the demo EHR registers it."""
    pem = plan.path("keys", f"{kid}.pem").read_text()
    key = jwk.ECKey.import_key(pem, {"kid": kid, "use": "sig", "alg": "ES384"})
    return json.loads(json.dumps({"keys": [key.as_dict(private=False)]}))


def _settings(plan: Plan) -> dict[str, Any]:
    return {
        "public_url": plan.app,
        "portal_url": plan.send,
        "development": True,
        "iid_ehr": "northgate",
        "data_dir": "data",
        "sealing_keys": [{"id": "demo", "file": "keys/sealing-key"}],
        "ehrs": [
            {
                "key": "northgate",
                "name": "Northgate University",
                "issuer": plan.fhir,
                "client_id": CLIENT_ID,
                "client_auth": "private_key_jwt",
                "client_key": _key(CLIENT_KID),
                "backend": {"client_id": BACKEND_ID, "scopes": ["system/Patient.rs", "system/ImagingStudy.rs", "system/Appointment.rs", "system/ServiceRequest.crus", "system/Task.crus"], "key": _key(BACKEND_KID)},
                "frame_ancestors": [plan.ehr],
                "scopes": list(SCOPES),
                "staff_scopes": list(STAFF_SCOPES),
                "mrn": [{"type_code": "MR"}],
                "roles": [{"role": role, "claim": "priors_roles", "equals": role} for role in ROLES],
                "write_requests": "task",
                "allow_http": True,
            }
        ],
        "archives": [_archive(one) for one in plan.archives],
        "policy": [
            {"confidentiality": list(SENSITIVE), "roles": ["reviewer"], "effect": "show"},
            {"confidentiality": list(SENSITIVE), "effect": "break-glass"},
        ],
        "exchanges": [_exchange(one) for one in plan.exchanges],
        "facilities": list(FACILITIES),
        "partners": [_partner(plan)],
        "contact": {"site": "Northgate University", "phone": "555 0142", "hours": "07:00 to 19:00", "fax": "555 0143", "post": ["Image desk", "Northgate University", "1 Northgate"]},
        "mail": {"host": "localhost", "port": plan.smtp_port, "security": "none", "sender": "image-desk@northgate.example", "desk": "image-desk@northgate.example"},
    }


def partner_token(plan: Plan) -> Path:
    """The file of the bearer that Priors shows to the partner hospital."""
    return plan.path("keys", f"{PARTNER_KEY}-token")


def _partner(plan: Plan) -> dict[str, Any]:
    """Looked at every three seconds, so that the demo need not wait."""
    credential = {"kind": "bearer", "token": {"file": f"keys/{PARTNER_KEY}-token"}}
    return {
        "key": PARTNER_KEY, "name": PARTNER_NAME, "fhir": f"http://127.0.0.1:{plan.partner_port}/fhir", "credential": credential, "poll_minutes": 0.05, "allow_http": True,
    }  # fmt: skip


def _key(kid: str) -> dict[str, Any]:
    return {"kid": kid, "alg": "ES384", "pem": {"file": f"keys/{kid}.pem"}}


def _archive(planned: ArchivePlan) -> dict[str, Any]:
    known = next(one for one in ARCHIVES if one.key == planned.key)
    settings: dict[str, Any] = {
        "key": known.key,
        "name": known.name,
        "organization": known.organization,
        "dicomweb": planned.dicomweb,
        "patient_id_issuer": known.issuer,
        "identifier_systems": [known.identifier_system],
        "local": known.local,
        "stores": known.local,
        "allow_http": True,
    }
    settings["discovery"] = DISCOVERY.get(known.key, lambda origin: {})(planned.origin)
    if planned.token:
        settings["credential"] = {"kind": "bearer", "token": {"file": f"keys/{known.key}-token"}}
        if "match" in settings["discovery"]:
            settings["discovery"]["credential"] = settings["credential"]
    return settings


def _exchange(planned: ArchivePlan) -> dict[str, Any]:
    known = next(one for one in EXCHANGES if one.key == planned.key)
    settings: dict[str, Any] = {
        "key": known.key,
        "name": known.name,
        "organization": known.organization,
        "kind": "manifests" if known.key == "dunmere" else "imaging-access",
        "fhir": planned.fhir,
        "identifier_systems": [NORTHGATE_MRN],
        "patient_ids": [{"system": known.identifier_system, "issuer": known.issuer}],
        "patient_id_issuer": known.issuer,
        "allow_http": True,
    }
    if planned.token:
        credential = {"kind": "oauth", "token_url": f"{planned.origin}/oauth/token", "client_id": CLIENT}
        settings["credential"] = credential | {"client_secret": {"file": f"keys/{known.key}-token"}}
    return settings


def _new_private_key() -> str:
    return ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _once(file: Path, make: Any) -> None:
    if not file.exists():
        _write_private(file, make())


def _write_private(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
        os.fchmod(stream.fileno(), 0o600)
        stream.write(text)
