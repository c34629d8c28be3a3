"""Every way in which a chart may not be as it was, and every way in which an EHR may not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from launch.errors import EhrSilent, SignInRefused, UnknownIssuer
from smart_app.archives.types import PatientId
from smart_app.errors import Side, TimedOut, Unreachable
from smart_app.fhir.client import FhirFailed, FhirMissing, FhirRefused
from smart_app.fhir.patient import Identifier, PatientFacts
from smart_app.intake.chart_now import FAULTS, LOOK_HOLDS, REFUSED, SILENT, Became, NotTold, Now, differences, look, look_holds, sentence
from tests.unit.intake.hospital import PATIENT, Ehr, facts_of

NUMBERS = facts_of(PATIENT).identifiers


def seen(**changes: Any) -> Now:
    ehr = Ehr()
    ehr.charts["p1"] = facts_of(PATIENT, **changes)
    return look(PATIENT, ehr.read, {"urn:northgate", "urn:lakeside", "urn:kestrel"})


def test_a_chart_that_is_as_it_was() -> None:
    assert seen() == Now(Became.SAME, PATIENT)
    assert seen(telephone="0555 0199", address="1 Mill Lane").became is Became.SAME, "people move"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"birth_date": "1966-11-30"}, "birth date was 1966-10-30, is 1966-11-30"),
        ({"birth_date": None}, "birth date was 1966-10-30, is not given"),
        ({"family": "OKONJO-BELL", "name": "OKONJO-BELL, Grace Adaeze"}, "family name was OKONJO, is OKONJO-BELL"),
        ({"given": "Gloria", "name": "OKONJO, Gloria"}, "given name was Grace Adaeze, is Gloria"),
        ({"sex": "Male"}, "sex was Female, is Male"),
        ({"mrn": "40018335"}, "MRN was 40018334, is 40018335"),
        ({"identifiers": NUMBERS[:1]}, "number LK-77 is no longer the chart’s"),
        ({"identifiers": (replace(NUMBERS[0], use="old"), NUMBERS[1])}, "number 40018334 is no longer the chart’s"),
        ({"identifiers": (*NUMBERS, Identifier("urn:kestrel", "K-1"))}, "number K-1 is new in the chart"),
        ({"identifiers": (*NUMBERS, Identifier("urn:lakeside", "LK-78"))}, "number LK-78 is new in the chart"),
    ],
)
def test_what_changed_is_said_and_the_chart_as_it_is_now_is_handed_on(changes: dict[str, Any], words: str) -> None:
    now = seen(**changes)
    assert (now.became, now.words) == (Became.CHANGED, (words,))
    assert now.patient is not None
    assert now.patient.birth_date == changes.get("birth_date", PATIENT.birth_date)
    assert words in sentence(now)
    assert seen_again(now) is Became.SAME, "once it is taken over, it is as it was"


def seen_again(now: Now) -> Became:
    """The chart stays as it is, and is compared with itself."""
    assert now.patient is not None
    ehr = Ehr()
    ehr.charts["p1"] = facts_of(now.patient)
    return look(now.patient, ehr.read, {"urn:kestrel"}).became


def test_a_further_number_that_no_archive_knows_changes_nothing() -> None:
    assert not differences(PATIENT, replace(PATIENT, identifiers=(*PATIENT.identifiers, PatientId("77", "urn:insurance"))), {"urn:kestrel"})


def test_a_chart_out_of_use_or_taken_out() -> None:
    assert seen(active=False).became is Became.INACTIVE
    ehr = Ehr()
    ehr.charts["p1"] = FhirMissing()
    assert look(PATIENT, ehr.read).became is Became.GONE


def test_a_merge_is_followed_to_the_chart_in_use_and_names_it() -> None:
    ehr = Ehr()
    ehr.charts |= {"p1": facts_of(PATIENT, replaced_by="p2"), "p2": facts_of(PATIENT, id="p2", replaced_by="p3"), "p3": facts_of(PATIENT, id="p3", mrn="9")}
    now = look(PATIENT, ehr.read)
    assert now.became is Became.REPLACED
    assert now.patient is not None
    assert (now.patient.id, now.patient.issuer, now.patient.mrn) == ("p3", "northgate", "9")
    assert "merged into another: that of OKONJO, Grace Adaeze, born 1966-10-30, MRN 9" in sentence(now)


@pytest.mark.parametrize(
    "others",
    [
        {"p1": facts_of(PATIENT, replaced_by="unknown")},
        {"p1": facts_of(PATIENT, replaced_by="p1")},
        {"p1": facts_of(PATIENT, replaced_by="p2"), "p2": facts_of(PATIENT, id="p2", replaced_by="p1")},
        {"p1": facts_of(PATIENT, replaced_by="p2"), "p2": facts_of(PATIENT, id="p2", active=False)},
        {"p1": facts_of(PATIENT, replaced_by="p2"), "p2": None},
        {f"p{at}": facts_of(PATIENT, id=f"p{at}", replaced_by=f"p{at + 1}") for at in range(1, 40)},
    ],
    ids=["unnamed", "itself", "in a circle", "not in use", "not readable", "without end"],
)
def test_a_merge_into_nobody_that_can_be_named(others: dict[str, PatientFacts | None]) -> None:
    ehr = Ehr()
    ehr.charts |= others
    now = look(PATIENT, ehr.read)
    assert (now.became, now.patient) == (Became.REPLACED, None)
    assert "does not name" in sentence(now)
    assert len(ehr.reads) < 10


def test_a_retired_chart_that_is_also_out_of_use_is_told_as_merged() -> None:
    assert seen(active=False, replaced_by="p9").became is Became.REPLACED


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (TimedOut(), SILENT), (Unreachable(), SILENT), (FhirFailed(500), SILENT), (FhirFailed(), SILENT), (EhrSilent(), SILENT),
        (FhirRefused(), REFUSED), (SignInRefused("invalid_client"), REFUSED), (UnknownIssuer("x"), REFUSED),
    ],
    ids=repr,
)  # fmt: skip
def test_an_ehr_that_does_not_tell_proves_nothing(error: Exception, fault: object) -> None:
    ehr = Ehr()
    for charts in ({"p1": error}, {"p1": facts_of(PATIENT, replaced_by="p2"), "p2": error}):
        ehr.charts |= charts  # type: ignore[arg-type]
        with pytest.raises(NotTold) as found:
            look(PATIENT, ehr.read)
        assert found.value.fault is fault
    assert SILENT.side is REFUSED.side is Side.EHR


def test_a_person_s_own_look_holds_for_an_hour_where_priors_cannot_read() -> None:
    ehr = Ehr()
    ehr.charts["p1"] = None
    assert look(PATIENT, ehr.read).became is Became.UNREAD
    at = datetime(2026, 3, 4, 12, tzinfo=UTC)
    assert look_holds(at, at + LOOK_HOLDS)
    assert look_holds(at, at - timedelta(minutes=1)), "the clocks of two machines"
    assert not look_holds(at, at + LOOK_HOLDS + timedelta(seconds=1))
    assert not look_holds(at, at - timedelta(days=1)), "a clock that jumped"
    assert not look_holds(None, at)


def test_everything_that_stops_has_its_words() -> None:
    for became in Became:
        if became is not Became.SAME:
            assert sentence(Now(became, PATIENT, ("x",)))
            assert FAULTS[became].title.endswith("stored.")
