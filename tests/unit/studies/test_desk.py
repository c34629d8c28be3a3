"""What a help desk is told of a source: everything it needs, nothing of the patient."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from smart_app.archives.types import Answer, PatientId, SourceState, StudyRecord
from smart_app.sources.base import Named
from smart_app.studies.desk import last_words, lines_of, with_desk
from smart_app.studies.strip import strip_of

NOW = datetime(2026, 5, 21, 10, 14, 2, tzinfo=UTC)
HALE = Named("hale", "Harrow Vale", "Harrow Vale Clinic", "DICOMweb archive", "pacs.harrowvale.example")


def told(state: SourceState, **fields: Any) -> Answer:
    return Answer("hale", "Harrow Vale", "Harrow Vale Clinic", state, asked_at=NOW, answered_at=NOW + timedelta(seconds=1.52), **fields)


def lines(answer: Answer | None, last: datetime | None = None, whole: bool = False) -> dict[str, str]:
    return dict(lines_of(HALE, answer, last, whole))


def test_a_failure_with_all_that_is_known() -> None:
    found = lines(told(SourceState.FAILED, fault_code="failed", http=502, reference="HV-7Q2M"))
    assert found["Source"] == "Harrow Vale (hale)"
    assert (found["Kind"], found["Host"]) == ("DICOMweb archive", "pacs.harrowvale.example")
    assert (found["State"], found["Fault"], found["HTTP status"], found["Reference"]) == ("failed", "failed", "502 (5xx)", "HV-7Q2M")
    assert found["Took"] == "1.52 s"
    assert found["Last answered"] == "never, as far as is known here"
    assert "21 May 2026" in found["Asked"]
    assert "Answered" not in found


@pytest.mark.parametrize(
    ("answer", "state", "incomplete"),
    [
        (told(SourceState.PARTIAL, more_exist=True), "answered in part", "more exist"),
        (told(SourceState.OK, withheld=2, unreadable=1), "answered in part", "2 withheld, 1 unreadable"),
        (told(SourceState.EMPTY, not_approved=("https://x",)), "answered in part", "not approved: https://x"),
    ],
)
def test_what_is_not_whole_never_reads_as_answered_in_full(answer: Answer, state: str, incomplete: str) -> None:
    found = lines(answer)
    assert (found["State"], found["Incomplete"]) == (state, incomplete)


def test_a_whole_answer_and_one_that_is_awaited() -> None:
    assert lines(told(SourceState.OK), whole=True)["State"] == "answered in full"
    assert lines(None, NOW)["State"] == "being asked"
    assert "Asked" not in lines(told(SourceState.NO_IDENTIFIER))


def test_nothing_of_the_patient_is_in_it() -> None:
    record = StudyRecord("2.25.1", "hale", "Harrow Vale", "hale", PatientId("CANARY-ID", "X"), description="CANARY", accession="CANARY", retrieve="https://CANARY")
    assert "CANARY" not in str(lines(told(SourceState.OK, studies=(record,), notes=("CANARY",), withheld_studies=("CANARY",))))


@pytest.mark.parametrize(
    ("ago", "words"), [(timedelta(minutes=30), "today"), (timedelta(days=1), "yesterday"), (timedelta(days=9), "on 12 May 2026 at")]
)
def test_when_it_last_answered_in_words(ago: timedelta, words: str) -> None:
    then = NOW - ago
    assert last_words(then, NOW) == f"It last answered {words} {then.astimezone():%H:%M}."
    assert last_words(None, NOW) == ""


@pytest.mark.parametrize("state", [state for state in SourceState if state is not SourceState.ASKING])
def test_only_a_source_that_failed_says_when_it_last_answered(state: SourceState) -> None:
    answers = {"hale": told(state)}
    (chip,) = with_desk(strip_of((HALE,), answers, frozenset(), 0), (HALE,), answers, {"hale": NOW - timedelta(hours=2)}, NOW).chips
    failed = state not in {SourceState.OK, SourceState.EMPTY, SourceState.PARTIAL, SourceState.NO_IDENTIFIER}
    assert bool(chip.last) is failed
    assert chip.desk
