"""Every route times every identity (safety.md, authorization matrix). A route without a row fails.

The object belongs to A: user 1, launch 1, patient 1. Identities of parts that do not exist yet (upload links, shares)
are tried with made-up tokens: they must find nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from flask import Flask

from smart_app.archives.types import Candidate, PatientId
from smart_app.identity.rulings import key_of_candidate
from smart_app.image_requests.types import Actor, NewRequest, Party, Patient, Route, RouteKind, Wanted
from smart_app.matching.store import Subject
from smart_app.parts import build
from tests.town import Jar, Seen, Town, events

ONE, TWO = "marchetti", "parekh"
JSON = "application/dicom+json"
PIXELS = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'

# What each identity gets on launch 1's own path: A, C (another user), S (staff), X (auditor, administrator), 0 (nobody).
OWN = {"A": 200, "C": 404, "S": 404, "auditor": 404, "administrator": 404, "0": 401}
# What each gets for launch 1's study asked for under the identity's own launch.
THEIRS = {"B": 404, "S": 404, "auditor": 404, "administrator": 404}
PUBLIC = dict.fromkeys(("A", "C", "S", "auditor", "administrator", "0"), 200)

ROWS: dict[str, dict[str, int]] = {
    "entrance.landing": PUBLIC,
    "health.healthz": PUBLIC,
    "health.readyz": PUBLIC,
    "launch.keys": PUBLIC,
    "static_files.file": PUBLIC,
    "launch.launch": dict.fromkeys(PUBLIC, 400),  # without iss and launch there is nothing to begin
    "launch.check": dict.fromkeys(PUBLIC, 400),
    "launch.callback": dict.fromkeys(PUBLIC, 400),
    "launch.sign_in": dict.fromkeys(PUBLIC, 303),
    "launch.end": {**OWN, "A": 403},  # without the page's token nobody ends anything
    "fhir_api.metadata": PUBLIC,
    "fhir_api.smart_configuration": PUBLIC,
    "fhir_api.token": dict.fromkeys(PUBLIC, 400),  # programs prove themselves in each request: who is signed in counts for nothing
    "fhir_api.read": dict.fromkeys(PUBLIC, 401),
    "fhir_api.search": dict.fromkeys(PUBLIC, 401),
    "fhir_api.search_by_post": dict.fromkeys(PUBLIC, 401),
    "fhir_api.put": dict.fromkeys(PUBLIC, 401),
    "fhir_api.patch": dict.fromkeys(PUBLIC, 401),
    "doors.invoke": dict.fromkeys(PUBLIC, 400),  # without its parameters there is nothing to show
    "doors.land": {**OWN, "A": 303},
    "doors.sought": OWN,
    "doors.elsewhere": {**OWN, "A": 404},  # no other viewer in this town; with one: test_doors
    "entrance.home": OWN,
    "entrance.style": OWN,
    "entrance.setup": {**OWN, "A": 403},
    "audit.audit": {**OWN, "A": 403},
    "breakglass.listed": {**OWN, "A": 403},
    "breakglass.begin": {**OWN, "A": 403},  # without the page's token
    "breakglass.end": {**OWN, "A": 403},
    "studies.page": OWN,
    "studies.study": OWN,
    "studies.stream": OWN,
    "matching.overview": OWN,
    "matching.compare": OWN,
    "matching.confirm": {**OWN, "A": 403},  # without the page's token nobody decides anything
    "matching.reject": {**OWN, "A": 403},
    "matching.undecided": {**OWN, "A": 403},
    "matching.undo": {**OWN, "A": 403},
    "desk.page": {**OWN, "A": 403},
    "desk.find": {**OWN, "A": 403},
    "desk.watch": {**OWN, "A": 403},
    **{key: {**OWN, "A": 403} for key in ("intake.overview", "intake.one", "intake.drawn", "intake.store", "intake.second", "intake.aside", "intake.quality", "intake.ask", "intake.link", "intake.act")},  # real items: test_intake
    "dispatch.of_chart": {**OWN, "A": 404},  # a request that is not there; real ones: test_sheets
    "dispatch.of_desk": {**OWN, "A": 403},
    "dispatch.many": {**OWN, "A": 403},
    **{key: {**OWN, "A": 403} for key in ("desk.many", "desk.export", "desk.phone_list", "desk.save", "desk.remove", "desk_site.attention", "desk_offers.page", "desk_arrivals.page", "desk_offers.answer", "desk_site.again", "desk_site.hospitals", "desk_site.directory", "desk_site.new", "desk_site.one", "desk_site.save", "desk_site.ahead", "desk_new.page", "desk_new.find", "desk_new.ask", "desk_request.page", "desk_request.now", "desk_request.do", "desk_request.ask", "desk_request.code", "desk_request.link")},
    **{key: {**OWN, "A": 403} for key in ("preop.page", "preop.watch", "preop.look", "preop.open_case", "preop.decide", "preop.say")},  # the team itself: test_board
    "studies.relevance": OWN,
    "studies.look_again": OWN,
    **dict.fromkeys(
        ("asking.page", "asking.ask", *(f"portal.{name}" for name in ("welcome", "prove", "send", "answer", "cannot", "state", "receipt", "begin", "announce", "take", "finish"))),
        dict.fromkeys(PUBLIC, 404),  # they are on the senders' host, by link only
    ),
    "image_requests.ask_for": OWN,
    "image_requests.ask": {**OWN, "A": 403},  # without the page's token nobody asks
    "image_requests.places": OWN,
    "image_requests.timeline": OWN,
    "image_requests.now": OWN,
    "image_requests.cancel": {**OWN, "A": 403},
    "image_requests.note": {**OWN, "A": 403},
    "photo.code": {**OWN, "A": 403},  # without the page's token no link is made
    "reports.beside": OWN,
    **{f"reports.{name}": {**OWN, "A": 404} for name in ("document", "file")},  # a name that we did not make; real ones: test_reports
    "marks.shown": OWN,
    **{f"marks.{name}": {**OWN, "A": 403} for name in ("saved", "report", "picture")},  # without the page's token
    "viewer.outline": OWN,
    "viewer.first": {**OWN, "A": 204},  # a short series has no need of it
    "viewer.search_studies": OWN,
    "viewer.search_series": OWN,
    "viewer.search_instances": OWN,
    "viewer.search_series_instances": OWN,
    "viewer.study": OWN,
    "viewer.series": OWN,
    "viewer.instance": OWN,
    "viewer.study_metadata": OWN,
    "viewer.series_metadata": OWN,
    "viewer.instance_metadata": OWN,
    "viewer.frames": OWN,
    "viewer.rendered": OWN,
    "viewer.frame_rendered": OWN,
    "viewer.instance_thumbnail": OWN,
    "viewer.series_thumbnail": OWN,
    "viewer.bulkdata": {**OWN, "A": 404},  # a reference that we did not issue
}
ACCEPT = {"viewer.frames": PIXELS, "viewer.study": "multipart/related; type=\"application/dicom\"", "viewer.series": "multipart/related; type=\"application/dicom\"",
          "viewer.instance": "multipart/related; type=\"application/dicom\"", "viewer.rendered": "image/jpeg", "viewer.frame_rendered": "image/jpeg",
          "viewer.instance_thumbnail": "image/jpeg", "viewer.series_thumbnail": "image/jpeg", "studies.stream": "text/event-stream"}  # fmt: skip


@dataclass(frozen=True)
class Cast:
    """Who is there, and launch 1's object."""

    jars: dict[str, Jar]
    launches: dict[str, str]
    values: dict[str, object]


