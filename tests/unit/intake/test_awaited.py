"""Images sent ahead of a patient: urgent and waiting until the chart exists, then linked to whom they fit alone; storing needs who it always needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from smart_app.db import Database
from smart_app.errors import TimedOut
from smart_app.image_requests.types import Patient
from smart_app.intake.awaited import KIND, Awaited
from smart_app.intake.received import Received, Standing
from smart_app.intake.types import ItemState
from smart_app.jobs.types import Job, Later
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from tests.unit.intake.hospital import NAMESPACES, PATIENT, Hospital, made, with_scripted


@pytest.fixture
def here(database: Database, keyring: Keyring, tmp_path: Path) -> Iterator[Hospital]:
    with with_scripted(database, keyring, tmp_path) as (hospital, _):
        yield hospital


class Registry:
    """The EHR: who has a chart by now."""

    def __init__(self) -> None:
        self.known: list[Patient] = []
        self.asked: list[tuple[str, str]] = []
        self.is_down = False

    def like(self, family: str, born: str) -> Sequence[Patient]:
        self.asked.append((family, born))
        if self.is_down:
            raise TimedOut
        return self.known


def look(here: Hospital, registry: Registry) -> Received:
    job = Job(KIND, "1", 1, lambda: None)
    Awaited(here.database, here.items, here.audit, here.clock, registry.like, NAMESPACES, "t").handle(job)
    (item,) = here.items.in_state(*ItemState)
    return item


def arrived(here: Hospital, **values: str) -> Registry:
    here.send("u1", [made(number=number, **values) for number in (1, 2)], None, purpose=Purpose.INBOUND)
    here.work_now()
    return Registry()


def test_it_waits_urgent_until_the_chart_exists_and_is_linked_then(here: Hospital) -> None:
    registry = arrived(here)
    item = look(here, registry)
    assert (item.urgent, item.standing, item.content.patient) == (True, Standing.UNLINKED, None)
    assert item.listed_at >= item.arrived_at
    registry.known = [PATIENT]
    item = look(here, registry)
    assert (item.standing, item.content.patient, item.state) == (Standing.CERTAIN, PATIENT, ItemState.IN_REVIEW)
    assert [line.words for line in item.content.history][-1] == "the chart of OKONJO, Grace Adaeze exists now; linked"
    assert registry.asked[0] == ("OKONJO", "1966-10-30")
    asked = len(registry.asked)
    look(here, registry)
    assert len(registry.asked) == asked, "what is linked is not looked for again"


def test_of_two_who_fit_nobody_is_linked(here: Hospital) -> None:
    registry = arrived(here, PatientID="LK-999")
    registry.known = [replace(PATIENT, id=one, identifiers=(), mrn=None) for one in ("p1", "p2")]
    assert look(here, registry).standing is Standing.UNLINKED


def test_without_a_number_in_common_it_is_linked_and_two_people_must_look(here: Hospital) -> None:
    registry = arrived(here, PatientID="LK-999", IssuerOfPatientID="")
    registry.known = [PATIENT]
    assert look(here, registry).standing is Standing.BELOW


@pytest.mark.parametrize("other", [{"birth_date": "1966-10-31"}, {"given": "Gloria", "name": "OKONJO, Gloria"}, {"sex": "Male"}], ids=["birth date", "name", "sex"])
def test_whoever_differs_is_left_to_people(here: Hospital, other: dict[str, str]) -> None:
    registry = arrived(here, PatientID="LK-999", IssuerOfPatientID="")
    registry.known = [replace(PATIENT, identifiers=(), **other)]
    item = look(here, registry)
    assert item.content.patient is None or item.standing is Standing.BELOW
    if "birth_date" in other:
        assert item.content.patient is None


def test_files_that_name_two_people_or_nobody_are_left_to_people(here: Hospital) -> None:
    here.send("u1", [made(number=1), made(number=2, PatientName="OTHER^ONE")], None, purpose=Purpose.INBOUND)
    here.work_now()
    registry = Registry()
    registry.known = [PATIENT]
    assert look(here, registry).standing is Standing.UNLINKED
    assert registry.asked == []


def test_an_ehr_that_does_not_answer_is_asked_again(here: Hospital) -> None:
    registry = arrived(here)
    registry.is_down = True
    with pytest.raises(Later):
        look(here, registry)
