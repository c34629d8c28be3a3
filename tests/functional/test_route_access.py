"""Who gets what, for every route that exists, without an archive behind: generated from the URL map; a new route without a row fails.

Columns follow safety.md's authorization matrix: A owns launch 1 (patient 1); B is the same browser with launch 2
(patient 2); C another user, also on patient 1; D another tenant; staff, reviewer, administrator and auditor without a
chart; 0 nobody; `ended` a launch of this browser that is over. Links do not exist yet.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.routing import Rule

from launch.context import LaunchContext, User
from launch.session import BROWSER_COOKIE, TokenSet
from smart_app.archives.types import Answer, Candidate, PatientId, SourceState, StudyRecord
from smart_app.audit.models import AuditRecord
from smart_app.clock import utc_now
from smart_app.config import Settings
from smart_app.factory import create_app
from smart_app.fhir.patient import PatientFacts
from smart_app.identity.rulings import RecordKey
from smart_app.image_requests.types import Actor, NewRequest, Party, Patient, Route, RouteKind, Wanted
from smart_app.matching.store import Subject
from smart_app.parts import Parts, build
from smart_app.web.csrf import Csrf

ORIGIN = "https://priors.example"
STAFF_ROLES = ("staff", "reviewer", "administrator", "auditor", "surgical-team")
SAMPLE = {"archive": "kestrel", "study": "1.2.3", "series": "1.2.3.4", "instance": "1.2.3.4.5", "number": "1", "numbers": "1", "token": "abc", "issuer": "northgate", "viewer": "ohif",
          "name": "nothing.js", "kind": "Task", "id": "RQ-NOTTHERE"}  # fmt: skip
SAMPLE |= {"case": "c" * 32, "document": "x" * 40, "upload": "u" * 24, "item": "1" * 32, "action": "leave"}
DICOMWEB = "/l/<launch:handle>/dicomweb/<key:archive>/studies"
SERIES = f"{DICOMWEB}/<uid:study>/series/<uid:series>"
INSTANCE = f"{SERIES}/instances/<uid:instance>"

SENDERS = "senders' host only"
LINK = "/s/<string(length=43):token>"
UPLOAD = f"{LINK}/uploads/<string(length=24):upload>"
PUBLIC, ANY, CHART, OBJECT, AUDIT, SETUP = "public", "any launch", "chart", "object of the chart", "auditor", "administrator"
DECIDE, DECIDE_OBJECT = "possible matches", "one possible match"
DESK = "image desk"
BOARD, BOARD_CASE = "pre-op board, of an EHR that does not answer", "one case of it, which is not there"
CASE = "/l/<launch:handle>/board/cases/<string(length=32):case>"
REPORT = "a report that is not there"
SHEET, DESK_SHEET = "sheet of a request that is not there", "sheet for the desk, of a request that is not there"
DESK_REQUEST = "/l/<launch:handle>/desk/requests/<string(maxlength=16):request_id>"
MATCH = "/l/<launch:handle>/matches/<string(length=32):match>"
PROGRAM = "registered programs, by token: a browser's cookie is nothing there"
REQUEST = "/l/<launch:handle>/requests/<string(length=11):request_id>"
INTAKE, INTAKE_ITEM = "what arrived", "one received study, which is not there"
RECEIVED = "/l/<launch:handle>/intake/<string(length=32):item>"
NO_WAY = "no other viewer is configured here, so there is no way to one"
LANDING = "first page of a chart that was opened for something: goes on to it"
CLOSED = "nothing restricted in this chart, so there is nothing to open or end"
REPORTS = "/l/<launch:handle>/reports/<key:archive>/<uid:study>"
MARKS = "/l/<launch:handle>/marks/<key:archive>/<uid:study>"
ROWS = {
    "/": PUBLIC,
    "/healthz": PUBLIC,
    "/readyz": PUBLIC,
    "/jwks.json": PUBLIC,
    "/launch": PUBLIC,
    "/launch/check": PUBLIC,
    "/sign-in/<key:issuer>": PUBLIC,
    "/cb/<key:issuer>": PUBLIC,
    "/static/viewer/<path:name>": PUBLIC,
    "/fhir/metadata": PUBLIC,
    "/fhir/.well-known/smart-configuration": PUBLIC,
    "/fhir/token": PROGRAM,
    "/fhir/<kind>": PROGRAM,
    "/fhir/<kind>/_search": PROGRAM,
    "/fhir/<kind>/<id>": PROGRAM,
    "/IHEInvokeImageDisplay": PUBLIC,
    "/l/<launch:handle>/open": LANDING,
    "/l/<launch:handle>/sought": CHART,
    "/l/<launch:handle>/preferences": CHART,
    "/l/<launch:handle>/elsewhere/<key:viewer>/<key:archive>/<uid:study>": NO_WAY,
    "/l/<launch:handle>/home": ANY,
    "/l/<launch:handle>/end": ANY,
    "/l/<launch:handle>/style.css": ANY,
    "/l/<launch:handle>/audit": AUDIT,
    "/l/<launch:handle>/audit/break-glass": AUDIT,
    "/l/<launch:handle>/setup": SETUP,
    "/l/<launch:handle>/intake": INTAKE,
    RECEIVED: INTAKE_ITEM,
    f"{RECEIVED}/pictures": INTAKE_ITEM,
    **dict.fromkeys([f"{RECEIVED}/{action}" for action in ("store", "second", "aside", "quality", "ask", "link")], INTAKE_ITEM),
    f"{RECEIVED}/<any('leave', 'put-back', 'try-again', 'hold', 'release', 'withdraw', 'restore', 'survivor'):action>": INTAKE_ITEM,
    "/l/<launch:handle>/board": BOARD,
    "/l/<launch:handle>/board/watch": BOARD,
    **{f"{CASE}/{word}": BOARD_CASE for word in ("look", "open", "decide", "say")},
    "/l/<launch:handle>/desk": DESK,
    "/l/<launch:handle>/desk/find": DESK,
    "/l/<launch:handle>/desk/watch": DESK,
    "/l/<launch:handle>/desk/bulk": DESK,
    "/l/<launch:handle>/desk/export": DESK,
    "/l/<launch:handle>/desk/phone-list": DESK,
    "/l/<launch:handle>/desk/views": DESK,
    "/l/<launch:handle>/desk/views/remove": DESK,
    "/l/<launch:handle>/desk/attention": DESK,
    "/l/<launch:handle>/desk/attention/again": DESK,
    "/l/<launch:handle>/desk/offers": DESK,
    "/l/<launch:handle>/desk/unasked": DESK,
    "/l/<launch:handle>/desk/offers/answer": DESK,
    "/l/<launch:handle>/desk/hospitals": DESK,
    "/l/<launch:handle>/desk/facilities": DESK,
    "/l/<launch:handle>/desk/facilities/new": DESK,
    "/l/<launch:handle>/desk/facilities/save": DESK,
    "/l/<launch:handle>/desk/facilities/<string(maxlength=40):facility>": DESK,
    "/l/<launch:handle>/desk/facilities/<string(maxlength=40):facility>/emergency": DESK,
    "/l/<launch:handle>/desk/new": DESK,
    "/l/<launch:handle>/desk/new/find": DESK,
    DESK_REQUEST: DESK,
    f"{DESK_REQUEST}/now": DESK,
    f"{DESK_REQUEST}/do": DESK,
    f"{DESK_REQUEST}/ask": DESK,
    f"{DESK_REQUEST}/code": DESK,
    f"{DESK_REQUEST}/link": DESK,
    "/l/<launch:handle>/break-glass": CLOSED,
    "/l/<launch:handle>/break-glass/end": CLOSED,
    "/l/<launch:handle>/studies": CHART,
    "/l/<launch:handle>/studies/stream": CHART,
    "/l/<launch:handle>/studies/relevance": CHART,
    "/l/<launch:handle>/studies/watch": CHART,
    "/l/<launch:handle>/studies/<uid:study>": CHART,
    "/l/<launch:handle>/request": CHART,
    "/l/<launch:handle>/requests": CHART,
    "/l/<launch:handle>/requests/places": CHART,
    REQUEST: OBJECT,
    f"{REQUEST}/now": OBJECT,
    f"{REQUEST}/cancel": OBJECT,
    f"{REQUEST}/note": OBJECT,
    "/l/<launch:handle>/outline/<key:archive>/<uid:study>": OBJECT,
    "/l/<launch:handle>/outline/<key:archive>/<uid:study>/first": OBJECT,
    REPORTS: OBJECT,
    f"{REPORTS}/<string(maxlength=400):document>": REPORT,
    f"{REPORTS}/<string(maxlength=400):document>/file": REPORT,
    MARKS: OBJECT,
    f"{MARKS}/report": OBJECT,
    f"{MARKS}/picture": OBJECT,
    "/l/<launch:handle>/matches": DECIDE,
    MATCH: DECIDE_OBJECT,
    f"{MATCH}/confirm": DECIDE_OBJECT,
    f"{MATCH}/reject": DECIDE_OBJECT,
    f"{MATCH}/undecided": DECIDE_OBJECT,
    f"{MATCH}/undo": DECIDE_OBJECT,
    "/ask": SENDERS,
    "/l/<launch:handle>/photo": CHART,
    **dict.fromkeys((LINK, *(f"{LINK}/{page}" for page in ("proof", "send", "answer", "cannot", "state", "receipt", "uploads"))), SENDERS),
    **dict.fromkeys((f"{UPLOAD}/{step}" for step in ("files", "pieces", "finish")), SENDERS),
    DICOMWEB: CHART,
    f"{DICOMWEB}/<uid:study>": OBJECT,
    f"{DICOMWEB}/<uid:study>/metadata": OBJECT,
    f"{DICOMWEB}/<uid:study>/series": OBJECT,
    f"{DICOMWEB}/<uid:study>/instances": OBJECT,
    SERIES: OBJECT,
    f"{SERIES}/metadata": OBJECT,
    f"{SERIES}/instances": OBJECT,
    f"{SERIES}/thumbnail": OBJECT,
    INSTANCE: OBJECT,
    f"{INSTANCE}/metadata": OBJECT,
    f"{INSTANCE}/rendered": OBJECT,
    f"{INSTANCE}/thumbnail": OBJECT,
    f"{INSTANCE}/frames/<string(maxlength=1400):numbers>": OBJECT,
    f"{INSTANCE}/frames/<int(min=1,max=999999):number>/rendered": OBJECT,
    f"{INSTANCE}/bulkdata/<string(maxlength=1600):token>": OBJECT,
    "/l/<launch:handle>/requests/<string(maxlength=16):id>/sheet.pdf": SHEET,
    "/l/<launch:handle>/desk/requests/<string(maxlength=16):id>/sheet.pdf": DESK_SHEET,
    "/l/<launch:handle>/desk/sheets": DESK_SHEET,
}
OWN_ANSWERS = frozenset({200, 204, 400, 406, 502, 503, 504})
"""What an owner may be told: the page, or that the archive (nobody listens there) did not answer."""


@dataclass
class Identity:
    launch: LaunchContext
    browser: str


@dataclass
class World:
    app: Flask
    parts: Parts
    people: dict[str, Identity]
    samples: dict[str, str] = field(default_factory=lambda: dict(SAMPLE))

    def call(self, rule: str, method: str, *, path_of: str, browser: str | None) -> int:
        """Status of `rule` under the launch of `path_of`, asked with this browser's cookie."""
        handle = self.people[path_of].launch.handle
        samples = self.samples | ({"token": "t" * 43} if rule.startswith("/s/") else {})
        with self.app.test_request_context(base_url=ORIGIN):
            found = next(one for one in self.app.url_map.iter_rules() if one.rule == rule)
            path = self.app.url_for(found.endpoint, **{name: samples.get(name, handle) for name in found.arguments})
        client = self.app.test_client()
        if browser:
            client.set_cookie(BROWSER_COOKIE, browser, domain="priors.example", secure=True)
        token = Csrf(self.parts.keyring, ORIGIN).token(handle, browser or "")
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "X-Priors-CSRF": token, "Accept": "*/*"}
        with client.open(path, method=method, base_url=ORIGIN, headers=headers) as response:
            return response.status_code

    def denials(self) -> int:
        with self.parts.database.reading() as session:
            return session.scalar(select(func.count()).where(AuditRecord.event == "AccessDenied")) or 0