@pytest.fixture(scope="module")
def cast(town: Town) -> Cast:
    shared = Jar()
    jars = {"A": shared, "B": shared, "C": Jar(), "S": Jar(), "auditor": Jar(), "administrator": Jar(), "0": Jar()}
    launches = {"A": shared.launch(town, ONE), "B": shared.launch(town, TWO), "C": jars["C"].launch(town, ONE, "rev-okafor")}
    for name, user in (("S", "clerk-moss"), ("auditor", "auditor-reyes"), ("administrator", "admin-lind")):
        launches[name] = jars[name].sign_in(town, user)
    stream = shared.get(f"{town.plan.app}/l/{launches['A']}/studies/stream")
    shared.get(f"{town.plan.app}/l/{launches['B']}/studies/stream")
    rows = [row for name, data in events(stream) if name == "rows" for row in data["rows"]]
    study = next(row["uid"] for row in rows if row["modalities"] == ["CT"] and 'data-archive="northgate"' in row["html"])
    base = f"{town.plan.app}/l/{launches['A']}/dicomweb/northgate/studies/{study}"
    series = shared.get(f"{base}/series").json()[0]["0020000E"]["Value"][0]
    instance = shared.get(f"{base}/series/{series}/metadata", Accept=JSON).json()[0]["00080018"]["Value"][0]
    match = _put(town, launches["A"])
    values = {"match": match, "item": "1" * 32, "action": "leave", "archive": "northgate", "study": study, "series": series, "instance": instance, "numbers": "1", "viewer": "ohif", "number": 1, "document": "x" * 40, "token": "A" * 40,
              "issuer": "northgate", "name": _bundle_file(town), "facility": "nowhere", "kind": "Task", "id": "RQ-NOTTHERE", "upload": "u" * 24, "case": "c" * 32}  # fmt: skip
    values["request_id"] = _ask(town)
    return Cast(jars, launches, values)


