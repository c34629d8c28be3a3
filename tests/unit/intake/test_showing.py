"""The words of the review page: dates as people read them, every state and reason named, and every event of the audit told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from smart_app.archives.types import Said
from smart_app.audit.intake_events import KINDS
from smart_app.clock import utc_now
from smart_app.image_requests.types import Patient
from smart_app.intake.received import Content, Named, Received, Standing, Summary
from smart_app.intake.showing import MARKS, STANDINGS, STATES, WORST, day, lasting, sheet, whose
from smart_app.intake.types import ItemState, Level
from smart_app.links.types import Purpose

NOW = utc_now()
PATIENT = Patient("northgate", "p1", "Marchetti, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female", "1")


def item(id: str, name: str, request: str | None = None, patient: Patient | None = None, state: ItemState = ItemState.IN_REVIEW) -> Received:
    summary = Summary(id, id, "2026-05-21", "", ("CT",), "", "", "", 1, (), (Named(Said(name=name, birth_date="1951-08-09"), None),))
    subject = patient.id if patient else ""
    return Received(id, "s", request, Purpose.INBOUND, "", subject, state, Standing.UNLINKED, 1, False, False, 0, NOW, NOW, NOW, None, Content(summary, "Kestrel", patient=patient))


def tabs(of: Received, *every: Received) -> list[tuple[str, str, int, bool, bool]]:
    return [(tab.item, tab.whose, tab.studies, tab.is_here, tab.is_aside) for tab in sheet(of, every, {}, None).tabs]


def test_each_person_of_a_delivery_has_a_tab_and_beside_a_patient_nobody_else_is_named() -> None:
    hers, his, more = item("a", "MARCHETTI^ROSALIND"), item("b", "SMITH^JOHN"), item("c", "SMITH^JOHN")
    assert tabs(hers, hers, his, more) == [("a", "MARCHETTI, ROSALIND", 1, True, False), ("b", "SMITH, JOHN", 2, False, False)]
    assert tabs(hers, hers) == tabs(his, his, more) == [], "one person needs none"
    linked = item("a", "MARCHETTI^ROSALIND", patient=PATIENT)
    assert tabs(linked, linked, his) == [("a", "Marchetti, Rosalind", 1, True, False), ("b", "Another person", 1, False, False)]
    asked, aside = item("a", "X", "RQ-1", PATIENT), replace(item("b", "SMITH^JOHN", "RQ-1", PATIENT), state=ItemState.SET_ASIDE)
    assert tabs(asked, asked, item("d", "Y", "RQ-1", PATIENT), aside) == [("a", "Marchetti, Rosalind", 2, True, False), ("b", "Another person", 1, False, True)]
    assert tabs(aside, asked, aside) == [("a", "Marchetti, Rosalind", 1, False, False), ("b", "Another person", 1, True, True)]


def test_what_stands_on_the_images_is_said_beside_them() -> None:
    assert whose(item("a", "SMITH^JOHN")) == "On the files: SMITH JOHN, born 9 Aug 1951"


def test_every_state_standing_and_level_has_its_words() -> None:
    assert set(STATES) == set(ItemState)
    assert set(STANDINGS) == set(WORST) == set(Standing)
    assert set(MARKS) == set(Level)
    assert len(KINDS) == 7


def test_days_and_spans() -> None:
    assert [day("2026-03-04"), day("19511"), day("2026-03"), day("")] == ["4 Mar 2026", "19511", "Mar 2026", "no date"]
    assert [lasting(timedelta(minutes=5)), lasting(timedelta(hours=5)), lasting(timedelta(days=3))] == ["5 min", "5 h", "3 d"]
