"""The join: evidence is of a listed study, or a row of its own; weak evidence never hides a study, and never doubles one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from smart_app.archives.types import Answer, EvidenceRecord, PatientId, SourceState, StudyRecord
from smart_app.sources.base import Named
from smart_app.studies.evidence import Whose, with_evidence
from smart_app.studies.merge import Houses, fold
from smart_app.studies.rows import StudyRow
from smart_app.studies.standing import standing_of

TODAY = date(2026, 5, 21)
SOURCES = (Named("ehr:n", "Chart", "Northgate University"), Named("local", "Northgate", "Northgate University"), Named("kestrel", "Kestrel", "Kestrel Cancer Centre"))
PLACES = {source.key: source.organization for source in SOURCES}
LOCAL = frozenset({"local"})
WHOSE = Whose(frozenset({"northgate university"}), LOCAL, lambda uid: f"t-{uid}", TODAY)


def held(source: str = "local", **fields: Any) -> StudyRecord:
    chart = source.startswith("ehr:")
    base = StudyRecord(
        "2.25.1", source, PLACES[source], None if chart else source, None if chart else PatientId("1", "X"), date="2026-01-12", modalities=("CT",),
        description="CT head without contrast", accession="NG-1", image_count=30,
    )  # fmt: skip
    return replace(base, **fields)


def said(kind: str = "report", **fields: Any) -> EvidenceRecord:
    base = EvidenceRecord(kind, f"{kind}/{len(fields)}{fields.get('title', '')}{fields.get('date', '')}{fields.get('accessions', '')}", "CT head", date="2026-01-12", modalities=("CT",), status="final")
    return replace(base, **fields)


def answer(source: str, *studies: StudyRecord, **fields: Any) -> Answer:
    return Answer(source, source, PLACES.get(source, ""), SourceState.OK if studies else SourceState.EMPTY, studies, **fields)


def listed(studies: list[StudyRecord], evidence: list[EvidenceRecord], **changed: Answer | None) -> dict[str, StudyRow]:
    answers = {key: answer(key, *(one for one in studies if one.source == key)) for key in PLACES}
    answers["ehr:n/reports"] = answer("ehr:n/reports", evidence=tuple(evidence), reports=())
    answers |= {key: one for key, one in changed.items() if one is not None}
    for key in [key for key, one in changed.items() if one is None]:
        del answers[key]
    standing = standing_of(SOURCES, answers, frozenset(), LOCAL)
    rows = with_evidence(fold(answers.values(), Houses({"local": 0, "kestrel": 1}, LOCAL), TODAY), answers.values(), standing, WHOSE)
    return {row.uid: row for row in rows}


SAME = [
    ("its UID", held(), said(studies=("2.25.1",), accessions=("other",), date=None)),
    ("its ImagingStudy", held("ehr:n", fhir_id="ImagingStudy/s1"), said(studies=("ImagingStudy/s1",), date="2020-01-01")),
    ("its order", held("ehr:n", orders=("ServiceRequest/o",)), said("order", reference="ServiceRequest/o", date="2020-01-01", status="completed")),
    ("a report of its order", held("ehr:n", orders=("ServiceRequest/o",)), said(orders=("ServiceRequest/o",), date="2020-01-01")),
    ("its number, at the same hospital", held(), said(accessions=("NG-1",), date="2025-01-01")),
    ("its number, the place said", held("kestrel", accession="K-1"), said(accessions=("K-1",), organization="Kestrel Cancer Centre.", date="2025-01-01")),
    ("its number in another namespace, the same day", held("kestrel", accession="7"), said(accessions=("7",), date="2026-01-13")),
    ("its number under another UID, the same day", held(), said(studies=("2.25.9",), accessions=("NG-1",))),
    ("day, modality and region", held(accession=None), said()),
    ("the same, its number being another hospital's", held("kestrel", accession="KC-4"), said(accessions=("NG-7",))),
    ("a clock in another zone", held(accession=None), said(date="2026-01-13")),
    ("ordered two weeks before", held(accession=None), said("order", date="2025-12-29", dated="ordered", status="completed")),
    ("a letter some days later", held(accession=None), said("document", date="2026-01-16", dated="written")),
    ("only the month is known", held(accession=None), said(date="2026-01")),
    ("modality as DX or XR", held(accession=None, modalities=("DX",), description="Chest PA"), said(title="Chest, 1 view", modalities=("XR",))),
]  # fmt: skip


@pytest.mark.parametrize(("study", "evidence"), [case[1:] for case in SAME], ids=[case[0] for case in SAME])
def test_evidence_of_a_listed_study_adds_no_row(study: StudyRecord, evidence: EvidenceRecord) -> None:
    assert set(listed([study], [evidence])) == {"2.25.1"}


OTHER = [
    ("another UID", held(accession=None), said(studies=("2.25.9",))),
    ("another number of the same hospital, the same day", held(), said(accessions=("NG-2",))),
    ("another number of the sender, the same day", held("kestrel", accession="K-1"), said(accessions=("K-2",), organization="Kestrel Cancer Centre")),
    ("the same number elsewhere, years apart", held("kestrel", accession="7"), said(accessions=("7",), date="2020-01-12")),
    ("another region", held(accession=None), said(title="CT chest")),
    ("another modality", held(accession=None), said(title="MRI head", modalities=("MR",))),
    ("another day", held(accession=None), said(date="2026-01-15")),
    ("no day at all", held(accession=None), said(date=None)),
    ("another technique", held(accession=None), said(title="CT perfusion, head")),
    ("an angiogram", held(accession=None), said(title="CTA head")),
    ("the other side", held(accession=None, description="CT hand left", modalities=("CT",)), said(title="CT hand right")),
    ("ordered after it", held(accession=None), said("order", date="2026-01-20", dated="ordered", status="completed")),
    ("ordered long before", held(accession=None), said("order", date="2025-10-01", dated="ordered", status="completed")),
    ("a letter of before", held(accession=None), said("document", date="2026-01-01", dated="written")),
    ("unknown region", held(accession=None, description="Study", body_parts=()), said()),
]  # fmt: skip


@pytest.mark.parametrize(("study", "evidence"), [case[1:] for case in OTHER], ids=[case[0] for case in OTHER])
def test_evidence_of_another_study_is_a_row_that_can_be_asked_for(study: StudyRecord, evidence: EvidenceRecord) -> None:
    rows = listed([study], [evidence])
    (known,) = [row for uid, row in rows.items() if uid != "2.25.1"]
    assert (known.kind, known.archive, known.count) == ("known", None, "Known, not here")
    assert known.request == f"request?of=t-{known.uid}"
    assert "no source that answered has it." in known.note


def test_two_films_of_one_day_with_one_held_leave_one_known() -> None:
    film = held(modalities=("DX",), description="Chest, 1 view", accession=None)
    reports = [said(title="Chest, 1 view", modalities=("XR",), accessions=(number,)) for number in ("NG-1", "NG-2")]
    rows = listed([film], reports)
    assert sorted(row.kind for row in rows.values()) == ["known", "study"]


def test_pieces_of_one_study_fold_into_one_row_whatever_their_order() -> None:
    pieces = [
        said("document", title="CT perfusion, head", accessions=("SB-1",), organization="St Brannoc", wording="transfer letter"),
        said("report", title="CT perfusion, head", accessions=("SB-1",), studies=("2.25.7",)),
        said("order", title="CT perfusion head", reference="ServiceRequest/o", status="completed", dated="ordered"),
        said("procedure", title="CT perfusion of head", orders=("ServiceRequest/o",), status="completed"),
    ]
    notes = set()
    for order in permutations(pieces):
        (row,) = listed([], list(order)).values()
        assert (row.uid, row.kind, row.hospital, row.report) == ("2.25.7", "known", "St Brannoc", "Final")
        notes.add(row.note)
    assert notes == {"Named in the transfer letter, a report, a procedure in the chart and an order marked done; no source that answered has it."}


def test_an_open_order_is_not_missing_and_a_planned_one_is_no_row() -> None:
    rows = listed([held(accession=None)], [said("order", status="active", dated="ordered")])
    (order,) = [row for row in rows.values() if row.kind != "study"]
    assert (order.kind, order.count, order.request, order.report) == ("ordered", "Ordered, not done", "", "")
    assert set(listed([held()], [said("order", status="active", accessions=("NG-1",))])) == {"2.25.1"}, "done, though the order is still open"
    assert listed([], [said("order", status="active", date="2026-06-30"), said(date="2026-05-22")]) == {}
    assert len(listed([], [said("order", status="active"), said()])) == 2, "an open order says itself that it is not what was done"


@pytest.mark.parametrize(
    ("state", "fields", "word", "sentence"),
    [
        (SourceState.TIMEOUT, {}, "Known, not found yet", "Kestrel gave no answer."),
        (SourceState.REFUSED, {}, "Known, not found yet", "Kestrel gave no answer."),
        (SourceState.NO_IDENTIFIER, {}, "Known, not found yet", "Kestrel was not asked."),
        (SourceState.PARTIAL, {"more_exist": True}, "Known, not found yet", "Kestrel answered only in part."),
        (SourceState.EMPTY, {"withheld": 1}, "Known, not found yet", "Kestrel answered only in part."),
        (SourceState.EMPTY, {}, "Known, not here", "has it."),
    ],
)
def test_it_is_not_here_only_when_everyone_answered(state: SourceState, fields: dict[str, Any], word: str, sentence: str) -> None:
    (row,) = listed([], [said()], kestrel=replace(answer("kestrel"), state=state, **fields)).values()
    assert row.count == word
    assert row.note.endswith(sentence)


def test_while_one_is_asked_the_sentence_says_so_and_its_own_studies_wait() -> None:
    (row,) = listed([], [said()], kestrel=None).values()
    assert (row.count, row.note) == ("Known, still looking", "Named in a report; no source that answered has it. Kestrel has not answered yet.")
    assert listed([], [said(organization="Kestrel Cancer Centre")], kestrel=None) == {}
    assert listed([], [said()], local=None) == {}, "who most likely has it is still being asked"
    assert listed([], [said(organization="Elsewhere")], **{"ehr:n": None}) == {}


def test_a_study_that_only_the_chart_names_can_be_asked_for() -> None:
    chart = held("ehr:n", unfetchable="no-endpoint", image_count=120)
    (row,) = listed([chart], []).values()
    assert (row.kind, row.count, row.request) == ("known", "Known, not here", "request?of=t-2.25.1")
    assert "does not say where its images are. 120 images by the chart." in row.note
    (there,) = listed([replace(chart, archive="kestrel", claimed_ids=(PatientId("1", "K"),))], []).values()
    assert (there.kind, there.archive) == ("known", "kestrel")
    assert "which answered and does not list it" in there.note
    (asked,) = listed([replace(chart, archive="kestrel", claimed_ids=(PatientId("1", "K"),))], [], kestrel=None).values()
    assert (asked.kind, asked.request) == ("study", "")


def test_a_study_that_an_archive_gives_to_another_patient_is_never_asked_for() -> None:
    other = answer("kestrel", withheld=1, withheld_studies=("2.25.7",))
    (row,) = listed([], [said(studies=("2.25.7",))], kestrel=other).values()
    assert (row.count, row.request) == ("Withheld", "")
    assert "another patient" in row.note


def test_a_study_in_part_can_be_asked_for() -> None:
    rows = listed([held(image_count=63), held("ehr:n", image_count=120)], [])
    assert (rows["2.25.1"].kind, rows["2.25.1"].request) == ("study", "request?of=t-2.25.1")
    assert listed([held()], [])["2.25.1"].request == ""
