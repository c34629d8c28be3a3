"""Endpoint -> where a study is said to be. FHIR R4 Endpoint; SMART Imaging Access requires-access-token; IHE MADO retrieve location.

Addresses are only reported here; nothing in them is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from smart_app.fhir.wire import codings, items, reference, text

RETRIEVABLE = frozenset({"dicom-wado-rs", "dicom-qido-rs"})
REQUIRES_TOKEN = (
    "http://fhir.org/argonaut/smart-imaging/StructureDefinition/requires-access-token",
    "http://hl7.org/fhir/smart-app-launch/StructureDefinition/requires-access-token",
)
LOCATION_EXTENSIONS = frozenset({"madoretrievelocationuidextension", "retrievelocationuid", "extretrievelocationuid"})
DATA_ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
NOWHERE = "http://notspecified"
"""MADO: the address is to be looked up elsewhere. Never an address."""

Known = Mapping[str, Mapping[str, Any]]
"""Endpoint resources by what a reference may call them."""


@dataclass(frozen=True)
class ChartEndpoint:
    """Where a study is said to be. `address` is a stranger's word: compare it with configured archives, never call it."""

    address: str = field(repr=False)
    capability: bool = False
    """The address is itself the credential (requires-access-token false)."""
    name: str | None = None
    """What the EHR calls the place: the managing organization, else the endpoint."""
    needs_token: bool = False
    """requires-access-token true: the server that named it wants its own bearer there."""
    location: str = ""
    """Retrieve Location UID (MADO): what to look up where `address` is NOWHERE."""


def endpoints_of(raw: Mapping[str, Any], known: Known, base: str) -> tuple[ChartEndpoint, ...]:
    """Those that a study and its series refer to, contained ones included; what is off or no DICOMweb is left out."""
    contained = {f"#{inner.get('id')}": inner for inner in items(raw.get("contained")) if inner.get("resourceType") == "Endpoint"}
    found: dict[tuple[str, str], ChartEndpoint] = {}
    secrets: set[str] = set()
    for target in references_of(raw, base):
        endpoint = contained.get(target) or known.get(target) or {}
        address = _address(endpoint)
        codes = {text(coding.get("code")) for coding in codings(endpoint.get("connectionType"))}
        if isinstance(address, str) and address and (not codes or codes & RETRIEVABLE) and endpoint.get("status", "active") != "off":
            key = address, _location(endpoint)
            found[key] = ChartEndpoint(address, _requires_token(endpoint) is False, _place_name(endpoint), _requires_token(endpoint) is True, key[1])
            if found[key].capability:
                secrets.add(address)
    # One address that is a secret for one endpoint is a secret for all: it gets no token.
    return tuple(replace(one, capability=True, needs_token=False) if one.address in secrets else one for one in found.values())


def references_of(raw: Mapping[str, Any], base: str) -> list[str]:
    holders = [raw, *items(raw.get("series"))]
    found: dict[str, None] = {}
    for holder in holders:
        for one in items(holder.get("endpoint")):
            target = one.get("reference")
            if isinstance(target, str):
                known = reference(one, base)
                found["/".join(known) if known else target] = None
    return list(found)


def _requires_token(endpoint: Mapping[str, Any]) -> bool | None:
    """None: it does not say. Where it says both, the careful reading holds: the address is a secret, and gets no token."""
    said = {one.get("valueBoolean") for one in items(endpoint.get("extension")) if one.get("url") in REQUIRES_TOKEN}
    return False if False in said else True if True in said else None


def _address(endpoint: Mapping[str, Any]) -> object:
    """As given; NOWHERE where the server says that it is not known (MADO: data-absent-reason beside a placeholder)."""
    beside = endpoint.get("_address")
    absent = isinstance(beside, Mapping) and any(one.get("url") == DATA_ABSENT for one in items(beside.get("extension")))
    return NOWHERE if absent else endpoint.get("address")


def _location(endpoint: Mapping[str, Any]) -> str:
    for one in items(endpoint.get("extension")):
        name = str(one.get("url")).rpartition("/")[2].lower().replace("-", "")
        if name in LOCATION_EXTENSIONS:
            said = text(one.get("valueOid")) or text(one.get("valueString")) or text(one.get("valueUri")) or ""
            return said.removeprefix("urn:").removeprefix("oid:")
    return ""


def _place_name(endpoint: Mapping[str, Any]) -> str | None:
    managing = endpoint.get("managingOrganization")
    return (text(managing.get("display")) if isinstance(managing, Mapping) else None) or text(endpoint.get("name"))