def _settings(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("MATRIX_KEY", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    roles = [{"role": role, "claim": "roles", "equals": role} for role in STAFF_ROLES]
    ehr = {"key": "northgate", "name": "Northgate", "issuer": "http://127.0.0.1:9/fhir", "client_id": "priors", "roles": roles, "allow_http": True}
    archive = {"key": "kestrel", "name": "Kestrel", "dicomweb": "http://127.0.0.1:9/dicom-web", "patient_id_issuer": "K", "identifier_systems": ["urn:k"], "allow_http": True}
    return Settings.model_validate(
        {"public_url": ORIGIN, "development": True, "data_dir": folder, "sealing_keys": [{"id": "k", "env": "MATRIX_KEY"}], "ehrs": [ehr], "archives": [archive]}
    )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings = _settings(tmp_path, monkeypatch)
    parts, app = build(settings), create_app(settings)
    people: dict[str, Identity] = {}

    def enter(name: str, user: str, patient: str | None, *, roles: tuple[str, ...] = (), browser: str | None = None, tenant: str = "default") -> None:
        now = utc_now()
        person = User(settings.ehrs[0].issuer, user, claims={"roles": list(roles)})
        context = LaunchContext(secrets.token_urlsafe(24), "northgate", person.issuer, person, patient, None, frozenset(), now, now + timedelta(hours=8), tenant)
        cookie = parts.store.open_launch(browser, context, TokenSet("token", now + timedelta(hours=1)))
        people[name] = Identity(context, cookie)

    enter("A", "dr-one", "p1")
    enter("B", "dr-one", "p2", browser=people["A"].browser)
    enter("ended", "dr-one", "p1", browser=people["A"].browser)
    parts.store.end(people["ended"].launch.handle)
    enter("C", "dr-two", "p1")
    enter("D", "dr-one", "p1", tenant="other")
    for role in STAFF_ROLES:
        enter(role, f"desk-{role}", None, roles=(role,))
    record = StudyRecord("1.2.3", "kestrel", "Kestrel", "kestrel", PatientId("K-1", "K"))
    facts = PatientFacts("p1", "MARCHETTI, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female")
    for name, studies in (("A", (record,)), ("B", ())):
        handle = people[name].launch.handle
        parts.holdings.save_patient(handle, replace(facts, id=people[name].launch.patient_id or ""))
        waiting = (Candidate(PatientId("K-2", "K"), "MARCHETTI^ROSA", "19510908", "F"),) if studies else ()
        parts.holdings.save_answer(handle, Answer("kestrel", "Kestrel", "Kestrel", SourceState.OK if studies else SourceState.EMPTY, studies, candidates=waiting))
    match = parts.rulings.name(Subject.of(people["A"].launch), RecordKey("kestrel", PatientId("K-2", "K"), "1951-09-08", "F"))
    asked = NewRequest(Patient("northgate", "p1", facts.name, facts.family, facts.given), Wanted("CT head"), Route(RouteKind.PATIENT), None)
    made = parts.requests.create(asked, Actor(Party.CLINICIAN, name="Dr One"))
    yield World(app, parts, people, SAMPLE | {"match": match, "request_id": made.id})
    parts.database.engine.dispose()


def _rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)


def test_every_route_has_a_row_and_every_row_a_route(world: World) -> None:
    assert {rule.rule for rule in _rules(world.app)} == set(ROWS)


def _methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"OPTIONS"})


