"""Review through the pages, as a reviewer's browser without scripts does it, over the real screening child and a scripted archive: to the archive, and out of every view again."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from launch.context import LaunchContext, User
from launch.session import BROWSER_COOKIE, TokenSet
from smart_app.archives.types import PatientId
from smart_app.clock import utc_now
from smart_app.fhir_api.mapping import TASK_STATUS
from smart_app.image_requests.types import Actor, NewRequest, Party, Patient, Route, RouteKind, State, Wanted
from smart_app.image_requests.workflow import Act
from smart_app.intake.settling import TAKEN_OUT
from smart_app.spool.models import UploadFileRow, UploadRow
from smart_app.web.csrf import Csrf
from smart_app.wiring import fhir_api as fhir_wiring
from smart_app.wiring import work
from tests.functional.listing_world import World, world
from tests.unit.archives.scripted import Asked, Say, rows
from tests.unit.intake.hospital import ROOT, ScriptedArchive, made

MARCHETTI = Patient(
    "northgate", "p1", "Marchetti, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female", "40771953",
    (PatientId("40771953", "urn:northgate"), PatientId("K-9", "urn:kestrel")),
)  # fmt: skip
HERS = {"PatientName": "MARCHETTI^ROSALIND", "PatientID": "K-9", "IssuerOfPatientID": "KESTREL", "PatientBirthDate": "19510809", "PatientSex": "F", "AccessionNumber": "KV-1"}
STAFF, SENDER = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel"), Actor(Party.SENDER, name="Kestrel")
STUDY = f"{ROOT}.1"


@dataclass
class Desk:
    world: World
    archive: ScriptedArchive
    handles: dict[str, tuple[str, str]]

    def call(self, who: str, path: str, form: dict[str, Any] | None = None) -> Any:
        handle, cookie = self.handles[who]
        origin = self.world.parts.settings.public_url
        headers = {"Cookie": f"{BROWSER_COOKIE}={cookie}"}
        if form is None:
            return self.world.client.get(f"/l/{handle}{path}", base_url=origin, headers=headers)
        headers |= {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        form = form | {"csrf": Csrf(self.world.parts.keyring, origin).token(handle, cookie)}
        return self.world.client.post(f"/l/{handle}{path}", base_url=origin, headers=headers, data=form)

    def ask(self) -> str:
        wanted = Wanted("CT pelvis", "CT", accession="KV-1", report=False)
        return self.world.parts.requests.create(NewRequest(MARCHETTI, wanted, Route(RouteKind.PATIENT), None), STAFF).id

    def send(self, request: str | None, files: Sequence[bytes], purpose: str = "request") -> None:
        parts, id, now = self.world.parts, secrets.token_hex(8), utc_now()
        with parts.database.transaction() as session:
            session.add(UploadRow(id=id, tenant="default", link="l", open_link=None, purpose=purpose, request=request, state="finished",
                                  sender=parts.spool.seal_sender(id, "Kestrel Cancer Centre"), begun_at=now, active_at=now, finished_at=now))  # fmt: skip
            for number, content in enumerate(files):
                file, digest = secrets.token_hex(8), hashlib.sha256(content).hexdigest()
                (parts.spool.folder(id) / file).write_bytes(content)
                session.add(UploadFileRow(upload=id, number=number, identity=str(number), id=file, name=parts.spool.seal_name(file, f"IM{number}"), size=len(content), held=len(content),
                                          sha256=digest))  # fmt: skip
            if request is not None:
                parts.requests.act(request, Act.RECEIVE, SENDER, session=session)
                parts.requests.act(request, Act.SUBMIT, SENDER, session=session)
            parts.ledger.add(session, "screen", id)

    def work(self) -> None:
        known = work.handlers(self.world.parts)
        self.world.parts.ledger.run_due({kind: known[kind] for kind in ("screen", "store")})

    def listed(self, who: str, view: str = "review") -> list[str]:
        return re.findall(r'/intake/([0-9a-f]{32})"', self.call(who, f"/intake?view={view}").text)

    def form(self, page: str) -> dict[str, Any]:
        """What the page's form would send with everything ticked."""
        return {name: re.findall(rf'name="{name}" value="([^"]*)"', page) for name in ("version", "shown", "keep", "looked")}


