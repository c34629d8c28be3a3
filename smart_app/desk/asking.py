"""Asks from the desk: the same of another hospital, a draft of the right one, and a new request for a patient whom the EHR named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from smart_app.desk.forms import WrongForm
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, Facility, ImageRequest, NewRequest, Route, RouteKind, State

PATIENT = "patient"


class Asking:
    def __init__(self, requests: Requests, facilities: Facilities) -> None:
        self._requests, self._facilities = requests, facilities

    def place(self, chosen: str) -> tuple[str | None, Route]:
        """A form's choice, `kestrel:0` or `patient`, as facility id and route. :raises WrongForm: the directory has no such way."""
        if chosen == PATIENT:
            return None, Route(RouteKind.PATIENT)
        id, _, number = chosen.rpartition(":")
        facility = self._facilities.get(id) if id else None
        if facility is None or not facility.is_active or not number.isdigit() or int(number) >= len(facility.routes):
            raise WrongForm("Nothing was sent: choose whom to ask, and how.")
        return facility.id, facility.routes[int(number)]

    def another(self, request: ImageRequest, chosen: str, actor: Actor) -> ImageRequest:
        """The same images of somebody else too; both belong to one case. A draft is given to them instead.

        :raises WrongForm: :raises AlreadyAsked: they are asked for these already.
        """
        facility, route = self.place(chosen)
        if request.state is State.DRAFT:
            self._requests.readdress(request.id, facility, route, actor)
            return self._requests.get(request.id)
        asked = replace(request.asked, facility=facility, route=route, case=request.asked.case or request.id, hospital="")
        return self._requests.create(asked, actor)

    def ask(self, new: NewRequest, chosen: str, actor: Actor, *, send: bool) -> ImageRequest:
        """:raises WrongForm: :raises AlreadyAsked: :raises NotAllowed:"""
        facility, route = self.place(chosen)
        return self._requests.create(replace(new, facility=facility, route=route), actor, send=send)


def choices(facilities: Sequence[Facility], name_of: dict[RouteKind, str]) -> tuple[tuple[str, str], ...]:
    """(value, words) for a list of whom to ask and how: each facility's best route first."""
    found = [(f"{one.id}:{number}", f"{one.name}{', ' + one.place if one.place else ''}: {name_of[route.kind]}") for one in facilities for number, route in enumerate(one.routes)]
    return (*found, (PATIENT, "The patient or family: link and code"))