def _expected(kind: str, column: str) -> frozenset[int]:
    """Statuses of a column asking under its own launch's path, and for nobody and the ended, under that path too."""
    if column in ("nobody", "ended"):
        return frozenset({401})
    if column == "D":
        return frozenset({401})
    staff = column in STAFF_ROLES
    if kind == ANY:
        return OWN_ANSWERS
    if kind == CLOSED:
        return frozenset({404})
    if kind == NO_WAY:
        return frozenset({404})
    if kind == LANDING:
        return frozenset({404}) if staff else frozenset({303})
    if kind == CHART:
        return frozenset({404}) if staff else OWN_ANSWERS
    if kind in (DECIDE, DECIDE_OBJECT) and staff:
        return frozenset({403})
    if kind == DECIDE:
        return OWN_ANSWERS
    if kind == DECIDE_OBJECT:
        # A form without its fields, and an undoing of what was never decided, are refused in other words.
        return OWN_ANSWERS | {303, 404} if column == "A" else frozenset({404})
    if kind == OBJECT:
        return OWN_ANSWERS if column == "A" else frozenset({404})
    if kind in (SHEET, REPORT):
        return frozenset({404})
    if kind == DESK_SHEET:
        return frozenset({404, 409}) if column in ("staff", "reviewer") else frozenset({403})
    if kind == INTAKE:
        return OWN_ANSWERS if column == "reviewer" else frozenset({403})
    if kind == INTAKE_ITEM:
        return frozenset({404}) if column == "reviewer" else frozenset({403})
    if kind == BOARD:
        return frozenset({502}) if column == "surgical-team" else frozenset({403})
    if kind == BOARD_CASE:
        return frozenset({404}) if column == "surgical-team" else frozenset({403})
    if kind == DESK:
        # A form without its fields, and what is not there, are refused in other words.
        return OWN_ANSWERS | {404, 409} if column in ("staff", "reviewer") else frozenset({403})
    return OWN_ANSWERS if column == {AUDIT: "auditor", SETUP: "administrator"}[kind] else frozenset({403})