@contextmanager
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Iterator[Desk]:
    archive = ScriptedArchive()
    with world(tmp_path, monkeypatch, stores="northgate", **more) as here:
        here.archives["northgate"] = lambda asked: _northgate(archive, asked)
        handles = {}
        for subject, name in (("grant", "O. Grant"), ("lindqvist", "A. Lindqvist"), ("amsel", "T. Amsel")):
            now = utc_now()
            issuer = here.parts.settings.ehrs[0].issuer
            context = LaunchContext("R" + subject[0] * 31, "northgate", issuer, User(issuer, subject, name=name), None, None, frozenset(), now, now + timedelta(hours=1))
            handles[subject] = (context.handle, here.parts.store.open_launch(None, context, TokenSet("T", now + timedelta(hours=1))))
        yield Desk(here, archive, handles)


def _northgate(archive: ScriptedArchive, asked: Asked) -> Say:
    """What it holds, as a list of studies, too."""
    if asked.path.rstrip("/").endswith("/studies") and asked.method == "GET":
        found = {str(one.StudyInstanceUID): one for one in (dcmread(BytesIO(content)) for content in archive.held.values())}
        if asked.one("offset") != "0" or asked.one("PatientID") not in {str(one.PatientID) for one in found.values()}:
            return Say(204)
        return rows(*(
            {"0020000D": {"vr": "UI", "Value": [uid]}, "00100020": {"vr": "LO", "Value": [str(one.PatientID)]}, "00100030": {"vr": "DA", "Value": [str(one.PatientBirthDate)]},
             "00100040": {"vr": "CS", "Value": [str(one.PatientSex)]}, "00080020": {"vr": "DA", "Value": ["20260304"]}, "00081030": {"vr": "LO", "Value": ["CT pelvis"]}}
            for uid, one in found.items()
        ))  # fmt: skip
    return archive(asked)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    with desk(tmp_path, monkeypatch) as made_one:
        yield made_one


def test_from_upload_to_the_chart_and_out_of_every_view_again(here: Desk) -> None:
    request = here.ask()
    here.send(request, [made(number=number, **HERS) for number in (1, 2)])
    here.work()
    (item,) = here.listed("grant")
    page = here.call("grant", f"/intake/{item}").text
    for words in ("Is it the right person?", "Certain, one person may store", "What will change in the files", "K-9", "40771953", "Marchetti, Rosalind", "all safely kept"):
        assert words in page
    drawn = [json.loads(line) for line in here.call("grant", f"/intake/{item}/pictures?at=1,0").text.splitlines()]
    assert [(one["at"], one["words"]) for one in drawn] == [(1, "Image 2 of 2"), (0, "Image 1 of 2")]
    assert all(b64decode(one["picture"]).startswith(b"\x89PNG") for one in drawn)
    for nowhere in ("2", "-1", "", "0,", "x", ",".join(["0"] * 25)):
        assert here.call("grant", f"/intake/{item}/pictures?at={nowhere}").status_code == 404
    assert here.call("grant", f"/intake/{item}/store", here.form(page)).status_code == 303
    here.work()
    assert len(here.archive.held) == 2
    assert here.world.parts.requests.get(request).state is State.STORED
    page = here.call("grant", f"/intake/{item}").text
    assert "2 of 2 stored" in page
    assert STUDY in str(list(here.world.stream())), "the chart's list has it"
    assert here.world.parts.holdings.held(here.world.handle, "northgate", STUDY) is not None

    refused = here.call("grant", f"/intake/{item}/withdraw", here.form(page) | {"remark": "no"})
    assert refused.status_code == 400
    assert here.call("grant", f"/intake/{item}/withdraw", here.form(page) | {"remark": "It is her sister's after all"}).status_code == 303
    held = here.world.parts.holdings
    _until(lambda: held.held(here.world.handle, "northgate", STUDY) is None)
    _until(lambda: here.world.get(f"/outline/northgate/{STUDY}").status_code == 404)
    assert STUDY not in str([answer.studies for answer in here.world.parts.holdings.answers(here.world.handle)])
    page = here.call("grant", f"/intake/{item}").text
    for words in ("This study was taken out of every view", "It is her sister&#39;s after all", "O. Grant", "Marchetti, Rosalind"):
        assert words in page
    assert "All 2 received files are, byte for byte, as they came." in page
    _says_nothing_is_stored(here, request)
    # Put back: two people say why, and what the archive has is read back before anybody sees it.
    assert here.call("grant", f"/intake/{item}/restore", here.form(page)).status_code == 303
    assert held.held(here.world.handle, "northgate", STUDY) is None
    page = here.call("grant", f"/intake/{item}").text
    assert "Was taken out of view, two people and a reason" in page
    assert here.call("grant", f"/intake/{item}/store", here.form(page)).status_code == 400
    for who in ("grant", "lindqvist"):
        page = here.call(who, f"/intake/{item}").text
        assert "What makes you sure, although it was taken out of view?" in page
        assert here.call(who, f"/intake/{item}/store", here.form(page) | {"why": "Telephoned: it is hers after all"}).status_code == 303
    here.work()
    _until(lambda: held.held(here.world.handle, "northgate", STUDY) is not None)
    assert here.world.parts.requests.get(request).state is State.STORED
    assert [one["restored"] for one in here.world.audited("IntakeWithdrawn")] == [False, True]
    assert [one["stored"] + one["there"] for one in here.world.audited("IntakeStored")] == [2, 2]


