"""What is said around the resources: OperationOutcome, Bundle, CapabilityStatement, smart-configuration. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smart_app.fhir_api.assertions import ALGORITHMS
from smart_app.fhir_api.mapping import Resource
from smart_app.fhir_api.scopes import SERVED

_REFERENCES = {"patient", "subject", "owner", "performer", "focus", "based-on"}
_PARAMETERS = {
    "Task": ("_id", "identifier", "status", "code", "owner", "patient", "focus", "based-on", "_lastUpdated"),
    "ServiceRequest": ("_id", "identifier", "status", "performer", "patient", "subject", "_lastUpdated"),
}
_LETTERS = {"r": ("read",), "s": ("search-type",), "u": ("update", "patch")}


def outcome(issue: str, words: str) -> Resource:
    """One error, in a sentence of ours."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": issue, "diagnostics": words}]}


def searchset(base: str, matches: Sequence[Resource], included: Sequence[Resource], total: int, self_link: str, next_link: str) -> Resource:
    entries = [_entry(base, one, mode) for group, mode in ((matches, "match"), (included, "include")) for one in group]
    links = [{"relation": "self", "url": self_link}] + ([{"relation": "next", "url": next_link}] if next_link else [])
    return {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links} | ({"entry": entries} if entries else {})


def capabilities(base: str, date: str) -> Resource:
    """FHIR R4 "capabilities"."""
    security = {
        "cors": False,
        "service": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}]}],
        "extension": [
            {"url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris", "extension": [{"url": "token", "valueUri": f"{base}/token"}]}
        ],
    }
    return {
        "resourceType": "CapabilityStatement", "status": "active", "date": date, "kind": "instance", "software": {"name": "Priors"},
        "implementation": {"description": "Requests for images, as ServiceRequest and Task", "url": base}, "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"], "patchFormat": ["application/json-patch+json"],
        "rest": [{"mode": "server", "security": security, "resource": [_served(name) for name in SERVED]}],
    }  # fmt: skip


def smart_configuration(base: str) -> dict[str, Any]:
    """SMART App Launch 2.2 "Conformance", for backend services alone: no person signs in here."""
    return {
        "issuer": base,
        "token_endpoint": f"{base}/token",
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": [f"system/{name}.{letters}" for name, letters in SERVED.items()],
        "code_challenge_methods_supported": ["S256"],
        "capabilities": ["client-confidential-asymmetric", "permission-v1", "permission-v2"],
    }


def _served(name: str) -> Resource:
    verbs = [{"code": code} for letter in SERVED[name] for code in _LETTERS[letter]]
    found: Resource = {"type": name, "interaction": [one for one in verbs if one], "versioning": "versioned-update" if "u" in SERVED[name] else "versioned"}
    if name in _PARAMETERS:
        kinds = {"_lastUpdated": "date"} | dict.fromkeys(_REFERENCES, "reference")
        found["searchParam"] = [{"name": one, "type": kinds.get(one, "token")} for one in _PARAMETERS[name]]
        found["searchInclude" if name == "Task" else "searchRevInclude"] = ["Task:focus"]
    return found


def _entry(base: str, resource: Resource, mode: str) -> Resource:
    return {"fullUrl": f"{base}/{resource['resourceType']}/{resource['id']}", "resource": resource, "search": {"mode": mode}}