def test_each_identity_under_its_own_launch(world: World) -> None:
    wrong = []
    for rule in _rules(world.app):
        kind = ROWS[rule.rule]
        if kind in (PUBLIC, PROGRAM, SENDERS) or rule.rule.endswith(("/end", "/bulkdata/<string(maxlength=1600):token>")):
            continue
        for column in ("A", "B", "D", "ended", "nobody", *STAFF_ROLES):
            path_of = "A" if column == "nobody" else column
            browser = None if column == "nobody" else world.people[path_of].browser
            for method in _methods(rule):
                before = world.denials()
                status = world.call(rule.rule, method, path_of=path_of, browser=browser)
                recorded = world.denials() - before
                if status not in _expected(kind, column):
                    wrong.append(f"{method} {rule.rule} as {column}: {status}")
                elif recorded != (status in (401, 403, 404)):
                    wrong.append(f"{method} {rule.rule} as {column}: {status}, recorded {recorded} times")
    assert wrong == []


def test_nobody_elses_launch_is_there_at_all(world: World) -> None:
    """C, D, the desk, the auditor: launch 1's own path with their cookie is 404, whatever the route and their role."""
    wrong = []
    for rule in _rules(world.app):
        if ROWS[rule.rule] in (PUBLIC, PROGRAM, SENDERS):
            continue
        for column in ("C", "D", *STAFF_ROLES):
            for method in _methods(rule):
                before = world.denials()
                status = world.call(rule.rule, method, path_of="A", browser=world.people[column].browser)
                if (status, world.denials() - before) != (404, 1):
                    wrong.append(f"{method} {rule.rule} as {column}: {status}")
    assert wrong == []
    assert world.call("/l/<launch:handle>/studies", "GET", path_of="A", browser=world.people["A"].browser) == 200


