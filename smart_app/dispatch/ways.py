"""By which way a request goes out, and to which address: a decision on values alone, from the route and the facility. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from smart_app.config_mail import is_address
from smart_app.dispatch.letters import CodeBy
from smart_app.image_requests.types import ImageRequest, RouteKind


class Way(StrEnum):
    MAIL = "mail"
    PAPER = "paper"
    """A sheet to print, fax, post or hand over; a person does it."""
    PARTNER = "partner"
    """A FHIR Task at a partner's server."""


@dataclass(frozen=True)
class Out:
    """How one request goes out. `code_to`: where the code goes by mail; empty: by phone."""

    way: Way
    to: str = ""
    code_to: str = ""

    @property
    def code_by(self) -> CodeBy:
        return CodeBy.MESSAGE if self.code_to else CodeBy.PHONE


def way_of(request: ImageRequest) -> Out:
    """Link and code never go to one address: the code takes the facility's second address, or the phone."""
    route = request.asked.route
    match route.kind:
        case RouteKind.FHIR:
            return Out(Way.PARTNER, route.address)
        case RouteKind.FAX:
            return Out(Way.PAPER, route.address)
        case RouteKind.PATIENT:
            return Out(Way.MAIL, route.address) if route.address else Out(Way.PAPER)
        case RouteKind.EMAIL:
            return Out(Way.MAIL, route.address, _second(request, route.address))


def _second(request: ImageRequest, first: str) -> str:
    known = request.facility.routes if request.facility is not None else ()
    others = (one.address for one in known if one.kind is RouteKind.EMAIL and one.address.casefold() != first.casefold())
    return next((one for one in others if is_address(one)), "")
