"""Asks several at once: one request for each place and the patient, joined by a case. What is asked already is shown, not asked again.

A repeated form makes nothing twice: its case says that an identical request is the one it made the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from smart_app.clock import Clock
from smart_app.image_requests import words
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.form import OTHER, PATIENT, Prefill, Wish
from smart_app.image_requests.queries import Usual, Work
from smart_app.image_requests.service import AlreadyAsked, Requests
from smart_app.image_requests.types import Actor, Basis, Facility, ImageRequest, NewRequest, Patient, Route, RouteKind, State
from smart_app.web import new_reference

SHOWN = 4
"""Facilities in the form before anybody has searched."""
PAPER = Route(RouteKind.FAX)
"""The way to whoever has no other: a sheet that the desk prints."""


@dataclass(frozen=True)
class Place:
    """One that may be asked, as the form offers it."""

    value: str
    name: str
    detail: str
    chosen: bool = False
    fastest: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of asking one of them: `sent`, `saved` for the desk, or `open` already."""

    what: str
    request: ImageRequest
    whom: str
    since: str

    @property
    def sentence(self) -> str:
        if self.what == "open":
            return f"The same request is already open since {self.since}. Nothing was sent twice."
        return "Sent." if self.what == "sent" else "Saved. The image desk sends it."


class Asking:
    """One a process; safe for threads."""

    def __init__(self, requests: Requests, facilities: Facilities, work: Work, clock: Clock) -> None:
        self._requests, self._facilities, self._work, self._clock = requests, facilities, work, clock

    def places(self, filled: Prefill) -> tuple[Place, ...]:
        """Whom the form offers: the hospital that the chart names first, then those asked most, the patient last."""
        meant, usual = self._facilities.called(filled.hospital), self._work.usual()
        often = [one for one in (self._facilities.get(each.facility) for each in self._work.by_facility() if each.facility) if one is not None and one.is_active]
        offered = {one.id: one for one in ((meant,) if meant else ()) + (*often, *self._facilities.all())}
        places = [_place(one, usual, chosen=meant is not None and one.id == meant.id) for one in list(offered.values())[:SHOWN]]
        if filled.hospital and meant is None:
            places.insert(0, Place(OTHER, filled.hospital, "not in the directory; the desk finds out how to ask", chosen=True))
        detail = words.ROUTES[RouteKind.PATIENT] + (f", {usual[None].words}" if None in usual else "")
        return _with_fastest((*places, Place(PATIENT, "The patient or family", detail)), usual)

    def found(self, text: str) -> tuple[Place, ...]:
        """Places by name, for the search in the form."""
        usual = self._work.usual()
        return tuple(_place(one, usual, chosen=False) for one in self._facilities.search(text, 12))

    def ask(self, wish: Wish, patient: Patient, about: str, actor: Actor) -> tuple[Outcome, ...]:
        """:raises KeyError: a place that is not in the directory (any more); nothing was asked of anybody."""
        places = {one: self._facility(one) for one in wish.to}
        case = wish.case or new_reference("CS", 8)
        if any((one.asked.patient.issuer, one.asked.patient.id) != (patient.issuer, patient.id) for one in self._requests.of_case(case)):
            case = new_reference("CS", 8)  # a case is of one patient, whatever a browser sends
        return tuple(self._ask_one(wish, patient, about, actor, one, places[one], case) for one in wish.to)

    def _ask_one(self, wish: Wish, patient: Patient, about: str, actor: Actor, to: str, facility: Facility | None, case: str) -> Outcome:
        route = Route(RouteKind.PATIENT) if to == PATIENT else best(facility) if facility else PAPER
        new = NewRequest(
            patient=patient, wanted=wish.wanted, route=route, facility=facility.id if facility else None, urgency=wish.urgency, why=wish.why,
            basis=Basis.PATIENT if to == PATIENT else wish.basis, needed_by=wish.needed_by, anchor=wish.anchor, case=case,
            hospital=wish.hospital if to == OTHER else "", about=about,
        )  # fmt: skip
        try:
            made = self._requests.create(new, actor, send=wish.send and new.is_addressed)
        except AlreadyAsked as asked:
            made = self._requests.get(asked.request)
            if not case or made.asked.case != case:
                return Outcome("open", made, words.whom(made), self._since(made.created_at))
        return Outcome("saved" if made.state is State.DRAFT else "sent", made, words.whom(made), self._since(made.created_at))

    def _facility(self, to: str) -> Facility | None:
        if to in (PATIENT, OTHER):
            return None
        found = self._facilities.get(to)
        if found is None or not found.is_active:
            raise KeyError(to)
        return found

    def _since(self, at: datetime) -> str:
        local, now = at.astimezone(), self._clock().astimezone()
        return f"{local:%H:%M}" if local.date() == now.date() else words.moment(at, now)


def best(facility: Facility) -> Route:
    return facility.routes[0] if facility.routes else PAPER


def _place(one: Facility, usual: Mapping[str | None, Usual], *, chosen: bool) -> Place:
    known = usual.get(one.id)
    return Place(one.id, one.name, ", ".join(part for part in (one.place, words.ROUTES[best(one).kind], known.words if known else "") if part), chosen)


def _with_fastest(places: tuple[Place, ...], usual: Mapping[str | None, Usual]) -> tuple[Place, ...]:
    """Marks the one that usually takes least, when there is a choice between two that are known."""
    spans = {one.value: known.span for one in places if (known := usual.get(None if one.value == PATIENT else one.value))}
    if len(spans) < 2:
        return places
    first = min(spans, key=lambda value: spans[value])
    return tuple(Place(one.value, one.name, one.detail, one.chosen, one.value == first) for one in places)
