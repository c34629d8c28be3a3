"""What a reader sees when an archive fails, mixes patients up, or the session ends: plain words, nothing false, nothing left over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from sqlalchemy import create_engine, select

from sandbox.faults import Faults
from smart_app.audit.models import AuditRecord
from tests.functional.viewer_navigator import PANE, Navigator, browser, reader, study_uid
from tests.town import Town

STUDY, SERIES = "CT sinus", "2 Axial sinus 2 mm"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    with browser() as context:
        yield context


@pytest.fixture
def reading(chrome: Any, town: Town) -> Iterator[Navigator]:
    """A fresh launch, so that nothing of an earlier test is known. Six slices of sinus lie at St Brannoc, a film at Northgate."""
    with reader(chrome, town) as navigator:
        navigator.opens_chart_of("hathersage")
        yield navigator
        navigator.complaints[:] = [
            one for one in navigator.complaints if "Failed to load resource" not in one
        ]  # the browser's own word for a fault


@pytest.fixture
def archive(town: Town) -> Faults:
    return town.archive_faults["stbrannoc"]


def instance(town: Town, number: int) -> str:
    folder = next(Path(one.folder) for one in town.plan.archives if one.key == "stbrannoc")
    return str(pydicom.dcmread(folder / "hathersage-sinus" / "2" / f"{number:04d}.dcm", stop_before_pixels=True).SOPInstanceUID)


def audited(town: Town, event: str) -> list[dict[str, Any]]:
    with create_engine(f"sqlite:///{town.settings.data_dir / 'priors.sqlite3'}").connect() as db:
        rows = db.execute(select(AuditRecord.patient, AuditRecord.details).where(AuditRecord.event == event)).all()
    return [{"patient": patient, **json.loads(details)} for patient, details in rows]


def says(reading: Navigator, *words: str) -> None:
    for one in words:
        reading.page.wait_for_function("one => document.querySelector('#viewer-pane').innerText.includes(one)", arg=one)


def tries_again(reading: Navigator) -> None:
    reading.page.locator(PANE).get_by_role("button", name="Try again").click()


def test_one_lost_image_is_counted_shown_as_lost_and_healed(reading: Navigator, archive: Faults) -> None:
    archive.add("retrieve-series", "status", status=500)
    archive.add("frames", "status", status=404, path=f"*{instance(reading.town, 3)}*")
    reading.opens(STUDY)
    reading.sees_everything_loaded()
    assert reading.facts == {"loaded": 5, "total": 6, "failed": 1, "withheld": 0}
    says(reading, "1 of 6 images could not be loaded.", "Go to 3")
    good = reading.fingerprint()
    reading.page.get_by_role("button", name="Go to 3").click()
    says(reading, "This image could not be loaded")
    assert reading.place == "Image 3 of 6"
    assert reading.edges == {}
    reading.turns_the_wheel(1)
    reading.reaches(4, 6)
    assert reading.curtain == ""
    assert reading.fingerprint() != good
    reading.page.get_by_role("button", name="Go to 3").click()
    archive.clear()
    tries_again(reading)
    reading.page.wait_for_selector(f"{PANE}[data-failed='0'][data-loaded='6']")
    reading.reaches(3, 6)
    assert reading.curtain == ""
    assert "6 of 6 images loaded" in reading.status


def test_a_busy_archive_is_said_to_be_busy_and_asked_again(reading: Navigator, archive: Faults) -> None:
    for endpoint in ("frames", "retrieve-series", "rendered"):
        archive.add(endpoint, "status", status=503, retry_after="7")
    reading.row(STUDY).locator("a.ttl").click()
    reading.page.wait_for_selector(f"{PANE}[data-state=error][data-settled='1']")
    says(reading, "6 of 6 images could not be loaded.", "asked us to come back later.", "Reference")
    assert "This image could not be loaded" in reading.curtain
    archive.clear()
    tries_again(reading)
    reading.sees_a_picture()
    reading.page.wait_for_selector(f"{PANE}[data-failed='0'][data-loaded='6']")
    assert reading.curtain == ""


@pytest.mark.parametrize(
    ("kind", "options"),
    [("status", {"status": 404}), ("status", {"status": 503, "retry_after": "3"}), ("garbage", {}), ("html", {}), ("cut", {"bytes": 300})],
)
def test_a_series_that_does_not_come_says_so_and_comes_when_asked_again(
    reading: Navigator, archive: Faults, kind: str, options: dict[str, Any]
) -> None:
    archive.add("metadata", kind, **options)
    reading.row(STUDY).locator("a.ttl").click()
    reading.page.wait_for_selector(f"{PANE}[data-state=error]")
    assert reading.curtain != ""
    assert "Reference" in reading.status
    assert "loaded" not in reading.status
    archive.clear()
    tries_again(reading)
    reading.sees_a_picture()
    reading.sees_everything_loaded()
    assert reading.facts == {"loaded": 6, "total": 6, "failed": 0, "withheld": 0}


@pytest.mark.parametrize(("kind", "options"), [("cut", {"bytes": 200_000}), ("garbage", {}), ("wrong-boundary", {}), ("no-length", {})])
def test_a_series_sent_badly_is_fetched_image_by_image(reading: Navigator, archive: Faults, kind: str, options: dict[str, Any]) -> None:
    archive.add("retrieve-series", kind, **options)
    reading.opens(STUDY)
    reading.sees_everything_loaded()
    assert reading.facts == {"loaded": 6, "total": 6, "failed": 0, "withheld": 0}
    reading.looks_at_the_picture()
    seen = {reading.fingerprint()}
    for image in range(2, 7):
        reading.presses("ArrowDown")
        reading.reaches(image, 6)
        seen.add(reading.fingerprint())
    assert len(seen) == 6


@pytest.mark.parametrize(("kind", "options"), [("garbage", {}), ("html", {}), ("cut", {"bytes": 2000}), ("empty", {})])
def test_wrong_content_in_an_images_place_is_never_drawn(reading: Navigator, archive: Faults, kind: str, options: dict[str, Any]) -> None:
    archive.add("retrieve-series", "status", status=404)
    archive.add("frames", kind, path=f"*{instance(reading.town, 1)}*", **options)
    archive.add("rendered", "status", status=404)
    reading.row(STUDY).locator("a.ttl").click()
    reading.sees_everything_loaded()
    assert reading.facts == {"loaded": 5, "total": 6, "failed": 1, "withheld": 0}
    says(reading, "1 of 6 images could not be loaded.", "Go to 1", "This image could not be loaded")
    reading.page.get_by_role("button", name="Go to 1").click()
    assert reading.place == "Image 1 of 6"
    assert "This image could not be loaded" in reading.curtain


def test_another_patients_image_is_withheld_audited_and_nowhere_on_the_screen(reading: Navigator, archive: Faults) -> None:
    swapped = instance(reading.town, 6)
    archive.add("metadata", "swapped-instance")
    archive.add("retrieve-series", "swapped-instance")
    reading.opens(STUDY)
    reading.sees_everything_loaded()
    assert reading.facts == {"loaded": 5, "total": 5, "failed": 0, "withheld": 1}
    says(reading, "1 image was withheld: it names another patient or study than this one.", "The image desk was told.")
    assert "5 of 5 images loaded" in reading.status
    reading.looks_at_the_picture()
    reading.presses("End")
    reading.reaches(5, 5)
    assert "HATHERSAGE" in reading.corner("tl")
    told = [one for one in audited(reading.town, "InstanceWithheld") if one["study"] == study_uid("hathersage-sinus")]
    assert told
    assert {one["patient"] for one in told} == {"hathersage"}
    refused = reading.page.evaluate(
        """async uid => {
          const metadata = performance.getEntriesByType('resource').map(one => one.name).find(one => one.endsWith('/metadata'));
          const answer = await fetch(`${metadata.replace('/metadata', '')}/instances/${uid}/frames/1`, {headers: {Accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=*'}});
          return [answer.status, (await answer.json()).error.code];
        }""",
        swapped,
    )
    assert refused == [404, "withheld"]


def test_an_image_swapped_on_its_way_is_not_taken_for_the_right_one(reading: Navigator, archive: Faults) -> None:
    """Metadata are right, the stream carries another patient's object under the asked-for name."""
    archive.add("retrieve-series", "swapped-instance")
    reading.opens(STUDY)
    reading.sees_everything_loaded()
    reading.looks_at_the_picture()
    reading.presses("End")
    reading.reaches(6, 6)
    shown = reading.fingerprint()
    town = reading.town
    town.heal()
    reading.opens_chart_of("hathersage")
    reading.opens(STUDY)
    reading.sees_everything_loaded()
    reading.looks_at_the_picture()
    reading.presses("End")
    reading.reaches(6, 6)
    assert reading.fingerprint() == shown
    assert any(one["study"] == study_uid("hathersage-sinus") for one in audited(town, "InstanceWithheld"))


def test_the_end_of_the_session_takes_the_patient_off_the_screen(reading: Navigator, chrome: Any) -> None:
    reading.opens("Chest, 1 view")
    elsewhere = chrome.new_page()
    elsewhere.goto(reading.page.url.partition("/studies")[0] + "/studies")
    elsewhere.locator("[data-menu]").click()
    elsewhere.get_by_role("button", name="Close this session").click()
    elsewhere.wait_for_load_state()
    elsewhere.close()
    reading.row(STUDY).locator("a.ttl").click()
    reading.page.wait_for_selector("text=This session has ended")
    left = reading.page.content()
    assert not [
        fact for fact in ("HATHERSAGE", "Imogen", "30 Jan 1996", "40619344", STUDY, "St Brannoc", "<canvas") if fact.lower() in left.lower()
    ]
    assert reading.page.title() == "Images · Priors"


def test_a_session_that_ends_between_two_series_blanks_the_open_study(chrome: Any, town: Town) -> None:
    with reader(chrome, town) as reading:
        reading.opens_chart_of("marchetti")
        reading.opens("CT head without contrast")
        reading.sees_everything_loaded()
        token = reading.page.get_attribute("meta[name=csrf]", "content")
        reading.page.evaluate(
            "([to, csrf]) => fetch(to, {method: 'POST', headers: {'X-Priors-CSRF': csrf}, redirect: 'manual'})",
            [reading.page.url.partition("/studies")[0] + "/end", token],
        )
        reading.page.locator(f"{PANE} .v-th[title='3 Axial bone 1.25 mm']").click()
        reading.page.wait_for_selector("text=This session has ended")
        assert "marchetti" not in reading.page.content().lower()
        assert reading.page.locator("canvas").count() == 0
        reading.complaints[:] = [one for one in reading.complaints if "Failed to load resource" not in one]
