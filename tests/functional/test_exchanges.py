"""Studies that only an exchange knows: they are listed, and their images open in the viewer's gateway, by token and by capability address."""

from __future__ import annotations

import base64
import json
import logging
import re
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.exchange import fhir as exchange_fhir
from sandbox.world import STUDIES
from tests.town import Jar, Town, events

BY_KEY = {study.key: study for study in STUDIES}


def listed(town: Town, patient: str) -> tuple[Jar, str, dict[str, dict[str, Any]], dict[str, Any]]:
    """(browser, launch, rows by Study Instance UID, the last strip)."""
    jar = Jar()
    handle = jar.launch(town, patient)
    stream = events(jar.get(f"{town.plan.app}/l/{handle}/studies/stream"))
    assert stream[-1][0] == "done"
    rows = {row["uid"]: row for name, data in stream if name == "rows" for row in data["rows"]}
    return jar, handle, rows, [data for name, data in stream if name == "strip"][-1]


def secret_of(town: Town, exchange_patient: str) -> str:
    """The secret part of the capability address of this patient's study, read from the exchange as its client."""
    larkmoor = next(one for one in town.plan.exchanges if one.key == "larkmoor")
    basic = base64.b64encode(f"priors-larkmoor:{larkmoor.token}".encode()).decode()
    asked = urllib.request.Request(f"{larkmoor.origin}/oauth/token", b"grant_type=client_credentials", {"Authorization": f"Basic {basic}"})
    with urllib.request.urlopen(asked) as answer:
        token = json.load(answer)["access_token"]
    asked = urllib.request.Request(f"{larkmoor.fhir}/ImagingStudy?patient={exchange_patient}", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked) as answer:
        address = next(one["resource"]["address"] for one in json.load(answer)["entry"] if one["resource"]["resourceType"] == "Endpoint")
    assert "/c/" in address
    return str(address.rpartition("/c/")[2])


def opened(town: Town, jar: Jar, handle: str, exchange: str, study: str) -> int:
    """Open the study as the viewer does; returns how many images came, each whole, of how many series."""
    base = f"{town.plan.app}/l/{handle}"
    outline = jar.get(f"{base}/outline/{exchange}/{study}")
    assert outline.status == 200, outline.text
    told = outline.json()
    images = 0
    for series in told["series"]:
        here = f"{base}/dicomweb/{exchange}/studies/{study}/series/{series['uid']}"
        metadata = jar.get(f"{here}/metadata", Accept="application/dicom+json")
        assert metadata.status == 200, metadata.text
        for instance in metadata.json():
            uid = instance["00080018"]["Value"][0]
            frame = jar.get(f"{here}/instances/{uid}/frames/1", Accept='multipart/related; type="application/octet-stream"; transfer-syntax=*')
            assert frame.status == 200, frame.text
            assert len(frame.body) > 1000
            images += 1
        whole = jar.get(here, Accept='multipart/related; type="application/dicom"; transfer-syntax=*')
        assert whole.status == 200
        assert whole.body.count(b"DICM") == series["count"]
    return images


@pytest.mark.parametrize(
    ("patient", "exchange", "key"),
    [
        ("oyelaran-femi", "larkmoor", "femi-mr-larkmoor"),
        ("penhaligon", "larkmoor", "penhaligon-cxr-larkmoor"),
        ("hathersage", "dunmere", "hathersage-ct-dunmere"),
        ("penhaligon", "dunmere", "penhaligon-ct-dunmere"),
    ],
    ids=["token", "capability", "fhir manifest", "kos manifest"],
)
def test_a_study_that_only_an_exchange_knows_is_listed_and_opens(town: Town, patient: str, exchange: str, key: str) -> None:
    study = BY_KEY[key]
    jar, handle, rows, _ = listed(town, patient)
    assert study.description in rows[study.uid]["html"]
    assert opened(town, jar, handle, exchange, study.uid) == sum(series.small for series in study.series)


@pytest.mark.parametrize(("patient", "key"), [("oyelaran-femi", "femi-mr-larkmoor"), ("penhaligon", "penhaligon-cxr-larkmoor")], ids=["token", "capability"])
def test_a_study_opens_where_only_whole_studies_are_served(town: Town, patient: str, key: str) -> None:
    town.archive_faults["larkmoor"].add("images", "whole-only")
    study = BY_KEY[key]
    jar, handle, _, _ = listed(town, patient)
    assert opened(town, jar, handle, "larkmoor", study.uid) == sum(series.small for series in study.series)


def test_another_patients_study_of_the_exchange_is_not_there(town: Town) -> None:
    jar, handle, rows, _ = listed(town, "oyelaran-femi")
    theirs = BY_KEY["penhaligon-cxr-larkmoor"].uid
    assert theirs not in rows
    assert jar.get(f"{town.plan.app}/l/{handle}/outline/larkmoor/{theirs}").status == 404