def _put(town: Town, handle: str) -> str:
    """Let a record wait for launch 1's patient, as Kestrel's answer; returns the name of its comparison."""
    candidate = Candidate(PatientId("KC-1", "KESTREL"), "MARCHETTI^ROSA", "19510908", "F")
    parts = build(town.settings)
    answer = next(one for one in parts.holdings.answers(handle) if one.source == "kestrel")
    parts.holdings.save_answer(handle, replace(answer, candidates=(candidate,)))
    name = parts.rulings.name(Subject("default", town.plan.fhir, ONE), key_of_candidate("kestrel", candidate))
    parts.database.engine.dispose()
    return name


def _ask(town: Town) -> str:
    """A request about launch 1's patient."""
    parts = build(town.settings)
    asked = NewRequest(Patient("northgate", ONE, "MARCHETTI, Rosalind Jane", "MARCHETTI", "Rosalind Jane"), Wanted("CT head"), Route(RouteKind.PATIENT), None)
    made = parts.requests.create(asked, Actor(Party.CLINICIAN, name="Dr S. Halloran"))
    parts.database.engine.dispose()
    return made.id


def _bundle_file(town: Town) -> str:
    with town.app.app_context():
        return str(town.app.jinja_env.globals["asset"]("src/plain/main.ts").js).removeprefix("/static/viewer/")


def ask(town: Town, cast: Cast, endpoint: str, who: str, handle: str) -> Seen:
    if endpoint == "matching.compare":
        _put(town, cast.launches["A"])  # another route may have asked Kestrel since
    rule = next(rule for rule in town.app.url_map.iter_rules() if rule.endpoint == endpoint)
    values = {name: handle if name == "handle" else cast.values[name] for name in rule.arguments}
    if endpoint.startswith("portal."):
        values["token"] = "t" * 43
    with town.app.test_request_context(base_url=town.plan.app):
        path = town.app.url_map.bind("app.localhost").build(endpoint, values, method=next(iter(rule.methods - {"HEAD", "OPTIONS"})))
    method = next(name for name in ("POST", "PUT", "PATCH", "GET") if name in (rule.methods or ()))
    headers = {"Accept": ACCEPT.get(endpoint, "*/*")}
    return cast.jars[who].copy().send(method, town.plan.app + path, headers=headers)


def test_every_route_has_its_row(town: Town) -> None:
    assert {rule.endpoint for rule in town.app.url_map.iter_rules()} == set(ROWS)


@pytest.mark.parametrize(("endpoint", "who"), [(endpoint, who) for endpoint, row in ROWS.items() for who in row])
def test_who_gets_what_on_the_path_of_launch_one(town: Town, cast: Cast, endpoint: str, who: str) -> None:
    seen = ask(town, cast, endpoint, who, cast.launches["A"])
    assert seen.status == ROWS[endpoint][who], seen.text[:300]