def _says_nothing_is_stored(here: Desk, request: str) -> None:
    """The chart, the desk and the FHIR face say the same."""
    parts = here.world.parts
    assert (parts.requests.get(request).state, parts.requests.get(request).reason) == (State.ACCEPTED, TAKEN_OUT)
    assert fhir_wiring._stored(parts)(request) == ()
    assert TASK_STATUS[parts.requests.get(request).state] == "accepted"
    for page in (here.call("grant", f"/desk/requests/{request}").text, here.world.get(f"/requests/{request}").text):
        assert "taken out of view again" in page
        assert "In the chart since" not in page
    listed = str(list(here.world.stream()))
    assert STUDY not in listed
    assert "In the chart" not in listed


def test_two_people_by_the_pages_and_403_for_the_same_one(here: Desk) -> None:
    request = here.ask()
    here.send(request, [made(**HERS | {"AccessionNumber": "X", "IssuerOfPatientID": ""})])
    here.work()
    (item,) = here.listed("grant")
    page = here.call("grant", f"/intake/{item}").text
    assert "Not certain, two people must agree" in page
    here.call("grant", f"/intake/{item}/store", here.form(page))
    assert here.listed("grant", "second") == [item]
    page = here.call("grant", f"/intake/{item}").text
    assert "It waits for somebody else" in page
    assert here.call("grant", f"/intake/{item}/store", here.form(page)).status_code == 403
    here.work()
    assert not here.archive.held
    assert here.call("lindqvist", f"/intake/{item}/store", here.form(page)).status_code == 303
    here.work()
    assert len(here.archive.held) == 1


def test_another_birth_date_needs_words_of_both(here: Desk) -> None:
    here.send(here.ask(), [made(**HERS | {"PatientBirthDate": "19510808"})])
    here.work()
    (item,) = here.listed("grant")
    page = here.call("grant", f"/intake/{item}").text
    answer = here.call("grant", f"/intake/{item}/store", here.form(page))
    assert answer.status_code == 400
    assert "Say why" in answer.text
    for who in ("grant", "lindqvist"):
        page = here.call(who, f"/intake/{item}").text
        assert here.call(who, f"/intake/{item}/store", here.form(page) | {"why": "Typing error, confirmed by phone"}).status_code == 303
    here.work()
    assert len(here.archive.held) == 1


def test_a_disc_with_two_people_and_nobody_stores_the_other(here: Desk) -> None:
    here.send(here.ask(), [made("1", **HERS), made("2", PatientName="SMITH^JOHN", PatientID="K-1", PatientBirthDate="19400101", PatientSex="M")])
    here.work()
    (ours,), (theirs,) = here.listed("grant"), here.listed("grant", "aside")
    page = here.call("grant", f"/intake/{ours}").text
    assert "This delivery holds more than one person" in page
    aside = here.call("grant", f"/intake/{theirs}").text
    assert "Confirm and store" not in aside
    version = re.search(r'name="version" value="(\d+)"', aside)
    assert version is not None
    forged = {"keep": f"{theirs}:{version[1]}", "shown": f"{theirs}:{version[1]}", "version": version[1], "why": "I am quite sure of it"}
    for who in ("grant", "lindqvist"):
        for action in ("store", "second", "put-back", "link"):
            assert here.call(who, f"/intake/{theirs}/{action}", forged | {"request": here.world.parts.requests.of_patient("northgate", "p1")[0].id}).status_code in (400, 409)
    here.call("grant", f"/intake/{ours}/store", here.form(page))
    here.work()
    assert {str(dcmread(BytesIO(one)).StudyInstanceUID) for one in here.archive.held.values()} == {STUDY}


