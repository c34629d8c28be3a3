"""rules, rulebook, readiness and records: hostile data makes less of a case, never more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from smart_app.preop import records
from smart_app.preop.asking import prefill_of
from smart_app.preop.readiness import Known, State, Verdict, assess, finding
from smart_app.preop.rulebook import WrongRules, read
from smart_app.preop.rules import asked_of
from smart_app.preop.types import Case, Coded, Note, Said
from smart_app.studies.rows import StudyRow

RULES = read(None)
NOW = datetime(2026, 5, 21, 15, 40, tzinfo=UTC)
CABG = Coded("http://snomed.info/sct", "232717009")
CASE = Case("Appointment/a", "p1", "CABG", datetime(2026, 5, 22, 7, 45, tzinfo=UTC), (CABG,))
ASKED = asked_of(CASE.codes, (), RULES)


def row(modality: str, region: str, day: str = "2026-05-01", **more: Any) -> StudyRow:
    made = StudyRow(
        uid=f"{modality}.{region}.{day}", archive="northgate", sort=day, date=day, iso_date=day, when="", modality=modality, modalities=(modality,), title=more.pop("title", region),
        hospital="Northgate", regions=(region,), count="3 series", count_state="whole", report="Final", sources=(),
    )  # fmt: skip
    return replace(made, **more)


ECHO, CATH, CHEST = row("US", "Heart"), row("XA", "Heart", title="Coronary angiogram"), row("DX", "Chest")
WHOLE = Known((ECHO, CATH, CHEST), sources=3)


def test_all_here_and_all_answered_is_ready() -> None:
    assert assess(CASE, ASKED, WHOLE, None, NOW).verdict is Verdict.READY
    assert ASKED.because == "Because: CABG; asked: echo within 12 months, coronary angiogram within 12 months, chest X-ray within 3 months."


@pytest.mark.parametrize(
    "known",
    [
        replace(WHOLE, silent=("Ferrybank",)), replace(WHOLE, waiting=1), replace(WHOLE, hidden=1), replace(WHOLE, history=False),
        replace(WHOLE, rows=(ECHO, CATH, replace(CHEST, count_state="part"))), replace(WHOLE, rows=(ECHO, CATH, replace(CHEST, count_state="unknown"))),
        replace(WHOLE, rows=(ECHO, CATH, row("DX", "Chest", "2025-08-01"))), replace(WHOLE, rows=(ECHO, CATH, row("DX", "Chest", ""))),
        replace(WHOLE, rows=(*WHOLE.rows, row("US", "Heart", "2026-05-20", archive=None, kind="known"))),
    ],
)  # fmt: skip
def test_whatever_is_not_known_makes_it_look_first(known: Known) -> None:
    assert assess(CASE, ASKED, known, None, NOW).verdict is Verdict.LOOK


@pytest.mark.parametrize("echo", [(), (row("US", "Heart", archive=None),), (row("US", "Heart", archive=None, kind="known"),), (row("OT", "Heart"),), (row("US", "Abdomen"),)])
def test_without_the_echo_it_is_at_risk(echo: tuple[StudyRow, ...]) -> None:
    known = replace(WHOLE, rows=(CATH, CHEST, *echo))
    assert assess(CASE, ASKED, known, None, NOW).verdict is Verdict.RISK


def test_none_is_said_only_when_everybody_answered() -> None:
    want = ASKED.wants[0]
    assert finding(want, Known((), sources=5), NOW.date()).state is State.NONE
    told = finding(want, Known((), ("Ferrybank",), sources=5), NOW.date())
    assert told.state is State.UNSURE
    assert "Ferrybank did not answer" in told.words


def test_no_rule_is_never_ready_and_no_look_is_no_verdict() -> None:
    nothing = asked_of((Coded("", "", "Something else"),), (), RULES)
    assert assess(CASE, nothing, WHOLE, None, NOW).verdict is Verdict.LOOK
    assert assess(CASE, asked_of((), (), RULES), WHOLE, None, NOW).reason == "no rule for this procedure"
    assert assess(CASE, ASKED, None, None, NOW).verdict is Verdict.ASKING


def test_a_cancelled_case_and_an_unread_or_merged_patient_are_said_so() -> None:
    assert assess(replace(CASE, is_off=True), ASKED, WHOLE, None, NOW).verdict is Verdict.CANCELLED
    assert assess(replace(CASE, problem="The patient’s record could not be read"), ASKED, WHOLE, None, NOW).verdict is Verdict.RISK


def test_a_sign_off_stands_for_its_procedure_and_falls_when_something_goes_missing() -> None:
    ready = Note(Said.READY, "Dr Sato", "i", "s", procedure="CABG")
    assert assess(CASE, ASKED, WHOLE, ready, NOW).verdict is Verdict.SIGNED
    assert assess(CASE, ASKED, WHOLE, replace(ready, procedure="Knee"), NOW).verdict is Verdict.LOOK
    assert assess(CASE, ASKED, replace(WHOLE, rows=()), ready, NOW).verdict is Verdict.RISK
    without = Note(Said.WITHOUT, "Dr Sato", "i", "s", "Emergency", ("Echo",), "CABG")
    assert assess(CASE, ASKED, replace(WHOLE, rows=(CATH, CHEST)), without, NOW).reason == "Dr Sato, without echo: Emergency"


def test_two_procedures_ask_for_each_kind_once_with_the_shorter_time() -> None:
    both = asked_of((CABG, Coded("", "", "Aortic valve replacement")), (), RULES)
    assert [one.key for one in both.rules] == ["cabg", "valve"]
    assert {one.kind.key: one.months for one in both.wants}["echo"] == 6


@pytest.mark.parametrize(
    ("code", "is_cabg"),
    [
        (Coded("http://www.ama-assn.org/go/cpt", "33512"), True), (Coded("http://www.ama-assn.org/go/cpt", "33537"), False), (Coded("http://hl7.org/fhir/sid/icd-10-pcs", "02100Z9"), True),
        (Coded("", "33512"), False), (Coded("http://snomed.info/sct", "33512"), False), (Coded("", "", "committee for bypasses"), False),
    ],
)  # fmt: skip
def test_codes_count_in_their_own_system_only(code: Coded, is_cabg: bool) -> None:
    assert any(one.key == "cabg" for one in asked_of((code,), (), RULES).rules) is is_cabg


def test_a_spine_in_the_history_matters_to_neuraxial_anesthesia() -> None:
    hip = Coded("", "", "Hip replacement, left")
    assert "spine" not in [one.kind.key for one in asked_of((hip,), (), RULES).wants]
    assert "spine" in [one.kind.key for one in asked_of((hip,), (Coded("", "", "Lumbar spinal stenosis"),), RULES).wants]


@pytest.mark.parametrize("text", ["", "version: 1", "version: 1\nstudies: {}\nrules:\n - {key: a, title: A, procedure: {words: [abc]}, wants: [{study: nope, months: 1}]}", "- [", "version: 1\nstudies: {e: {title: E, modalities: [US]}}\nrules: [{key: a, title: A, wants: [{study: e, months: 3}]}]"])
def test_half_a_rulebook_is_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    with pytest.raises(WrongRules, match=r"rules\.yaml"):
        read(file)


def appointment(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Appointment", "id": "a", "status": "booked", "serviceCategory": [{"text": "Surgery"}], "description": "CABG", "start": "2026-05-22T07:45:00+02:00",
            "participant": [{"actor": {"reference": "Patient/p1"}}, {"actor": {"display": "OR 4"}}]} | more  # fmt: skip


def test_an_appointment_of_nobody_or_of_two_is_nobodys_case() -> None:
    assert records.planned_of(appointment(participant=[{"actor": {"display": "GRUNWALD, Otto"}}]), "http://ehr/fhir") is None
    assert records.planned_of(appointment(participant=[{"actor": {"reference": f"Patient/{one}"}} for one in "ab"]), "http://ehr/fhir") is None
    assert records.planned_of(appointment(participant=[{"actor": {"reference": "http://other/fhir/Patient/p1"}}]), "http://ehr/fhir") is None


def test_records_that_name_each_other_are_one_case_and_another_patients_order_says_nothing() -> None:
    first = records.planned_of(appointment(basedOn=[{"reference": "ServiceRequest/s"}]), "b")
    assert first is not None
    assert records.is_surgery(first, ())
    again = records.planned_of({"resourceType": "Procedure", "id": "x", "subject": {"reference": "Patient/p1"}, "basedOn": [{"reference": "ServiceRequest/s"}]}, "b")
    assert again is not None
    order = {"resourceType": "ServiceRequest", "id": "s", "subject": {"reference": "Patient/p2"}, "code": {"coding": [{"code": "232717009"}]}}
    joined = records.joined([again, first], {"ServiceRequest/s": order}, "b")
    assert [one.reference for one in joined] == ["Appointment/a"]
    assert not [one for one in joined[0].codes if one.code]


def test_a_request_hangs_on_the_case_only_when_the_chart_names_it() -> None:
    filled = prefill_of(CASE, ASKED.wants[0], None, (), NOW)
    assert (filled.title, filled.modality, filled.anchor, filled.why) == ("Echo", "US", "", "Needed before surgery: CABG")


def test_the_day_of_the_clock_change_has_its_own_length(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    from smart_app.preop.schedule import Day

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        day = Day(date(2026, 3, 29))
        assert (day.ends - day.begins).total_seconds() == 23 * 3600
        assert not day.holds(day.ends)
        assert day.holds(datetime(2026, 3, 29, 21, 59, tzinfo=UTC))
    finally:
        monkeypatch.undo()
        time.tzset()
