"""The form of the directory of hospitals: how a place may be asked, best way first. What cannot be a way is refused before it is saved."""

from __future__ import annotations

import re
import secrets

from smart_app.config_mail import is_address
from smart_app.desk.forms import WrongForm
from smart_app.desk.selection import Form
from smart_app.image_requests.types import Facility, Route, RouteKind

WAYS = (RouteKind.EMAIL, RouteKind.FAX, RouteKind.FHIR)
ROWS = 4
PHONE = re.compile(r"[+()0-9 ./-]{3,40}")
PARTNER = re.compile(r"[a-z][a-z0-9-]{0,30}")


def facility_of(form: Form, known: Facility | None) -> Facility:
    """The place that the form describes; `known` keeps its id. :raises WrongForm: with what to change."""
    name = " ".join(form.get("name", "").split())[:120]
    if not name:
        raise WrongForm("Nothing was saved: a hospital needs a name.")
    phone = form.get("phone", "").strip()
    if phone and not PHONE.fullmatch(phone):
        raise WrongForm("Nothing was saved: the phone number has letters in it, or is too short.")
    kinds, addresses = form.getlist("kind"), form.getlist("address")
    routes = tuple(way for kind, address in zip(kinds[:ROWS], addresses[:ROWS], strict=False) if (way := _route(kind, address.strip())) is not None)
    return Facility(
        known.id if known is not None else f"f-{secrets.token_hex(8)}", name, " ".join(form.get("place", "").split())[:120], tuple(dict.fromkeys(routes)), phone,
        form.get("note", "").strip()[:500], form.get("is_active", "") == "yes",
    )  # fmt: skip


def _route(kind: str, address: str) -> Route | None:
    if not address:
        return None
    match kind:
        case RouteKind.EMAIL.value if is_address(address):
            return Route(RouteKind.EMAIL, address)
        case RouteKind.FAX.value if PHONE.fullmatch(address):
            return Route(RouteKind.FAX, address)
        case RouteKind.FHIR.value if PARTNER.fullmatch(address):
            return Route(RouteKind.FHIR, address)
    raise WrongForm(f"Nothing was saved: “{address[:60]}” cannot be used in this way. Look at its kind and its spelling.")
