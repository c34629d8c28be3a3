"""The Images tab's templates: hostile values stay text, and earned words are said only when earned."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from smart_app.archives.types import SourceState
from smart_app.studies.rows import RowSource, SourceChip, Strip, StudyRow
from tests.unit.templates.rendering import HANDLE, HOSTILE, Page, launch, render


def a_row(**change: Any) -> StudyRow:
    facts: dict[str, Any] = {
        "uid": "1.2.3", "archive": "kestrel", "sort": "20260521", "date": "21 May 2026", "iso_date": "2026-05-21", "when": "today 08:52", "modality": "CT",
        "modalities": ("CT",), "title": "CT head", "hospital": "Kestrel", "regions": ("Head",), "count": "4 series, 1,204 images", "count_state": "whole",
        "report": "Final", "sources": (RowSource("kestrel", "Kestrel", "Kestrel Cancer Centre"),),
    }  # fmt: skip
    return StudyRow(**{**facts, **change})


def a_chip(state: str = "ok", **change: Any) -> SourceChip:
    facts: dict[str, Any] = {"key": "kestrel", "name": "Kestrel", "state": state, "word": "4", "retryable": False}
    return SourceChip(**{**facts, **change})


def a_strip(tone: str = "all", *chips: SourceChip, none_found: bool = False, **change: str) -> Strip:
    return Strip(tone, change.get("headline", "May be incomplete."), change.get("detail", "1 of 2 sources answered."), none_found, chips or (a_chip(),))


def page(strip: Strip, rows: list[StudyRow], **more: Any) -> Page:
    patient = SimpleNamespace(name=more.pop("name", "MARCHETTI, Rosalind"), birth_date="1951-08-09", sex="Female", mrn="40 771 953")
    facts: dict[str, Any] = {
        "ctx": launch(), "patient": patient, "patient_age": "74 y", "born": "9 Aug 1951", "patient_key": "k" * 16, "rows": rows, "strip": strip, "open_study": None,
        "boot": {},
    }  # fmt: skip
    return render("studies/page.html", **{**facts, **more})


def harmless(found: Page) -> None:
    """No element or attribute came out of a value, and nothing runs inline."""
    assert not found.all("img")
    assert "49" not in found.text
    for tag, attrs in found.elements:
        assert not any(name.startswith("on") or name == "style" for name in attrs), (tag, attrs)
        assert not attrs.get("href", "").startswith("javascript:")
        if tag == "script":
            assert "src" in attrs or attrs.get("type") == "application/json"
    assert not found.all("style")


def test_hostile_values_stay_text_in_every_part() -> None:
    chip = a_chip("timeout", key=HOSTILE, name=HOSTILE, word=HOSTILE, title=HOSTILE, action=HOSTILE, reference=HOSTILE, retryable=True)
    row = a_row(title=HOSTILE, hospital=HOSTILE, regions=(HOSTILE,), modality=HOSTILE, modalities=(HOSTILE,), count=HOSTILE, report=HOSTILE, note=HOSTILE,
                sources=(RowSource(HOSTILE, HOSTILE, HOSTILE),), date=HOSTILE, when=HOSTILE)  # fmt: skip
    found = page(a_strip("partial", chip, headline=HOSTILE, detail=HOSTILE), [row], name=HOSTILE, boot={"x": "</script><img src=x>"}, notes=[HOSTILE])
    harmless(found)
    assert HOSTILE in found.text


def test_hostile_facets_survive_as_json_in_the_row() -> None:
    found = render("studies/_row.html", row=a_row(regions=(HOSTILE,), modalities=(HOSTILE, "CT")), launch=HANDLE)
    row = found.all("li")[0]
    assert json.loads(row["data-regions"]) == [HOSTILE]
    assert json.loads(row["data-modalities"]) == [HOSTILE, "CT"]


def test_the_row_takes_a_launch_or_its_handle() -> None:
    for given in (HANDLE, launch()):
        found = render("studies/_row.html", row=a_row(), launch=given)
        assert found.all("a")[0]["href"] == f"/l/{HANDLE}/studies/1.2.3"


def test_a_study_that_cannot_be_fetched_has_no_link_and_says_why() -> None:
    found = render("studies/_row.html", row=a_row(archive=None, note="Only the chart names it."), launch=HANDLE)
    assert not found.all("a")
    assert "Only the chart names it." in found.text


@pytest.mark.parametrize("missing", [{"date": "Unknown date", "iso_date": "", "when": "", "sort": ""}, {"modality": "", "modalities": ()}, {"regions": ()},
                                     {"count": "Count unknown", "count_state": "unknown"}, {"report": ""}, {"sources": ()}])  # fmt: skip
def test_a_row_with_an_absent_fact_still_lists(missing: dict[str, Any]) -> None:
    assert "CT head" in render("studies/_row.html", row=a_row(**missing), launch=HANDLE).text


def test_an_unknown_date_is_a_group_of_its_own() -> None:
    found = render("studies/_row.html", row=a_row(date="Unknown date", iso_date="", when="", sort=""), launch=HANDLE)
    assert found.all("li")[0]["data-group"] == "Date unknown"


def test_thousands_keep_their_comma() -> None:
    assert "1,204 images" in render("studies/_row.html", row=a_row(), launch=HANDLE).text


@pytest.mark.parametrize("tone", ["asking", "some", "all", "partial", "failed"])
def test_no_imaging_found_is_said_only_when_the_strip_says_it(tone: str) -> None:
    words = "No imaging found"
    assert words not in render("studies/_notes.html", strip=a_strip(tone), launch=HANDLE).text
    assert words in render("studies/_notes.html", strip=a_strip("all", none_found=True), launch=HANDLE).text


@pytest.mark.parametrize("state", list(SourceState))
def test_every_state_has_a_mark_and_is_shown_in_strip_and_details(state: SourceState) -> None:
    strip = a_strip("partial", a_chip(state.value, word="its word"))
    for template in ("studies/_strip.html", "studies/_notes.html"):
        found = render(template, strip=strip, launch=HANDLE)
        assert "its word" in found.text, template
        assert any(use["href"].startswith("#i-") for use in found.all("use"))


def test_failing_sources_stand_first() -> None:
    chips = (a_chip("ok", key="a"), a_chip("asking", key="b"), a_chip("timeout", key="c"), a_chip("empty", key="d"))
    found = render("studies/_strip.html", strip=a_strip("partial", *chips), launch=HANDLE)
    assert [item["data-source"] for item in found.all("li") if "data-source" in item] == ["c", "b", "a", "d"]


def test_only_retryable_sources_offer_it() -> None:
    chips = (a_chip("timeout", key="a", retryable=True), a_chip("refused", key="b"), a_chip("asking", key="c", retryable=True))
    found = render("studies/_strip.html", strip=a_strip("partial", *chips), launch=HANDLE)
    assert [button["data-retry"] for button in found.all("button") if "data-retry" in button] == ["a"]


def test_the_page_tells_the_patient_and_keeps_the_name_out_of_the_title() -> None:
    found = page(a_strip(), [a_row()])
    for fact in ("MARCHETTI, Rosalind", "9 Aug 1951", "(74 y)", "Female", "40 771 953"):
        assert fact in found.text
    app = next(attrs for _, attrs in found.elements if attrs.get("id") == "app")
    assert (app["data-launch"], app["data-patient"]) == (HANDLE, "k" * 16)


def test_without_scripts_the_page_says_so_and_does_not_say_none() -> None:
    found = page(a_strip("asking"), [])
    assert found.all("noscript")
    assert "No imaging found" not in found.text
    assert "0 studies" not in found.text


def test_the_ehr_style_is_linked_only_when_the_ehr_has_one() -> None:
    hrefs = [link["href"] for link in page(a_strip(), []).all("link")]
    assert f"/l/{HANDLE}/style.css" not in hrefs
    styled = launch()
    styled.smart_style_url = "https://ehr.example.org/style.json"
    hrefs = [link["href"] for link in page(a_strip(), [], ctx=styled).all("link")]
    assert hrefs.index(f"/l/{HANDLE}/style.css") > hrefs.index("/static/viewer/app.css")
    assert "https://ehr.example.org/style.json" not in hrefs


def test_development_mode_says_so() -> None:
    words = "Development mode: loopback and plain http are allowed"
    strip = a_strip()
    assert words not in page(strip, []).text
    patient = SimpleNamespace(name="A", birth_date=None, sex=None, mrn=None)
    found = render("studies/page.html", development=True, ctx=launch(), patient=patient, patient_age=None, patient_key="k", rows=[], strip=strip,
                   open_study="1.2.3", boot={})  # fmt: skip
    assert words in found.text
    assert "none in the chart" in found.text