def test_two_charts_of_one_user_are_both_open(world: World) -> None:
    for name in ("A", "B"):
        assert world.call("/l/<launch:handle>/studies", "GET", path_of=name, browser=world.people["A"].browser) == 200


def test_nobody_ends_anothers_launch_and_the_owner_does(world: World) -> None:
    rule = "/l/<launch:handle>/end"
    assert [world.call(rule, "POST", path_of="A", browser=browser) for browser in (None, world.people["C"].browser)] == [401, 404]
    assert world.call(rule, "POST", path_of="A", browser=world.people["A"].browser) == 200
    assert world.call("/l/<launch:handle>/studies", "GET", path_of="A", browser=world.people["A"].browser) == 401
    assert world.call("/l/<launch:handle>/studies", "GET", path_of="B", browser=world.people["B"].browser) == 200


def test_public_routes_need_no_launch_and_record_no_denial(world: World) -> None:
    for rule in _rules(world.app):
        if ROWS[rule.rule] == PUBLIC:
            for method in _methods(rule):
                assert world.call(rule.rule, method, path_of="A", browser=None) not in (401, 500), rule.rule
    assert world.denials() == 0


def test_programs_routes_know_no_cookie(world: World) -> None:
    """Whoever is signed in, and whatever their role: without a token it is 401, and on the record."""
    for rule in _rules(world.app):
        if ROWS[rule.rule] == PROGRAM:
            for column in world.people:
                for method in _methods(rule):
                    before = world.denials()
                    status = world.call(rule.rule, method, path_of=column, browser=world.people[column].browser)
                    expected = (400, 0) if rule.rule == "/fhir/token" else (401, 1)
                    assert (status, world.denials() - before) == expected, f"{method} {rule.rule} as {column}"