def test_a_busy_exchange_is_asked_the_same_again(town: Town) -> None:
    town.archive_faults["larkmoor"].add("search-ImagingStudy", "status", status=503, retry_after="0", times=3)
    _, _, rows, _ = listed(town, "oyelaran-femi")
    assert BY_KEY["femi-mr-larkmoor"].uid in rows


def test_a_refusal_is_never_an_empty_list(town: Town) -> None:
    town.archive_faults["larkmoor"].add("search-ImagingStudy", "status", status=403)
    _, _, _, strip = listed(town, "thornbury")
    assert strip["none_found"], "thornbury is not known there, so the search for studies never happens"
    _, _, rows, strip = listed(town, "oyelaran-femi")
    assert BY_KEY["femi-mr-larkmoor"].uid not in rows
    assert strip["tone"] == "partial"
    assert "refused" in strip["html"]


def test_a_strangers_entry_is_withheld(town: Town) -> None:
    town.archive_faults["larkmoor"].add("search-ImagingStudy", "wrong-patient")
    _, _, _, strip = listed(town, "oyelaran-femi")
    assert "withheld" in strip["html"]
    assert strip["tone"] == "partial"


def test_a_capability_address_leaves_no_trace(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret, study = secret_of(town, "larkmoor-penhaligon"), BY_KEY["penhaligon-cxr-larkmoor"].uid
    jar = Jar()
    handle = jar.launch(town, "penhaligon")
    base = f"{town.plan.app}/l/{handle}"
    said = [jar.get(f"{base}/studies/stream"), jar.get(f"{base}/studies"), jar.get(f"{base}/outline/larkmoor/{study}")]
    said += [jar.get(f"{base}/dicomweb/larkmoor/studies/{study}{end}", Accept="application/dicom+json") for end in ("/metadata", "/series", "/instances")]
    town.archive_faults["larkmoor"].add("*", "status", status=500, path=f"*{study}*")
    said += [jar.get(f"{base}/dicomweb/larkmoor/studies/{study}/series/2.25.1/metadata"), jar.get(f"{base}/dicomweb/larkmoor/studies/{study}")]
    assert [one.status for one in said] == [200] * 6 + [502, 502]
    assert secret not in caplog.text
    for one in said:
        assert secret not in one.text + str(one.headers), one.url
    for file in Path(town.plan.folder).rglob("*.sqlite3*"):
        assert secret.encode() not in file.read_bytes(), file.name


def decided(town: Town, jar: Jar, path: str, word: str, **form: str) -> int:
    """Send one form of a comparison page, with what the page put into it."""
    page = jar.get(town.plan.app + path).text
    hidden = dict(re.findall(r'name="(csrf|seen)" value="([0-9a-f]+)"', page))
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": town.plan.app, "Sec-Fetch-Site": "same-origin"}
    return jar.send("POST", f"{town.plan.app}{path}/{word}", headers=headers, body=urlencode({**hidden, **form}).encode()).status


def test_a_record_of_an_exchange_that_differs_waits_for_two_people_and_is_gone_once_undone(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    told = exchange_fhir.chart_patient
    monkeypatch.setattr(exchange_fhir, "chart_patient", lambda person: {**told(person), "birthDate": "1990-03-02"})
    uid, sure = BY_KEY["femi-mr-larkmoor"].uid, "He showed a passport with both dates"
    jar, handle, rows, strip = listed(town, "oyelaran-femi")
    assert uid not in rows
    assert strip["tone"] in ("ask", "partial")
    (name,) = set(re.findall(r'data-match="([0-9a-f]{32})"', strip["notes_html"]))
    assert jar.get(f"{town.plan.app}/l/{handle}/outline/larkmoor/{uid}").status == 404
    assert decided(town, jar, f"/l/{handle}/matches/{name}", "confirm", reason=sure) in (200, 303)
    assert uid not in listed(town, "oyelaran-femi")[2], "one person alone links nobody whose birth date differs"
    second = Jar()
    other = second.launch(town, "oyelaran-femi", "rev-okafor")
    list(events(second.get(f"{town.plan.app}/l/{other}/studies/stream")))
    assert decided(town, second, f"/l/{other}/matches/{name}", "confirm", reason=sure) in (200, 303)
    jar, handle, rows, _ = listed(town, "oyelaran-femi")
    assert uid in rows
    assert opened(town, jar, handle, "larkmoor", uid) == sum(series.small for series in BY_KEY["femi-mr-larkmoor"].series)
    assert decided(town, jar, f"/l/{handle}/matches/{name}", "undo") == 303
    assert jar.get(f"{town.plan.app}/l/{handle}/outline/larkmoor/{uid}").status == 404, "at once, also where it was looked at a moment ago"
    assert uid not in listed(town, "oyelaran-femi")[2]
