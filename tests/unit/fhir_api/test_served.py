"""Programs at the FHIR API: what each sees, may change, and is refused; every answer and refusal on the record, everything valid FHIR."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import fhirkit
import pytest

from smart_app.audit.fhir_events import ApiRead
from smart_app.fhir_api.served import numbers
from smart_app.image_requests.types import State
from smart_app.image_requests.workflow import Act
from tests.unit.fhir_api.world import BASE, BRANNOC, KESTREL, ORIGIN, OTHER, SENDER, STAFF, World


def _valid(resource: Any) -> Any:
    assert fhirkit.validate(resource) == [], resource
    return resource


def test_discovery_and_capabilities_need_no_token(world: World) -> None:
    found = world.ask("GET", ".well-known/smart-configuration", None).json
    assert (found["token_endpoint"], found["grant_types_supported"]) == (f"{BASE}/token", ["client_credentials"])
    assert found["token_endpoint_auth_signing_alg_values_supported"] == ["RS384", "ES384"]
    stated = _valid(world.ask("GET", "metadata", None).json)
    assert [one["type"] for one in stated["rest"][0]["resource"]] == ["Task", "ServiceRequest", "Patient", "Organization"]


def test_a_partner_reads_its_task_and_what_it_refers_to(world: World) -> None:
    made = world.request(why="Headache since Monday")
    token = world.token("kestrel")
    answer = world.ask("GET", f"Task/{made.id}", token)
    task = _valid(answer.json)
    assert (answer.status_code, answer.headers["ETag"], answer.content_type) == (200, 'W/"1"', "application/fhir+json; charset=utf-8")
    assert answer.headers["Cache-Control"] == "no-store"
    assert (task["status"], task["identifier"][0]["value"], task["requester"]) == ("requested", f"{made.id}.1", {"display": "Northgate"})
    order = _valid(world.ask("GET", task["focus"]["reference"], token).json)
    assert (order["status"], order["identifier"][0]["value"], order["reasonCode"]) == ("active", made.id, [{"text": "Headache since Monday"}])
    person = _valid(world.ask("GET", task["for"]["reference"], token).json)
    assert (person["name"][0]["family"], person["birthDate"], person["gender"]) == ("CANARY", "1951-08-09", "female")
    place = _valid(world.ask("GET", task["owner"]["reference"], token).json)
    assert (place["name"], place["telecom"]) == ("Kestrel Valley", [{"system": "phone", "value": "+1 555 0100"}])
    assert [(one["what"], one["how"], one["patient"], one["subject"]) for one in world.audited(ApiRead.__name__)] == [
        (kind, "read", "p1", "kestrel") for kind in ("Task", "ServiceRequest", "Patient", "Organization")
    ]


def test_what_is_another_facilitys_does_not_exist(world: World) -> None:
    made, theirs = world.request(), world.request(OTHER, BRANNOC)
    token = world.token("brannoc")
    subject = world.subject("p1")
    for path in (f"Task/{made.id}", f"ServiceRequest/{made.id}", f"Patient/{subject}", "Organization/kestrel", "Task/RQ-NOTTHERE"):
        answer = world.ask("GET", path, token)
        assert (answer.status_code, _valid(answer.json)["issue"][0]["code"]) == (404, "not-found"), path
        assert "CANARY" not in answer.text
    for method, body, kind in (("PUT", {"resourceType": "Task"}, "application/fhir+json"), ("PATCH", [], "application/json-patch+json")):
        assert world.ask(method, f"Task/{made.id}", token, body, If_Match='W/"1"', Content_Type=kind).status_code == 404
    for query in ("", f"?_id={made.id}", f"?patient=Patient/{subject}", "?owner=Organization/kestrel", f"?identifier={made.id}"):
        found = world.ask("GET", f"Task{query}", token).json
        assert [entry["resource"]["id"] for entry in found.get("entry", [])] == ([] if query else [theirs.id])
    assert [one["reason"] for one in world.audited("AccessDenied")] == ["not-theirs"] * 7
    assert world.parts.requests.get(made.id).state is State.SENT


def test_a_draft_is_told_to_nobody_outside(world: World) -> None:
    from smart_app.image_requests.types import NewRequest, Wanted

    draft = world.parts.requests.create(NewRequest(OTHER, Wanted("MR knee"), KESTREL.routes[0], KESTREL.id), STAFF, send=False)
    for name in ("kestrel", "house"):
        token = world.token(name)
        assert world.ask("GET", f"Task/{draft.id}", token).status_code == 404
        assert world.ask("GET", "Task", token).json["total"] == 0


def test_no_token_wrong_scope_other_types(world: World) -> None:
    made = world.request()
    for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic a2VzdHJlbDo="}, {"Cookie": "__Host-ix=x"}):
        for method, path in (("GET", f"Task/{made.id}"), ("GET", "Task"), ("POST", "Task/_search"), ("PUT", f"Task/{made.id}"), ("PATCH", f"Task/{made.id}")):
            answer = world.ask(method, path, None, **headers)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
    reader = world.token("kestrel", "system/Task.r")
    expected = {("GET", f"Task/{made.id}"): 200, ("GET", "Task"): 403, ("POST", "Task/_search"): 403, ("PUT", f"Task/{made.id}"): 403, ("PATCH", f"Task/{made.id}"): 403,
                ("GET", f"ServiceRequest/{made.id}"): 403, ("GET", "Observation/1"): 404, ("GET", "Patient"): 405, ("PUT", f"ServiceRequest/{made.id}"): 405}  # fmt: skip
    for (method, path), status in expected.items():
        answer = world.ask(method, path, reader)
        assert answer.status_code == status, (method, path)
        _valid(answer.json)
    assert world.ask("POST", "Task", reader, {}).status_code == 405
    assert world.ask("GET", f"Task/{made.id}", reader, Accept="application/fhir+xml").status_code == 406
    assert world.ask("GET", f"Task/{made.id}?_format=xml", reader).status_code == 406


def test_a_token_ends_and_dies_with_its_registration(world: World, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made, token = world.request(), world.token("kestrel")
    assert world.ask("GET", f"Task/{made.id}", token).status_code == 200
    world.clock.forward(minutes=5)
    assert world.ask("GET", f"Task/{made.id}", token).status_code == 401


def test_searches_find_by_every_parameter(world: World) -> None:
    first = world.request()
    world.clock.forward(hours=1)
    second = world.request(OTHER, wanted=None, title="MR knee")
    world.clock.forward(hours=1)
    world.parts.requests.act(second.id, Act.OPEN, SENDER)
    token, subject = world.token("kestrel"), world.subject("p2")
    since = f"{world.clock():%Y-%m-%dT%H:%M:%SZ}"
    every, one, two = [first.id, second.id], [first.id], [second.id]
    for query, expected in {
        "": every, "_id=" + first.id: one, f"_id={first.id},{second.id}": every, "status=requested": one, "status=received,completed": two, "status=nonsense": [],
        f"patient=Patient/{subject}": two, f"patient={subject}": two, f"patient={BASE}/Patient/{subject}": two, "patient=Patient/p2": [], "patient=Group/1": [],
        "owner=Organization/kestrel": every, "owner=Organization/brannoc": [], "code=fulfill": every, "code=http://hl7.org/fhir/CodeSystem/task-code|fulfill": every,
        "code=approve": [], "code=urn:x|fulfill": [], f"focus=ServiceRequest/{first.id}": one, f"based-on={first.id}": one, f"_lastUpdated=ge{since}": two,
        f"_lastUpdated=lt{since}": one, f"_lastUpdated=gt{since}": [], f"_lastUpdated={since[:4]}": every, f"_lastUpdated=le{since[:10]}&_lastUpdated=ge{since}": two,
        f"identifier={numbers(BASE)}|{first.id}": one, f"identifier={BASE}/request/task|{second.id}.1": two, "identifier=urn:x|" + first.id: [], f"identifier={first.id}": one,
        f"status=requested&_id={second.id}": [], "unknown=1": every,
    }.items():  # fmt: skip
        answer = world.ask("GET", f"Task?{query}", token)
        found = _valid(answer.json)
        assert [entry["resource"]["id"] for entry in found.get("entry", [])] == expected, query
        assert found["total"] == len(expected)
    for query in ("_count=x", "_lastUpdated=yesterday", "_cursor=%25", "_lastUpdated=99999-01-01"):
        assert world.ask("GET", f"Task?{query}", token).status_code == 400
    assert world.ask("GET", "Task?unknown=1", token, Prefer="handling=strict").status_code == 400
    posted = world.client.post("/fhir/Task/_search", base_url=ORIGIN, data={"_id": first.id}, headers={"Authorization": f"Bearer {token}"})
    assert [entry["resource"]["id"] for entry in posted.json["entry"]] == one
    orders = world.ask("GET", f"ServiceRequest?status=active&subject=Patient/{subject}&_revinclude=Task:focus", token).json
    assert [(entry["resource"]["resourceType"], entry["search"]["mode"]) for entry in orders["entry"]] == [("ServiceRequest", "match"), ("Task", "include")]


def test_pages_miss_nothing_that_changes_between_them(world: World) -> None:
    made = []
    for at in range(7):
        made.append(world.request(title=f"CT {at}", wanted=None).id)
        world.clock.forward(seconds=1)
    token = world.token("kestrel")
    seen: list[str] = []
    url = "Task?_count=3&status=requested,received&_include=Task:focus"
    while url:
        page = _valid(world.ask("GET", url, token).json)
        matches = [entry["resource"]["id"] for entry in page["entry"] if entry["search"]["mode"] == "match"]
        assert [entry["resource"]["id"] for entry in page["entry"] if entry["search"]["mode"] == "include"] == matches
        if not seen:
            world.parts.requests.act(made[5], Act.OPEN, SENDER)  # it is last now
        seen += matches
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
        assert not url or urlsplit(url).netloc == "priors.example"
    assert seen == [*made[:5], made[6], made[5]]
    patients = [(one["patient"], one["count"]) for one in world.audited(ApiRead.__name__)]
    assert patients == [("p1", 6), ("p1", 6), ("p1", 2)]


def test_a_search_of_two_patients_is_recorded_for_each(world: World) -> None:
    world.request()
    world.clock.forward(seconds=1)
    world.request(OTHER)
    token = world.token("house")
    world.ask("GET", "Task", token)
    world.ask("GET", "Task?status=completed", token)
    assert [(one["patient"], one["count"]) for one in world.audited(ApiRead.__name__)] == [("p1", 1), ("p2", 1), (None, 0)]


@pytest.mark.parametrize(("status", "state"), [("received", State.OPENED), ("accepted", State.ACCEPTED), ("in-progress", State.ACCEPTED), ("rejected", State.DECLINED)])
def test_a_partner_says_where_it_stands(world: World, status: str, state: State) -> None:
    made, token = world.request(), world.token("kestrel")
    task = world.ask("GET", f"Task/{made.id}", token).json
    answer = world.ask("PUT", f"Task/{made.id}", token, task | {"status": status, "statusReason": {"text": "No such patient here"}}, If_Match='W/"1"')
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"'), answer.text
    _valid(answer.json)
    now = world.parts.requests.get(made.id)
    assert (now.state, now.reason) == (state, "No such patient here" if state is State.DECLINED else "")
    last = world.parts.requests.history(made.id)[-1]
    assert (last.party, last.name) == ("partner", "Kestrel")
    again = world.ask("PUT", f"Task/{made.id}", token, answer.json, If_Match='W/"2"')
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"2"')


def test_a_patch_says_the_same(world: World) -> None:
    made, token = world.request(), world.token("kestrel")

    def patch(*operations: Any, version: int = 1, **headers: str) -> Any:
        return world.ask("PATCH", f"Task/{made.id}", token, list(operations), **{"If_Match": f'W/"{version}"', "Content_Type": "application/json-patch+json"} | headers)

    refused = {
        422: [({"op": "replace", "path": "/owner", "value": {}},), ({"op": "remove", "path": "/status"},), ({"op": "replace", "path": "/status", "value": "stored"},),
              ({"op": "replace", "path": "/status", "value": "completed"},), ({"op": "replace", "path": "/status", "value": "rejected"},),
              ({"op": "replace", "path": "/status", "value": ["accepted"]},), ("x",)],
        412: [({"op": "test", "path": "/status", "value": "received"}, {"op": "replace", "path": "/status", "value": "accepted"})],
        400: [()],
    }  # fmt: skip
    for status, patches in refused.items():
        for operations in patches:
            answer = patch(*operations)
            assert (answer.status_code, _valid(answer.json)["resourceType"]) == (status, "OperationOutcome"), operations
    accept = ({"op": "test", "path": "/status", "value": "requested"}, {"op": "replace", "path": "/status", "value": "accepted"})
    assert patch(*accept, Content_Type="application/json").status_code == 415
    assert patch(*accept, If_Match="").status_code == 400
    assert patch(*accept, version=2).status_code == 412
    assert world.parts.requests.get(made.id).version == 1
    assert patch(*accept).json["status"] == "accepted"
    assert patch(*accept[1:]).status_code == 412, "the version before"
    answer = patch({"op": "replace", "path": "/status", "value": "rejected"}, {"op": "add", "path": "/statusReason", "value": {"text": "Images were destroyed"}}, version=2)
    assert (answer.status_code, answer.json["statusReason"]) == (200, {"text": "Images were destroyed"})


def test_nothing_but_status_can_be_written(world: World) -> None:
    made, token = world.request(), world.token("kestrel")
    task = world.ask("GET", f"Task/{made.id}", token).json
    foreign = {"for": {"reference": "Patient/p2"}, "owner": {"reference": "Organization/brannoc"}, "description": "other", "priority": "stat", "output": [], "extension": [],
               "focus": {"reference": "ServiceRequest/RQ-OTHER"}, "identifier": [], "state": "stored", "id": "RQ-OTHER", "resourceType": "ServiceRequest"}  # fmt: skip
    for name, value in foreign.items():
        answer = world.ask("PUT", f"Task/{made.id}", token, task | {"status": "accepted", name: value}, If_Match='W/"1"')
        assert answer.status_code in (400, 422), name
    for body in (None, [], "x", {}, {"resourceType": "Task"}):
        assert world.ask("PUT", f"Task/{made.id}", token, body, If_Match='W/"1"', Content_Type="application/fhir+json").status_code == 400
    for tag in ("1", 'W/"x"', "*", 'W/"01111111111"'):
        assert world.ask("PUT", f"Task/{made.id}", token, task | {"status": "accepted"}, If_Match=tag).status_code == 400
    now = world.parts.requests.get(made.id)
    assert (now.state, now.version, len(world.parts.requests.history(made.id))) == (State.SENT, 1, 1)


def test_a_partner_cannot_say_that_anything_is_received_or_stored(world: World) -> None:
    made, token = world.request(), world.token("kestrel")
    for version, status in ((1, "completed"), (1, "on-hold"), (1, "draft")):
        task = world.ask("GET", f"Task/{made.id}", token).json
        assert world.ask("PUT", f"Task/{made.id}", token, task | {"status": status}, If_Match=f'W/"{version}"').status_code == 422
    world.parts.requests.act(made.id, Act.RECEIVE, SENDER)
    late = world.ask("GET", f"Task/{made.id}", token).json
    assert (late["status"], late["businessStatus"]["text"]) == ("in-progress", "Files are arriving")
    refused = world.ask("PUT", f"Task/{made.id}", token, late | {"status": "rejected", "statusReason": {"text": "no"}}, If_Match='W/"2"')
    assert refused.status_code == 422
    assert world.parts.requests.get(made.id).state is State.RECEIVING
