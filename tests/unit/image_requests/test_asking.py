"""Whom the form offers, and what comes of asking several: nobody is asked twice, and nobody who is not in the directory is asked at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from smart_app.db import Database
from smart_app.image_requests.asking import Asking
from smart_app.image_requests.form import Prefill, Wish
from smart_app.image_requests.types import Basis, Facility, Route, RouteKind, State, Wanted
from smart_app.sealing import Keyring
from tests.unit.image_requests.test_queries import ME, Desk
from tests.unit.image_requests.test_service import PATIENT

FILLED = Prefill("Request: CT", "Filled in from the list.", hospital="Harrow Vale")
WISH = Wish(("harrow",), Wanted("CT head", accession="H-1"), case="CS-23456789")


class Form(Desk):
    def __init__(self, database: Database, keyring: Keyring) -> None:
        super().__init__(database, keyring)
        self.facilities = self.requests.rows._facilities
        self.facilities.save(Facility("paper", "Ferrybank Heart"))
        self.asking = Asking(self.requests, self.facilities, self.work, self.clock)


@pytest.fixture
def form(database: Database, keyring: Keyring) -> Form:
    return Form(database, keyring)


def test_the_hospital_that_the_chart_names_comes_first_and_is_chosen(form: Form) -> None:
    places = form.asking.places(FILLED)
    assert [(one.value, one.chosen) for one in places] == [("harrow", True), ("paper", False), ("kestrel", False), ("patient", False)]
    assert (places[0].detail, places[1].detail, places[-1].detail) == ("e-mail link", "fax sheet", "link and code by phone")
    assert not any(one.fastest for one in places), "of none is it known how long it takes"


def test_one_that_is_not_in_the_directory_is_offered_by_its_name(form: Form) -> None:
    first, *others = form.asking.places(replace(FILLED, hospital="Someplace General"))
    assert (first.value, first.name, first.chosen) == ("other", "Someplace General", True)
    assert not any(one.chosen for one in others)
    assert not any(one.chosen for one in form.asking.places(replace(FILLED, hospital="")))


def test_the_fastest_is_marked_where_there_is_a_choice(form: Form) -> None:
    for facility, minutes in (("kestrel", 25), ("harrow", 90)):
        id = form.ask(f"M{minutes}, X", facility)
        form.clock.now += timedelta(minutes=minutes)
        form.stored(id)
    told = {one.value: one for one in form.asking.places(FILLED)}
    assert [value for value, one in told.items() if one.fastest] == ["kestrel"]
    assert told["kestrel"].detail == "e-mail link, usually 25 min"
    assert told["harrow"].detail == "e-mail link, usually 1 h 30 min"


def test_what_is_asked_goes_to_each_its_own_way(form: Form) -> None:
    done = form.asking.ask(replace(WISH, to=("harrow", "paper", "patient", "other"), hospital="Someplace"), PATIENT, "row-1", ME)
    assert [(one.what, one.whom, one.request.asked.route, one.request.asked.basis) for one in done] == [
        ("sent", "Harrow Vale Clinic", Route(RouteKind.EMAIL, "images@kestrel.example"), Basis.TREATMENT), ("sent", "Ferrybank Heart", Route(RouteKind.FAX), Basis.TREATMENT),
        ("sent", "The patient or family", Route(RouteKind.PATIENT), Basis.PATIENT), ("saved", "Someplace", Route(RouteKind.FAX), Basis.TREATMENT),
    ]  # fmt: skip
    assert {one.request.asked.case for one in done} == {"CS-23456789"}
    assert done[-1].request.state is State.DRAFT


def test_nobody_is_asked_when_one_of_them_is_gone(form: Form) -> None:
    for gone in ("nowhere", "paper"):
        form.facilities.save(Facility("paper", "Ferrybank Heart", is_active=False))
        with pytest.raises(KeyError):
            form.asking.ask(replace(WISH, to=("harrow", gone)), PATIENT, "", ME)
    assert form.requests.of_patient(PATIENT.issuer, PATIENT.id) == ()


def test_the_same_form_again_shows_what_it_made_and_another_form_what_is_open(form: Form) -> None:
    (first,) = form.asking.ask(WISH, PATIENT, "", ME)
    (again,) = form.asking.ask(WISH, PATIENT, "", ME)
    (other,) = form.asking.ask(replace(WISH, case=""), PATIENT, "", ME)
    assert [(one.what, one.request.id) for one in (first, again, other)] == [("sent", first.request.id), ("sent", first.request.id), ("open", first.request.id)]
    assert other.sentence.startswith("The same request is already open since")
