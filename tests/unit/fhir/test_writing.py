"""Writes to a FHIR base: what is sent, where it lies according to odd answers, and which no is final."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from smart_app.errors import OutboundError, TimedOut, Unreachable
from smart_app.fhir.client import FhirFailed, FhirMissing, FhirRefused
from smart_app.fhir.writing import Ambiguous, ChangedThere, FhirWriter, NotTaken, Written, will_stay_so
from tests.unit.archives.scripted import Asked, Say, Scripted, fhir, outbound_to, scripted

TASK = {"resourceType": "Task", "status": "requested", "identifier": [{"system": "urn:n", "value": "RQ-1"}]}
HERE: dict[str, Any] = TASK | {"id": "t1", "meta": {"versionId": "4"}}


class Proofs:
    def headers(self) -> dict[str, str]:
        return {"Authorization": "Bearer old"}

    def renewed(self, rejected: Any) -> dict[str, str] | None:
        return {"Authorization": "Bearer new"} if rejected["Authorization"] == "Bearer old" else None


def _writer(server: Scripted, proof: Any = None) -> FhirWriter:
    return FhirWriter(outbound_to(partner_k=server.base), "partner:k", f"{server.base}/fhir", proof, deadline=5)


def _bundle(*resources: dict[str, Any]) -> Say:
    return fhir({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]})


@pytest.mark.parametrize(("answer", "found"), [
    (lambda base: Say(201, b"", {"Location": f"{base}/fhir/Task/t1/_history/4"}), Written("t1", "4", True)),
    (lambda base: Say(201, b"", {"Location": "Task/t1"}), Written("t1", "", True)),
    (lambda base: Say(200, b"", {"Content-Location": "/fhir/Task/t1/_history/4"}), Written("t1", "4", False)),
    (lambda base: fhir(HERE, 201), Written("t1", "4", True)),
    (lambda base: fhir(TASK | {"id": "t1"}, 200, ETag='W/"4"'), Written("t1", "4", False)),
    (lambda base: Say(201, b"", {"Location": "https://elsewhere.example/Patient/p9"}), Written("t1", "4", True)),
    (lambda base: Say(200, b"not json"), Written("t1", "4", False)),
], ids=["location with version", "relative location", "content location", "body", "etag", "elsewhere", "not json"])  # fmt: skip
def test_where_it_lies(answer: Callable[[str], Say], found: Written) -> None:
    with scripted(lambda asked: answer(server.base) if asked.method == "POST" else _bundle(HERE)) as server:
        assert _writer(server).create(TASK, "urn:n|RQ-1") == found
        first = server.asked[0]
        assert (first.path, first.headers["if-none-exist"], json.loads(first.body)) == ("/fhir/Task", "identifier=urn:n|RQ-1", TASK)


@pytest.mark.parametrize(("status", "error", "final"), [
    (400, NotTaken, True), (401, FhirRefused, True), (403, FhirRefused, True), (404, FhirMissing, False), (409, FhirFailed, False), (412, Ambiguous, True), (422, NotTaken, True),
    (429, FhirFailed, False), (500, FhirFailed, False), (503, FhirFailed, False), (302, NotTaken, True),
])  # fmt: skip
def test_each_no(status: int, error: type[OutboundError], final: bool) -> None:
    with scripted(lambda asked: Say(status, b"", {"Location": "http://127.0.0.1:1/"})) as server:
        for write in (lambda: _writer(server).create(TASK, "urn:n|RQ-1"), lambda: _writer(server).transaction({"urn:uuid:1": (TASK, "urn:n|RQ-1")})):
            with pytest.raises(error) as caught:
                write()
            assert will_stay_so(caught.value) == final
        assert len(server.asked) == 2, "no write is repeated by itself"


def test_silence_may_pass() -> None:
    assert not will_stay_so(TimedOut())
    assert not will_stay_so(Unreachable())


@pytest.mark.parametrize(("held", "found"), [
    ([HERE], "t1"), ([], None), ([HERE, HERE], "t1"), ([HERE | {"identifier": [{"system": "urn:other", "value": "RQ-1"}]}], None),
    ([HERE | {"resourceType": "Patient"}], None), ([HERE | {"identifier": {"system": "urn:n", "value": "RQ-1"}}], None), ([HERE | {"id": 5}], None),
], ids=str)  # fmt: skip
def test_only_what_carries_our_identifier_is_found(held: list[dict[str, Any]], found: str | None) -> None:
    with scripted(lambda asked: _bundle(*held)) as server:
        there = _writer(server).find("Task", "urn:n|RQ-1")
        assert (there.id if there else None) == found


def test_two_are_not_chosen_from() -> None:
    with scripted(lambda asked: _bundle(HERE, HERE | {"id": "t2"})) as server, pytest.raises(Ambiguous):
        _writer(server).find("Task", "urn:n|RQ-1")


def test_an_update_names_its_version_and_a_401_is_tried_with_a_fresh_token() -> None:
    def answer(asked: Asked) -> Say:
        return Say(401) if asked.headers["authorization"] == "Bearer old" else fhir(HERE)

    with scripted(answer) as server:
        assert _writer(server, Proofs()).update("Task", "t1", TASK, "3").id == "t1"
        assert [(asked.headers["authorization"], asked.headers["if-match"]) for asked in server.asked] == [("Bearer old", 'W/"3"'), ("Bearer new", 'W/"3"')]
        assert json.loads(server.asked[1].body)["id"] == "t1"
    for status in (409, 412):
        with scripted(lambda asked, status=status: Say(status)) as server, pytest.raises(ChangedThere):
            _writer(server).update("Task", "t1", TASK, "3")


@pytest.mark.parametrize("body", [{}, {"entry": []}, {"entry": [{"response": {"status": "201", "location": "Patient/p1"}}]}, {"entry": ["x"]}, {"entry": [{"response": {"status": "201", "location": 5}}]}], ids=str)
def test_a_transaction_that_does_not_say_where_is_looked_up(body: dict[str, Any]) -> None:
    with scripted(lambda asked: fhir({"resourceType": "Bundle", **body}) if asked.method == "POST" else _bundle(HERE)) as server:
        assert _writer(server).transaction({"urn:uuid:1": (TASK, "urn:n|RQ-1")})["urn:uuid:1"].id == "t1"
        sent = json.loads(server.asked[0].body)
        assert (server.asked[0].path, sent["entry"][0]["request"]) == ("/fhir", {"method": "POST", "url": "Task", "ifNoneExist": "identifier=urn:n|RQ-1"})
