"""A patient index is believed only as far as its answer goes: odd entries, grades and faults cost certainty, never a crash."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from smart_app.errors import OutboundError, TimedOut
from smart_app.fhir.matching import GRADE, PatientIndex
from smart_app.fhir.patient import HumanName, Identifier, PatientFacts
from tests.unit.archives.scripted import Asked, Say, fhir, outbound_to, scripted

FACTS = PatientFacts(
    "p1", "MARCHETTI, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female", (Identifier("urn:n", "407"), Identifier("urn:n", "9", use="old"), Identifier(None, "3")),
    names=(HumanName("Marchetti", "Rosalind Jane", use="official"), HumanName(text="Rosa M")),
)  # fmt: skip


class Proof:
    def first(self) -> Mapping[str, str]:
        return {"Authorization": "Bearer old"}

    def after_401(self, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        return {"Authorization": "Bearer new"} if rejected["Authorization"].endswith("old") else None


def entry(grade: Any = "certain", **fields: Any) -> dict[str, Any]:
    resource = {"resourceType": "Patient", "identifier": [{"system": "urn:k", "value": "K-1"}], "name": [{"family": "Marchetti", "given": ["Rosalind"]}], "birthDate": "1951-08-09", "gender": "female"}
    return {"resource": resource | fields, "search": {"score": 0.9, "extension": [{"url": GRADE, "valueCode": grade}]}}


def bundle(*entries: Any, **fields: Any) -> Say:
    return fhir({"resourceType": "Bundle", "type": "searchset", "entry": list(entries), **fields})


def ask(say: Say | Callable[[Asked], Say], seconds: float = 5) -> tuple[Any, list[Asked]]:
    with scripted(say if callable(say) else lambda asked: say) as server:
        return PatientIndex(outbound_to(archive_k=server.base), "archive:k").match(f"{server.base}/fhir/", Proof(), FACTS, seconds), server.asked


def test_the_question_holds_what_the_chart_says_and_no_retired_number() -> None:
    found, (asked,) = ask(bundle(entry()))
    assert (asked.method, asked.path, asked.headers["content-type"]) == ("POST", "/fhir/Patient/$match", "application/fhir+json")
    parameters = {one["name"]: one for one in json.loads(asked.body)["parameter"]}
    assert parameters["onlyCertainMatches"]["valueBoolean"] is False
    resource = parameters["resource"]["resource"]
    assert resource["identifier"] == [{"system": "urn:n", "value": "407"}]
    assert (resource["birthDate"], resource["gender"], resource["name"][0]["given"]) == ("1951-08-09", "female", ["Rosalind", "Jane"])
    (one,) = found.entries
    assert (one.grade, one.score, one.active, one.identifiers, found.whole) == ("certain", 0.9, True, (("urn:k", "K-1"),), True)


@pytest.mark.parametrize("grade", ["CERTAIN", "sure", None, 1, ["certain"], {"a": 1}])
def test_a_grade_of_its_own_is_none(grade: Any) -> None:
    assert ask(bundle(entry(grade)))[0].entries[0].grade is None


def test_two_grades_are_none() -> None:
    both = entry()
    both["search"]["extension"] *= 1
    both["search"]["extension"].append({"url": GRADE, "valueCode": "probable"})
    assert ask(bundle(both))[0].entries[0].grade is None


@pytest.mark.parametrize("say", [
    bundle(entry(), total=2), bundle(entry(), link=[{"relation": "next", "url": "x"}]), bundle(entry(), "junk"), bundle(entry(), {"resource": {"resourceType": "Person"}}), bundle(*[entry()] * 20),
])  # fmt: skip
def test_an_answer_that_may_hide_another_is_not_whole(say: Say) -> None:
    assert ask(say)[0].whole is False


@pytest.mark.parametrize("fields", [{"active": False}, {"link": [{"type": "replaced-by", "other": {"reference": "Patient/2"}}]}])
def test_a_deprecated_record_says_so(fields: dict[str, Any]) -> None:
    assert ask(bundle(entry(**fields)))[0].entries[0].active is False


@pytest.mark.parametrize("fields", [
    {"name": None}, {"name": "x"}, {"name": [None, {"family": 7, "given": "R"}]}, {"birthDate": "soon"}, {"birthDate": 7}, {"identifier": "K"}, {"identifier": [{"value": None}]}, {"gender": []},
    {"address": [7]}, {"telecom": "x"},
])  # fmt: skip
def test_odd_fields_cost_themselves(fields: dict[str, Any]) -> None:
    assert len(ask(bundle(entry(**fields)))[0].entries) == 1


def test_outcomes_and_an_empty_answer() -> None:
    found, _ = ask(bundle(entry(), {"resource": {"resourceType": "OperationOutcome"}}))
    assert (len(found.entries), found.whole) == (1, True)
    found, _ = ask(fhir({"resourceType": "Bundle", "total": 0}))
    assert (found.entries, found.whole) == ((), True)


@pytest.mark.parametrize("say", [Say(500), Say(403), Say(404), Say(200, b"<html>"), Say(200, b"[" * 100_000), fhir([]), fhir({"resourceType": "Patient"}), Say(302, headers={"Location": "https://evil.example/"}),
                                 Say(200, b"{", announce=10)])  # fmt: skip
def test_faults_are_told(say: Say) -> None:
    with pytest.raises(OutboundError):
        ask(say)


def test_a_silent_index_ends_at_the_deadline() -> None:
    with pytest.raises(TimedOut):
        ask(Say(hang=5), seconds=0.3)


def test_a_401_is_tried_once_more() -> None:
    _, asked = ask(lambda asked: bundle() if asked.headers["authorization"].endswith("new") else Say(401))
    assert [one.headers["authorization"] for one in asked] == ["Bearer old", "Bearer new"]
    with pytest.raises(OutboundError):
        ask(Say(401))


def cross(say: Say) -> tuple[Any, list[Asked]]:
    with scripted(lambda asked: say) as server:
        return PatientIndex(outbound_to(archive_k=server.base), "archive:k").cross(f"{server.base}/pix", Proof(), ("urn:n", "407"), ("urn:k",), 5), server.asked


def parameters(*identifiers: Any) -> Say:
    told = [{"name": "targetIdentifier", "valueIdentifier": one} for one in identifiers]
    return fhir({"resourceType": "Parameters", "parameter": [*told, {"name": "targetId", "valueReference": {"reference": "Patient/1"}}, "junk"]})


def test_pix_gives_identifiers_of_the_namespace_asked_for_only() -> None:
    said = parameters({"system": "urn:k", "value": "K-1"}, {"system": "urn:other", "value": "K-2"}, {"value": "K-3"}, {"system": "urn:k"}, {"system": "urn:k", "value": "K-4", "use": "old"}, "x")
    found, (asked,) = cross(said)
    assert found == (("urn:k", "K-1"),)
    assert (asked.path, asked.one("sourceIdentifier"), asked.one("targetSystem")) == ("/pix/Patient/$ihe-pix", "urn:n|407", "urn:k")


def test_pix_that_knows_nobody_is_no_fault_and_other_answers_are() -> None:
    assert cross(Say(404))[0] == ()
    assert cross(fhir({"resourceType": "Parameters"}))[0] == ()
    for say in (Say(500), fhir({"resourceType": "Bundle"}), Say(200, b"x")):
        with pytest.raises(OutboundError):
            cross(say)
