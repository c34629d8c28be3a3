"""The desk's questions, on both engines: what each view holds, that counts and lists agree, and what hospitals usually take."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from smart_app.audit.log import AuditLog
from smart_app.db import Database
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.queries import ACTIVE, PATIENT, Due, Filter, Sort, View, Work, view
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, Anchor, Facility, NewRequest, Party, Patient, Route, RouteKind, State, Urgency, Wanted
from smart_app.image_requests.workflow import Act
from smart_app.jobs.ledger import Ledger
from smart_app.sealing import Keyring
from tests.unit.launch.ehr_sim import MovingClock

EMAIL = Route(RouteKind.EMAIL, "images@kestrel.example")
ME, OTHER = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel"), Actor(Party.STAFF, "northgate", "ruiz", "J. Ruiz")
SENDER, SYSTEM = Actor(Party.SENDER, name="D. Whitcombe"), Actor(Party.SYSTEM)


class Desk:
    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.clock = MovingClock()
        facilities = Facilities(database, keyring, self.clock, tenant="t")
        for id, name in (("kestrel", "Kestrel Cancer Centre"), ("harrow", "Harrow Vale Clinic")):
            facilities.save(Facility(id, name, routes=(EMAIL,)))
        self.requests = Requests(database, keyring, AuditLog(database, keyring, self.clock), Ledger(database, self.clock), facilities, self.clock, tenant="t")
        self.work = Work(database, self.requests, self.clock)

    def ask(self, name: str = "MARCHETTI, Rosalind Jane", facility: str | None = "kestrel", due: timedelta | None = None, *, send: bool = True, **more: object) -> str:
        self.clock.now += timedelta(seconds=1)
        patient = Patient("northgate", f"p-{name}", name, *name.split(", "), birth_date="1951-08-09", mrn="40 771 953")
        route = EMAIL if facility else Route(RouteKind.PATIENT)
        new = NewRequest(patient, Wanted(f"CT {name} {facility}"), route, facility, needed_by=self.clock() + due if due is not None else None)
        return self.requests.create(replace(new, **more), ME, send=send).id

    def stored(self, id: str) -> None:
        for act, actor in ((Act.RECEIVE, SENDER), (Act.SUBMIT, SENDER), (Act.STORE, SYSTEM)):
            self.requests.act(id, act, actor)


@pytest.fixture
def desk(database: Database, keyring: Keyring) -> Desk:
    return Desk(database, keyring)


def test_each_view_holds_its_own_and_its_count_says_how_many(desk: Desk) -> None:
    late = desk.ask("A, A", due=timedelta(minutes=-5))
    soon = desk.ask("B, B", due=timedelta(minutes=1))
    far = desk.ask("C, C", due=timedelta(days=3), anchor=Anchor("Appointment/1", "Surgery", desk.clock() + timedelta(days=3, hours=2)))
    review, draft, closed = desk.ask("D, D"), desk.ask("E, E", send=False), desk.ask("F, F", due=timedelta(minutes=-5))
    desk.requests.act(review, Act.RECEIVE, SENDER)
    desk.requests.act(review, Act.SUBMIT, SENDER)
    desk.requests.act(closed, Act.CANCEL, ME, reason="not needed")
    desk.requests.assign(soon, ME, ME)
    desk.requests.assign(far, OTHER, ME)
    expected = {
        View.ALL: {late, soon, far, review, draft}, View.DUE_TODAY: {late, soon}, View.OVERDUE: {late}, View.TO_REVIEW: {review}, View.DRAFTS: {draft},
        View.MINE: {soon}, View.NOBODYS: {late, review, draft}, View.BEFORE_SURGERY: {far},
    }  # fmt: skip
    assert {one: {request.id for request in desk.work.find(view(one, ME))} for one in View} == expected
    assert desk.work.counts(ME) == {one: len(ids) for one, ids in expected.items()}
    assert desk.work.counts()[View.MINE] == 0
    assert [one.id for one in desk.work.find(Filter())][:3] == [late, soon, far], "what is due first comes first, what has no time last"
    assert [one.id for one in desk.work.find(Filter(states=frozenset({State.CANCELLED})))] == [closed]


def test_filters_join_and_pages_do_not_overlap(desk: Desk) -> None:
    ids = [desk.ask(f"P{number}, X", due=timedelta(hours=number)) for number in range(5)]
    child = desk.ask("Q, X", None, urgency=Urgency.EMERGENCY)
    desk.ask("R, X", "harrow", urgency=Urgency.EMERGENCY)
    assert {one.id for one in desk.work.find(Filter(facility=PATIENT))} == {child}
    assert {one.id for one in desk.work.find(Filter(facility="kestrel"))} == set(ids)
    assert {one.id for one in desk.work.find(Filter(facility=PATIENT, urgency=Urgency.EMERGENCY, nobodys=True))} == {child}
    pages = [desk.work.page(Filter(facility="kestrel", offset=offset, limit=2)) for offset in (0, 2, 4)]
    assert [one.id for page in pages for one in page.requests] == ids
    assert {page.total for page in pages} == {5}
    assert [one.id for one in desk.work.find(Filter(facility="kestrel", sort=Sort.NEWEST))] == ids[::-1]


def test_names_are_found_without_case_and_accents_and_numbers_without_spaces(desk: Desk) -> None:
    wanted, other = desk.ask("OKONJÓ, Gráce"), desk.ask("ABARA, Chidi", "harrow")
    for text, found in (("okonjo grace", {wanted}), ("GRACE kestrel", {wanted}), ("harrow", {other}), ("40771953", {wanted, other}), (other.lower(), {other}), ("nobody", set())):
        page = desk.work.page(Filter(text=text))
        assert ({one.id for one in page.requests}, page.total, page.unsearched) == (found, len(found), 0)


def test_a_search_that_could_not_look_at_all_says_so(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_app.image_requests.queries.MOST_SEARCHED", 2)
    for number in range(3):
        desk.ask(f"P{number}, X", due=timedelta(hours=number))
    assert desk.work.page(Filter(text="P2")).unsearched == 1


def test_what_a_hospital_usually_takes(desk: Desk) -> None:
    for minutes, due in ((10, timedelta(minutes=20)), (30, timedelta(minutes=20)), (50, None)):
        id = desk.ask(f"M{minutes}, X", due=due)
        desk.clock.now += timedelta(minutes=minutes)
        desk.stored(id)
    refused = desk.ask("N, X", "harrow")
    desk.requests.act(refused, Act.DECLINE, SENDER, reason="No such patient here")
    desk.ask("O, X", "harrow")
    kestrel, harrow = desk.work.by_facility()
    assert (kestrel.facility, kestrel.closed, kestrel.stored, kestrel.median, kestrel.timed, kestrel.on_time) == ("kestrel", 3, 3, timedelta(minutes=30), 2, 1)
    assert (harrow.facility, harrow.stored, harrow.declined, harrow.median, harrow.still_open) == ("harrow", 0, 1, None, 1)
    usual = desk.work.usual()
    assert set(usual) == {"kestrel"}, "of who never stored anything nothing is promised"
    assert usual["kestrel"].words == "usually 30 min"
    desk.clock.now += timedelta(days=100)
    assert desk.work.by_facility() == (replace(harrow, closed=0, declined=0),)


def test_changes_are_seen_and_another_tenants_never(desk: Desk, database: Database, keyring: Keyring) -> None:
    before = desk.clock()
    desk.clock.now += timedelta(seconds=1)
    assert not desk.work.changed_since(before)
    id = desk.ask()
    assert desk.work.changed_since(before)
    facilities = Facilities(database, keyring, desk.clock, tenant="other")
    other = Requests(database, keyring, AuditLog(database, keyring, desk.clock), Ledger(database, desk.clock), facilities, desk.clock, tenant="other")
    theirs = Work(database, other, desk.clock)
    assert theirs.find(Filter(states=ACTIVE, due=None)) == ()
    assert set(theirs.counts(ME).values()) == {0}
    assert theirs.by_facility() == ()
    assert other.of_patient("northgate", "p-MARCHETTI, Rosalind Jane") == ()
    assert desk.requests.get(id).state is State.SENT


def test_today_ends_at_the_sites_midnight(desk: Desk) -> None:
    desk.clock.now = datetime(2026, 5, 21, 12, tzinfo=UTC)
    midnight = desk.clock().astimezone().replace(hour=0, minute=0) + timedelta(days=1)
    today, tomorrow = desk.ask("A, A", needed_by=midnight - timedelta(minutes=1)), desk.ask("B, B", needed_by=midnight)
    assert [one.id for one in desk.work.find(Filter(due=Due.TODAY))] == [today]
    assert tomorrow in {one.id for one in desk.work.find(Filter())}
