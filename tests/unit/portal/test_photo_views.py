"""A photo from the chart: made by a post of our own page, for this launch's patient, and only where something can be received."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from smart_app.links.about import read_about
from smart_app.spool.types import Upload, UploadState
from smart_app.wiring.intake import intake_of
from tests.functional.listing_world import world

PORTAL = "http://send.localhost:8000"


def test_the_code_opens_a_link_for_this_patient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch, portal_url=PORTAL) as hospital:
        list(hospital.stream())
        assert hospital.get("/photo").status_code == 405, "to look at a page makes no link"
        assert hospital.post("/photo", token="forged").status_code == 403
        page = hospital.post("/photo")
        assert page.status_code == 200
        address = re.search(rf"{PORTAL}/s/([\w-]{{43}})", page.text)
        assert address is not None
        link = hospital.parts.links.find(address.group(1))
        assert link is not None
        about = read_about(hospital.parts.links.about(link))
        assert (link.purpose.value, about.issuer, about.patient, about.initials, about.by) == ("photo", "northgate", "p1", "R. M.", "Dr Halloran")
        assert (link.expires_at - hospital.parts.clock()).total_seconds() <= 15 * 60
        picture = re.search(r'src="data:image/svg\+xml[^"]*"', page.text)
        assert picture is not None
        assert "MARCHETTI" not in address.group(0).upper()
        upload = Upload("u", "default", link.id, link.purpose, None, UploadState.FINISHED, "", link.expires_at, None)
        whose = intake_of(hospital.parts).arrival.whose(upload)
        assert whose is not None
        assert (whose.issuer, whose.id, whose.birth_date, whose.mrn) == ("northgate", "p1", "1951-08-09", "40771953")
        assert intake_of(hospital.parts).arrival.whose(replace(upload, link="nowhere")) is None
        assert [one["purpose"] for one in hospital.audited("LinkMade")] == ["photo"]


def test_where_nothing_can_be_received_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch) as hospital:
        list(hospital.stream())
        answer = hospital.post("/photo")
        assert answer.status_code == 503
        assert "Receiving images is not set up here." in answer.text
        assert "Add a photo" not in hospital.get("/studies").text
