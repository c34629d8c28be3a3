"""Organizations out of a FHIR Bundle (Organization, Endpoint) as facilities. Pure: a hostile bundle gives fewer facilities, never wrong ones.

A route is taken only where it is one that Priors can use: an e-mail address, a fax number. An Endpoint of a FHIR server is told in the note: who is
asked by Task is named in the configuration, with credentials, by a person.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from smart_app.config_mail import is_address
from smart_app.image_requests.types import Facility, Route, RouteKind

MOST = 20_000
"""Organizations of one directory; one with more is refused whole."""
PHONE = re.compile(r"[+()0-9 ./-]{3,40}")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
"""Controls and marks that turn text round."""


class NotADirectory(Exception):
    """The text says why, and holds nothing of the file."""


@dataclass(frozen=True)
class Told:
    facilities: tuple[Facility, ...]
    skipped: int
    """Organizations that have no name or number to know them by, or share it with another."""


def told(bundle: Any, directory: str) -> Told:
    """:raises NotADirectory: it is no Bundle, holds no Organization, or too many."""
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle" or not isinstance(bundle.get("entry"), list):
        raise NotADirectory("this is not a FHIR Bundle with entries")
    resources = [entry["resource"] for entry in bundle["entry"] if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)]
    organizations = [one for one in resources if one.get("resourceType") == "Organization"]
    if not organizations:
        raise NotADirectory("the Bundle holds no Organization")
    if len(organizations) > MOST:
        raise NotADirectory(f"the Bundle holds more than {MOST} organizations")
    endpoints = {f"Endpoint/{one.get('id')}": one for one in resources if one.get("resourceType") == "Endpoint" and isinstance(one.get("id"), str)}
    found: dict[str, Facility | None] = {}
    skipped = 0
    for one in organizations:
        made = _facility(one, endpoints, directory)
        if made is None:
            skipped += 1
        elif made.id in found:
            skipped += 1 + (found[made.id] is not None)  # two under one number: neither is known for sure
            found[made.id] = None
        else:
            found[made.id] = made
    return Told(tuple(one for one in found.values() if one is not None), skipped)


def _facility(one: Mapping[str, Any], endpoints: Mapping[str, Mapping[str, Any]], directory: str) -> Facility | None:
    name, number = _text(one.get("name"), 120), _number(one)
    if not name or not number:
        return None
    id = "d-" + hashlib.sha256(f"{directory}\0{number}".encode("utf-8", "replace")).hexdigest()[:24]
    points = list(_dicts(one.get("telecom")))
    emails = [_text(point.get("value"), 254) for point in points if point.get("system") == "email"]
    faxes = [_text(point.get("value"), 40) for point in points if point.get("system") == "fax"]
    phones = [_text(point.get("value"), 40) for point in points if point.get("system") == "phone"]
    routes = [*(Route(RouteKind.EMAIL, each) for each in emails if is_address(each)), *(Route(RouteKind.FAX, each) for each in faxes if PHONE.fullmatch(each))]
    speaks = [endpoints[point["reference"]] for point in _dicts(one.get("endpoint")) if isinstance(point.get("reference"), str) and point["reference"] in endpoints]
    note = "Has a FHIR server, says the directory." if any(_is_fhir(point) for point in speaks) else ""
    towns = [_text(address.get("city"), 120) for address in _dicts(one.get("address"))]
    return Facility(
        id, name, next(filter(None, towns), ""), tuple(dict.fromkeys(routes))[:4], next((each for each in phones if PHONE.fullmatch(each)), ""), note, one.get("active") is not False
    )


def _number(one: Mapping[str, Any]) -> str:
    """What it is known by from one import to the next: its first whole identifier, else its id."""
    for each in _dicts(one.get("identifier")):
        system, value = each.get("system"), each.get("value")
        if isinstance(system, str) and isinstance(value, str) and system.strip() and value.strip():
            return f"{system.strip()}|{value.strip()}"
    id = one.get("id")
    return f"id|{id}" if isinstance(id, str) and id else ""


def _is_fhir(endpoint: Mapping[str, Any]) -> bool:
    kind = endpoint.get("connectionType")
    return endpoint.get("status") == "active" and isinstance(kind, dict) and kind.get("code") == "hl7-fhir-rest"


def _text(value: Any, most: int) -> str:
    return " ".join(_UNSEEN.sub(" ", value).split())[:most] if isinstance(value, str) else ""


def _dicts(value: Any) -> Iterator[Mapping[str, Any]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())