OBJECTS = [endpoint for endpoint in ROWS if endpoint.startswith("viewer.") and endpoint != "viewer.search_studies"] + ["image_requests.timeline", "image_requests.now", "marks.shown"]


@pytest.mark.parametrize("who", THEIRS)
@pytest.mark.parametrize("endpoint", OBJECTS)
def test_the_study_of_launch_one_does_not_exist_in_another_launch(town: Town, cast: Cast, endpoint: str, who: str) -> None:
    seen = ask(town, cast, endpoint, who, cast.launches[who])
    assert seen.status == THEIRS[who]
    assert b"MARCHETTI" not in seen.body


@pytest.mark.parametrize(("who", "page", "status"), [
    ("auditor", "audit", 200), ("auditor", "setup", 403), ("administrator", "setup", 200), ("administrator", "audit", 403),
    ("S", "audit", 403), ("S", "setup", 403), ("S", "home", 200), ("S", "studies", 404), ("auditor", "studies", 404),
])  # fmt: skip
def test_staff_pages_follow_roles(town: Town, cast: Cast, who: str, page: str, status: int) -> None:
    assert cast.jars[who].get(f"{town.plan.app}/l/{cast.launches[who]}/{page}").status == status


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_no_other_method_does_anything(town: Town, cast: Cast, method: str) -> None:
    for rule in town.app.url_map.iter_rules():
        if method in (rule.methods or ()):
            continue
        values = {name: cast.launches["A"] if name == "handle" else cast.values[name] for name in rule.arguments}
        values |= {"token": "t" * 43} if rule.endpoint.startswith("portal.") else {}
        path = town.app.url_map.bind("app.localhost").build(rule.endpoint, values)
        refused = (401, 403, 404, 405) if rule.endpoint.startswith("fhir_api.") else (403, 404, 405)  # another rule of the same path may take it
        assert cast.jars["A"].copy().send(method, town.plan.app + path, body=b"").status in refused, path


@pytest.mark.parametrize("path", ["/u/" + "x" * 43, "/s/" + "x" * 43, "/upload/" + "x" * 43, "/share/" + "x" * 43])
def test_links_of_parts_that_do_not_exist_find_nothing(town: Town, path: str) -> None:
    assert Jar().get(town.plan.app + path).status == 404


def test_a_launch_of_another_tenant_is_not_served(town: Town, cast: Cast) -> None:
    jar = Jar()
    handle = jar.launch(town, ONE)
    assert _get(town.app_with(), town, jar, f"/l/{handle}/studies") == 200, "the second app serves what the first opened"
    assert _get(town.app_with(tenant="elsewhere"), town, jar, f"/l/{handle}/studies") in (401, 404)


def test_a_role_taken_away_is_gone_on_the_next_request(town: Town) -> None:
    """Roles come from the configuration of the moment, not from the session (safety.md Z5)."""
    jar = Jar()
    handle = jar.sign_in(town, "auditor-reyes")
    assert jar.get(f"{town.plan.app}/l/{handle}/audit").status == 200
    without = town.app_with(ehrs=tuple(ehr.model_copy(update={"roles": ()}) for ehr in town.settings.ehrs))
    assert _get(without, town, jar, f"/l/{handle}/audit") == 403


def _get(app: Flask, town: Town, jar: Jar, path: str) -> int:
    host = town.plan.app.removeprefix("http://")
    return app.test_client(use_cookies=False).get(path, headers={"Host": host, "Cookie": jar.header("app.localhost")}).status_code


@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {},
], ids=["foreign origin", "null origin", "cross-site fetch", "nothing but the cookie"])  # fmt: skip
def test_forged_ends_change_nothing(town: Town, headers: dict[str, str]) -> None:
    jar = Jar()
    handle = jar.launch(town, ONE)
    assert jar.send("POST", f"{town.plan.app}/l/{handle}/end", headers=headers).status == 403
    assert jar.get(f"{town.plan.app}/l/{handle}/studies").status == 200