def test_what_nobody_asked_for_waits_and_is_linked_by_the_same_comparison(here: Desk) -> None:
    request = here.ask()
    here.send(None, [made(**HERS)], "inbound")
    here.work()
    (item,) = here.listed("grant")
    assert "Urgent" in here.call("grant", "/intake").text
    page = here.call("grant", f"/intake/{item}").text
    assert here.call("grant", f"/intake/{item}/store", here.form(page)).status_code == 409
    assert here.call("grant", f"/intake/{item}/link", here.form(page) | {"request": "RQ-NOTTHERE"}).status_code == 400
    assert here.call("grant", f"/intake/{item}/link", here.form(page) | {"request": request}).status_code == 303
    page = here.call("grant", f"/intake/{item}").text
    assert here.call("grant", f"/intake/{item}/store", here.form(page)).status_code == 303
    here.work()
    assert len(here.archive.held) == 1


def test_not_usable_is_told_to_the_sender_and_nothing_is_stored(here: Desk) -> None:
    request = here.ask()
    here.send(request, [made(**HERS)])
    here.work()
    (item,) = here.listed("grant")
    page = here.call("grant", f"/intake/{item}").text
    why = {"remark": "The head is cut off. Please send the whole series."}
    for form, words in ((here.form(page) | why, "it is not said what is wrong"), (here.form(page) | why | {"quality": "not-usable", "keep": []}, "No study is ticked")):
        said = here.call("grant", f"/intake/{item}/quality", form)
        assert (said.status_code, words in said.text, "Is it the right person?" in said.text) == (400, True, True), "said on the page itself"
    assert here.call("grant", f"/intake/{item}/quality", here.form(page) | {"quality": "not-usable", "remark": "short"}).status_code == 400
    assert here.call("grant", f"/intake/{item}/quality", here.form(page) | {"quality": "not-usable", "remark": "The head is cut off. Please send the whole series."}).status_code == 303
    asked = here.world.parts.requests.get(request)
    assert (asked.state, asked.reason) == (State.ACCEPTED, "The head is cut off. Please send the whole series.")


def test_staff_see_that_something_came_unasked_and_nothing_of_its_images(here: Desk) -> None:
    """`smart_app.desk.arrivals`"""
    here.send(here.ask(), [made("1", **HERS)])
    here.send(None, [made("2", **HERS)], "brought")
    here.send(None, [made("3", PatientName="SMITH^JOHN")], "inbound")
    here.work()
    page = here.call("amsel", "/desk/unasked").text
    assert [page.count(words) for words in ("Brought by the patient or family", "Ahead of a patient", "Urgent")] == [1, 1, 1]
    assert page.index("Ahead of a patient") < page.index("Brought by"), "urgent ones first"
    assert "/intake/" not in page
    assert re.search(r'Arrived unasked <span class="n bad">2</span>', here.call("amsel", "/desk").text)
    assert len(re.findall(r"/intake/[0-9a-f]{32}", here.call("grant", "/desk/unasked").text)) == 2
    assert [one["view"] for one in here.world.audited("DeskShown")].count("unasked") == 2


def test_staff_without_the_role_see_nothing_of_it(here: Desk) -> None:
    here.send(here.ask(), [made(**HERS)])
    here.work()
    (item,) = here.listed("grant")
    for path in ("/intake", f"/intake/{item}", f"/intake/{item}/pictures?at=0"):
        assert here.call("amsel", path).status_code == 403
    assert here.call("amsel", f"/intake/{item}/store", {}).status_code == 403
    assert here.world.get(f"/intake/{item}").status_code in (403, 404)


def _until(true: Any, seconds: float = 5) -> None:
    """Within five seconds: what safety.md P7 promises."""
    import time

    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "not within five seconds"
        time.sleep(0.1)


