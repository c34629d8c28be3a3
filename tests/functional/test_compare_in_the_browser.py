"""Two studies of one patient beside each other, from two hospitals: linked by hand, since they share no frame of reference."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.viewer_navigator import PANE, Navigator, browser, reader, study_uid
from tests.town import Town

NOW, KESTREL = study_uid("holt-ct-now"), study_uid("holt-ct-kestrel")


@pytest.fixture(scope="module")
def reading(town: Town) -> Iterator[Navigator]:
    with browser() as context, reader(context, town) as navigator:
        yield navigator


@pytest.fixture
def listed(reading: Navigator) -> Navigator:
    reading.page.set_viewport_size({"width": 1280, "height": 800})
    reading.opens_chart_of("adeyemi-holt")
    return reading


@pytest.fixture
def compared(listed: Navigator) -> Navigator:
    """The CT of this week beside the one of Kestrel."""
    title(listed, NOW).click()
    listed.sees_a_picture()
    listed.page.locator(f".srow[data-uid='{KESTREL}'] .cmp").click()
    both_shown(listed)
    return listed


def title(reading: Navigator, uid: str) -> Any:
    return reading.page.locator(f".srow[data-uid='{uid}'] a.ttl")


def cells(reading: Navigator) -> Any:
    return reading.page.locator(f"{PANE} .v-cell")


def both_shown(reading: Navigator, count: int = 2) -> None:
    reading.page.wait_for_function(
        "count => [...document.querySelectorAll('#viewer-pane .v-cell')].filter(one => one.querySelector('.v-cs:not(.v-off)')).length === count",
        arg=count,
    )
    reading.settles()


def said(reading: Navigator, part: str) -> list[str]:
    return [" ".join(text.split()) for text in cells(reading).locator(part).all_inner_texts()]


def places(reading: Navigator) -> list[str]:
    return [re.sub(r".*?(Image \d+ of \d+).*", r"\1", text) for text in said(reading, ".v-br")]


def waits_for_places(reading: Navigator, *wanted: str) -> None:
    reading.page.wait_for_function(
        "wanted => JSON.stringify([...document.querySelectorAll('#viewer-pane .v-br')].map(one => (/Image \\d+ of \\d+/.exec(one.textContent) ?? [''])[0])) === wanted",
        arg=json.dumps(list(wanted), separators=(",", ":")),
    )


def test_the_prior_of_another_hospital_stands_beside_the_current(compared: Navigator) -> None:
    assert said(compared, ".v-role") == ["Current", "Prior"]
    corners = said(compared, ".v-tr")
    assert "Northgate" in corners[0]
    assert "Kestrel" in corners[1]
    assert all("ADEYEMI-HOLT" in words for words in said(compared, ".v-tl"))
    assert ["lung" in words.lower() for words in said(compared, ".v-bl")] == [True, True], "lung beside lung"
    assert compared.page.url.endswith(NOW), "the address names the current study"
    assert compared.page.locator(f"{PANE} .v-th[title^=Prior]").count() == 3
    compared.sees_everything_loaded()
    assert "Current: 8 of 8 images loaded" in compared.status
    assert "Prior: 3 of 3 images loaded" in compared.status


def test_two_frames_of_reference_are_linked_by_hand_and_it_says_so(compared: Navigator) -> None:
    assert "Not linked: two frames of reference" in compared.status
    first = cells(compared).first.locator(".v-vp")
    first.focus()
    compared.presses("ArrowDown")
    waits_for_places(compared, "Image 2 of 8", "Image 1 of 3")
    compared.presses("ArrowUp")
    waits_for_places(compared, "Image 1 of 8", "Image 1 of 3")
    compared.presses("k")
    compared.page.wait_for_function("document.querySelector('#viewer-pane .v-stat').textContent.includes('Linked by hand')")
    compared.presses("End")
    compared.page.wait_for_function("!/Image 1 of 3/.test(document.querySelectorAll('#viewer-pane .v-br')[1].textContent)")
    compared.presses("k")
    compared.page.wait_for_function("/Not linked/.test(document.querySelector('#viewer-pane .v-stat').textContent)")
    before = places(compared)[1]
    compared.presses("Home")
    waits_for_places(compared, "Image 1 of 8", before)


def test_an_outline_or_images_of_another_patient_never_stand_beside_the_current(listed: Navigator) -> None:
    """Rule 1: what says that it is another person's is not drawn, whichever of the two answers says so."""
    for path, forge in ((f"**/outline/**/{KESTREL}", _outline_of_another), (f"**/{KESTREL}/series/*/metadata", _metadata_of_another)):
        listed.opens_chart_of("adeyemi-holt")
        listed.page.route(path, forge)
        title(listed, NOW).click()
        listed.sees_a_picture()
        listed.page.locator(f".srow[data-uid='{KESTREL}'] .cmp").click()
        listed.page.get_by_text("was for another patient").first.wait_for()
        both_shown(listed, 1)
        assert [words for words in cells(listed).all_inner_texts() if "Kestrel" in words and "Image " in words] == []
        assert listed.page.locator(f"{PANE} .v-picture").count() == 0, "no first picture of it either"
        listed.page.unroute(path)


def _outline_of_another(route: Any) -> None:
    launch = route.request.url.split("/l/")[1].split("/")[0]
    route.fulfill(json={"launch": launch, "patient": "x" * 43, "study": {"uid": KESTREL, "title": "CT chest", "hospital": "Kestrel"}, "series": []})


def _metadata_of_another(route: Any) -> None:
    route.fulfill(body="[]", content_type="application/dicom+json", headers={"X-Priors-Patient": "x" * 43})


def test_the_two_sides_change_places(compared: Navigator) -> None:
    cells(compared).first.locator(".v-vp").focus()
    compared.presses("x")
    compared.page.wait_for_function("[...document.querySelectorAll('#viewer-pane .v-role')].map(one => one.textContent.trim()).join() === 'Prior,Current'")
    both_shown(compared)
    assert ["Kestrel" in words for words in said(compared, ".v-tr")] == [True, False], "each corner names its own hospital"
