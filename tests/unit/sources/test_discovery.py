"""A patient without an identifier there is found by index or demographics; only certainty is asked with, the rest waits."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from launch.context import LaunchContext, User
from smart_app.archives.demographics import by_demographics
from smart_app.archives.qido import Qido
from smart_app.archives.registry import Archives
from smart_app.archives.types import Answer, PatientId, SourceState
from smart_app.config_archives import Archive
from smart_app.fhir.patient import Identifier, PatientFacts
from smart_app.identity import people
from smart_app.identity.rulings import Ruling, State, key_of_candidate
from smart_app.sources.base import Inquiry
from smart_app.sources.dicomweb import ArchiveSource
from smart_app.sources.discovery import Discovery
from tests.functional.listing_world import study
from tests.unit.archives.scripted import Asked, Say, Scripted, outbound_to, rows, scripted
from tests.unit.fhir.test_matching import bundle, entry, parameters

NOW = datetime(2026, 5, 21, tzinfo=UTC)
CONTEXT = LaunchContext("h" * 32, "n", "https://e.org", User("https://e.org", "dr"), "p1", None, frozenset(), NOW, NOW + timedelta(hours=1))
FACTS = PatientFacts("p1", "MARCHETTI, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female", (Identifier("urn:n", "407"), Identifier("urn:x", "000000")))


@dataclass
class Town:
    server: Scripted
    answers: dict[str, Callable[[Asked], Say] | Say]
    rulings: tuple[Ruling, ...] = ()

    def ask(self, facts: PatientFacts = FACTS, seconds: float = 5, **discovery: Any) -> Answer:
        base = self.server.base
        settings = Archive.model_validate(
            {"key": "k", "name": "Kestrel", "dicomweb": f"{base}/rs", "patient_id_issuer": "K", "identifier_systems": ["urn:k"], "allow_http": True,
             "discovery": {"pix": f"{base}/pix", "match": f"{base}/mpi", **discovery}}
        )  # fmt: skip
        (archive,) = Archives([settings], read_secret=lambda ref: "")
        outbound = outbound_to(archive_k=base)
        qido = Qido(outbound, lambda: NOW)
        source = ArchiveSource(archive, qido, lambda: NOW, lambda context: self.rulings, Discovery(archive, qido, outbound))
        (question,) = source.questions(Inquiry(CONTEXT, facts, None))  # type: ignore[arg-type]
        return question.call(seconds)

    @property
    def asked(self) -> list[str]:
        return [f"{one.path.rpartition('/')[2]} {one.one('PatientID') or one.one('PatientName') or ''}".strip() for one in self.server.asked]


@contextmanager
def town(**answers: Callable[[Asked], Say] | Say) -> Any:
    def answer(asked: Asked) -> Say:
        kind = ({"$ihe-pix": "pix", "$match": "match"}.get(asked.path.rpartition("/")[2], "name" if asked.one("PatientName") else "studies"))
        found = answers.get(kind, {"pix": Say(404), "match": bundle()}.get(kind, Say(204)))
        return found(asked) if callable(found) else found

    with scripted(answer) as server:
        yield Town(server, answers)


def of(patient_id: str, **fields: Any) -> Callable[[Asked], Say]:
    return lambda asked: rows(study("2.25.1", patient_id, **fields)) if asked.one("PatientID") == patient_id and asked.one("offset") == "0" else Say(204)


def test_an_identifier_in_the_chart_asks_no_index() -> None:
    with town(studies=of("K-1")) as made:
        answer = made.ask(replace(FACTS, identifiers=(Identifier("urn:k", "K-1"),)))
        assert (len(answer.studies), made.asked[0]) == (1, "studies K-1")


def test_pix_gives_the_identifier_and_rows_are_judged_all_the_same() -> None:
    with town(pix=parameters({"system": "urn:k", "value": "K-1"}), studies=of("K-1")) as made:
        answer = made.ask()
        assert ([one.uid for one in answer.studies], answer.state, made.asked[0]) == (["2.25.1"], SourceState.OK, "$ihe-pix")
    with town(pix=parameters({"system": "urn:k", "value": "K-1"}), studies=of("K-1", born="19740405")) as made:
        answer = made.ask()
        assert (answer.studies, [one.why for one in answer.candidates]) == ((), ["birth-date"])


@pytest.mark.parametrize("identifier", [{"system": "urn:k", "value": "*"}, {"system": "urn:k", "value": "000000"}, {"system": "urn:elsewhere", "value": "K-1"}])
def test_what_pix_may_not_give_is_not_asked_with(identifier: dict[str, str]) -> None:
    with town(pix=parameters(identifier), match=bundle(), studies=of("K-1")) as made:
        assert made.ask().state is SourceState.NO_IDENTIFIER
        assert not [one for one in made.asked if one.startswith("studies")]


def test_placeholders_of_the_chart_are_not_sent_to_pix() -> None:
    with town(pix=Say(404)) as made:
        made.ask()
        assert [one.one("sourceIdentifier") for one in made.server.asked if one.path.endswith("$ihe-pix")] == ["urn:n|407"]


def test_a_single_certain_match_is_asked_with_and_vouches_for_silence() -> None:
    with town(match=bundle(entry(), entry("possible", identifier=[{"system": "urn:k", "value": "K-7"}])), studies=of("K-1", born=None, sex=None)) as made:
        answer = made.ask()
        assert [one.uid for one in answer.studies] == ["2.25.1"]
        assert [(one.patient_id.value, one.grade) for one in answer.candidates] == [("K-7", "possible")]


@pytest.mark.parametrize(("entries", "waiting"), [
    ([entry(), entry(identifier=[{"system": "urn:k", "value": "K-2"}])], {"K-1", "K-2"}), ([entry("probable")], {"K-1"}), ([entry(birthDate="1951-09-08")], {"K-1"}), ([entry(gender="male")], {"K-1"}),
    ([entry(active=False)], {"K-1"}), ([entry(identifier=[{"system": "urn:k", "value": "K-1"}, {"system": "urn:k", "value": "K-2"}])], {"K-1", "K-2"}),
    ([entry(identifier=[{"system": "urn:k", "value": "K-1"}, {"system": "urn:n", "value": "408"}])], {"K-1"}), ([entry("certainly-not")], set()), ([entry("certain", identifier=[])], set()),
    ([entry("sure")], set()),
])  # fmt: skip
def test_anything_else_waits_and_shows_number_and_years_only(entries: list[Any], waiting: set[str]) -> None:
    with town(match=bundle(*entries), studies=of("K-1", day="20190304")) as made:
        answer = made.ask()
        assert answer.studies == ()
        assert {one.patient_id.value for one in answer.candidates} == waiting
        assert {(one.study_count, one.years) for one in answer.candidates if one.patient_id.value == "K-1"} <= {(1, ("2019",))}
        assert answer.state is (SourceState.EMPTY if waiting else SourceState.NO_IDENTIFIER)


def test_a_certain_one_of_an_answer_that_is_cut_waits() -> None:
    with town(match=bundle(entry(), total=3), studies=of("K-1")) as made:
        answer = made.ask()
        assert (len(answer.candidates), answer.more_exist) == (1, True)


def test_demographics_are_the_last_resort_and_never_link() -> None:
    found = rows(study("2.25.1", "K-1", name="MARCHETTI^ROSALIND", day="20190304"), study("2.25.2", "K-1", name="MARCHETTI^ROSALIND", day="20210304"), study("2.25.3", "K-2", name="MARCHETTI^ROSALIND", sex="M"),
                 study("2.25.4", "K-3", name="MARCHESI^ANTONIA"), study("x", "K-4"), "junk")  # fmt: skip
    with town(match=bundle(), name=found) as made:
        answer = made.ask(demographics=True)
        assert {(one.patient_id.value, one.study_count, one.years) for one in answer.candidates} == {("K-1", 2, ("2019", "2021")), ("K-2", 1, ("2026",))}
        assert (answer.studies, answer.state) == ((), SourceState.EMPTY)
        (asked,) = [one for one in made.server.asked if one.one("PatientName")]
        assert (asked.one("PatientName"), asked.one("PatientBirthDate")) == ("Marchetti*", "19510809")
        made.server.asked.clear()
        assert made.ask().state is SourceState.NO_IDENTIFIER
        assert not [one for one in made.server.asked if one.one("PatientName")], "only where it is switched on"


@pytest.mark.parametrize("facts", [replace(FACTS, birth_date=None), replace(FACTS, birth_date="1900-01-01"), replace(FACTS, birth_date="1951"), replace(FACTS, family="*"), replace(FACTS, family="")])
def test_demographics_that_are_none_are_not_searched_with(facts: PatientFacts) -> None:
    with town(match=bundle(), name=rows(study("2.25.1", "K-1"))) as made:
        assert made.ask(facts, demographics=True).candidates == ()
        assert not [one for one in made.server.asked if one.one("PatientName")]


def test_a_failed_index_is_a_failed_source_unless_another_way_found_somebody() -> None:
    with town(pix=Say(500), match=Say(500)) as made:
        answer = made.ask()
        assert (answer.state, answer.fault_code) == (SourceState.FAILED, "failed")
    with town(pix=Say(403), match=bundle()) as made:
        assert made.ask().state is SourceState.REFUSED
    with town(pix=Say(500), match=bundle(entry("probable"))) as made:
        answer = made.ask()
        assert (answer.state, len(answer.candidates)) == (SourceState.PARTIAL, 1)
    with town(pix=Say(500), match=bundle(entry()), studies=of("K-1")) as made:
        answer = made.ask()
        assert (answer.state, len(answer.studies)) == (SourceState.PARTIAL, 1)


def test_a_hung_index_leaves_time_for_the_others() -> None:
    with town(pix=Say(hang=9), match=bundle(entry("probable"))) as made:
        assert len(made.ask(seconds=1).candidates) == 1


def test_what_a_person_decided_is_used_next_time() -> None:
    with town(match=bundle(entry("probable")), studies=of("K-1")) as made:
        (candidate,) = made.ask().candidates
        ruling = Ruling("r" * 32, key_of_candidate("k", candidate), State.CONFIRMED, people.standing(FACTS), candidate)
        made.rulings = (ruling,)
        answer = made.ask()
        assert ([one.links for one in answer.studies], answer.candidates, answer.state) == ([("r" * 32,)], (), SourceState.OK)
        made.rulings = (replace(ruling, state=State.REJECTED),)
        answer = made.ask()
        assert (answer.studies, answer.candidates) == ((), ())
        made.rulings = (ruling,)
        assert made.ask(replace(FACTS, links=("replaces Patient/7",))).studies == ()


def test_records_of_a_page_that_is_full_may_hide_more() -> None:
    with town(name=rows(*[study(f"2.25.{number}", f"K-{number}", name="MARCHETTI^ROSALIND") for number in range(1, 101)])) as made:
        answer = made.ask(demographics=True, match=None, pix=None)
        assert (len(answer.candidates), answer.more_exist) == (8, True)


def test_demographics_group_by_record() -> None:
    with scripted(lambda asked: rows(study("2.25.1", "7", born="19510809"), study("2.25.2", "7", born="19510908"), study("2.25.3", "7", issuer="OTHER"))) as server:
        (archive,) = Archives([Archive(key="k", name="K", dicomweb=server.base, patient_id_issuer="K", identifier_systems=("urn:k",))], read_secret=lambda ref: "")
        found = by_demographics(Qido(outbound_to(archive_k=server.base), lambda: NOW), archive, "Marchetti", "1951-08-09", None, 5)
        assert [(one.patient_id, one.said.birth_date) for one in found.records] == [(PatientId("7", "K"), "19510809"), (PatientId("7", "K"), "19510908"), (PatientId("7", "OTHER"), "19510809")]
