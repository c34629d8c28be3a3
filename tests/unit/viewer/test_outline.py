"""The outline in the words a person reads, and kinds that cannot be drawn said so."""

from dataclasses import replace
from datetime import date

import pytest

from smart_app.archives.types import Answer, SourceState, StudyRecord
from smart_app.viewer.outline import _date, _person, _when
from tests.unit.viewer import fake, world


def outline(gate):
    response = gate.client.get(f"/l/{world.HANDLE}/outline/kestrel/{fake.STUDY}")
    assert response.status_code == 200
    return response.get_json()


def test_study_is_told_with_its_hospital_and_patient(gate):
    told = outline(gate)
    assert told["study"]["title"] == "CT chest"
    assert (told["study"]["date"], told["study"]["when"], told["study"]["hospital"], told["study"]["outside"]) == ("20 Jan 2026", "4 months", "Kestrel Cancer Centre", True)
    assert told["dicomweb"] == gate.root
    assert told["series"][0]["count"] == told["study"]["images"] == 5
    assert told["notForDiagnosis"]
    assert told["gaps"] == []


def test_what_cannot_be_drawn_is_listed_last_and_explained(gate, kestrel):
    for number, modality in enumerate(("SR", "PR", "ZZ", "SEG", "KO", "ECG", "DOC"), 10):
        kestrel.instances.insert(0, fake.instance(number, series=f"{fake.SERIES}.{number}", Modality=modality, SeriesNumber=0))
    shown = outline(gate)["series"]
    assert [one["kind"] for one in shown] == ["images"] * 2 + ["paper", "document", "document", "paper", "paper", "document"]
    assert all(one["word"] and bool(one["sentence"]) == (one["kind"] == "document") and one["thumbnail"] is None for one in shown[2:])
    unknown = next(one for one in shown if one["modality"] == "ZZ")
    assert unknown["word"] == "Unknown kind (ZZ)"
    assert unknown["thumbnail"]


def test_study_without_any_image_has_no_preview_and_asks_for_none(gate, kestrel):
    for ds in kestrel.instances:
        ds.Modality = "SR"
    assert outline(gate)["preview"] is None
    assert not kestrel.paths("/metadata")


def test_study_without_a_name_or_date(tmp_path, kestrel):
    gate = world.build(tmp_path, [world.archive(kestrel.base, local=True)])
    world.held(gate.holdings, fake.STUDY, "P-1", description=None, date=None, body_parts=("CHEST",))
    told = outline(gate)["study"]
    assert (told["title"], told["date"], told["when"], told["outside"]) == ("CT Chest", "Unknown date", "", False)


def test_what_is_missing_from_the_study_is_said(gate, kestrel):
    chart = StudyRecord(uid=fake.STUDY, source="ehr:northgate", organization="Northgate", archive="kestrel", image_count=120)
    gate.holdings.save_answer(world.HANDLE, Answer("ehr:northgate", "Chart", "Northgate", SourceState.OK, studies=(chart,)))
    held = gate.holdings.held(world.HANDLE, "kestrel", fake.STUDY).record
    told = replace(held, source="kestrel", series_count=4, image_count=5)
    gate.holdings.save_answer(world.HANDLE, Answer("kestrel", "Kestrel", told.organization, SourceState.OK, studies=(told,)))
    assert outline(gate)["gaps"] == [
        "Kestrel Cancer Centre counts 4 series in this study and listed 1.",
        "5 of 120 images are here: another source counts more than Kestrel Cancer Centre has.",
    ]


def test_hostile_text_is_only_text(gate, kestrel):
    for ds in kestrel.instances:
        ds.SeriesDescription = "<script>alert(1)</script>"
    response = gate.client.get(f"/l/{world.HANDLE}/outline/kestrel/{fake.STUDY}")
    assert response.content_type == "application/json"
    assert response.get_json()["series"][0]["description"] == "<script>alert(1)</script>"


def test_series_list_that_fails_is_a_named_fault(gate, kestrel):
    kestrel.faults["/series$"] = lambda h: h.reply(503, b"", "text/plain", Retry_After="12")
    response = gate.client.get(f"/l/{world.HANDLE}/outline/kestrel/{fake.STUDY}")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "12")
    told = response.get_json()["error"]
    assert (told["code"], told["title"]) == ("overloaded", "Kestrel asked us to come back later.")


@pytest.mark.parametrize(
    ("day", "words"),
    [("2026-05-21", "today"), ("2026-05-20", "yesterday"), ("2026-05-01", "20 days"), ("2026-01-21", "4 months"), ("2024-09-21", "1 y 8 m"), ("2020-05-21", "6 y"),
     ("2027-01-01", ""), ("2026-05", ""), (None, "")],
)  # fmt: skip
def test_how_long_ago(day, words):
    assert _when(day, date(2026, 5, 21)) == words


@pytest.mark.parametrize(("iso", "words"), [("2026-05-21", "21 May 2026"), ("2026-05", "May 2026"), ("2026", "2026"), (None, "Unknown date"), ("2026-13-01", "1 2026")])
def test_dates(iso, words):
    assert _date(iso) == words


@pytest.mark.parametrize(("name", "words"), [("Marchetti^Rosalind^Jane", "MARCHETTI, Rosalind Jane"), ("Doe", "Doe"), ("^Jane", "Jane"), ("Doe^Jane^^Dr", "DOE, Jane")])
def test_names(name, words):
    assert _person(name) == words