def test_the_senders_pages_are_not_on_this_host(world: World) -> None:
    """Whoever asks: what a live link gets on the other host is proved in tests/unit/portal."""
    for rule in _rules(world.app):
        if ROWS[rule.rule] == SENDERS:
            for column in world.people:
                statuses = {world.call(rule.rule, method, path_of="A", browser=world.people[column].browser) for method in _methods(rule)}
                assert statuses == {404}, rule.rule


def _open(world: World, column: str, path: str, accept: str = "text/html") -> tuple[int, str]:
    client = world.app.test_client()
    client.set_cookie(BROWSER_COOKIE, world.people[column].browser, domain="priors.example", secure=True)
    with client.get(f"/l/{world.people[column].launch.handle}{path}", base_url=ORIGIN, headers={"Accept": accept}) as response:
        return response.status_code, response.text


def test_the_auditor_sees_who_saw_whom_and_is_seen(world: World) -> None:
    world.call("/l/<launch:handle>/setup", "GET", path_of="A", browser=world.people["A"].browser)
    assert _open(world, "auditor", "/audit")[0] == 200
    status, page = _open(world, "auditor", "/audit?patient=p1&from=2020-01-01&to=9999-99-99&sort=;x")
    assert (status, "Was refused" in page, "Read these records" in page) == (200, True, True)
    status, text = _open(world, "auditor", "/audit?patient=p1&sort=at", "application/json")
    records = [one for one in json.loads(text)["records"] if one["event"] != "RequestChanged"]  # the sample's making
    assert [record["event"] for record in records] == ["AccessDenied", "AuditRead", "AuditRead"]
    assert [record["user"] for record in records] == ["dr-one", "desk-auditor", "desk-auditor"]
    assert records[0]["details"] == {"action": "see-setup", "reason": "role"}
