"""A record that may be the patient's stays hidden until a person has compared it (`smart_app.matching.desk`), and is gone once undone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from launch.context import LaunchContext, User
from launch.session import BROWSER_COOKIE, TokenSet
from smart_app.web.csrf import Csrf
from tests.functional.listing_world import SAME_NUMBER, World, bundle, once, patient, study, world
from tests.functional.test_listing import imaging_study, listed, strip
from tests.unit.archives.scripted import fhir

ORIGIN = "http://app.localhost:8000"
SWAPPED = "19510908"
REASON = "Asked her: she gave both numbers herself"


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch) as made:
        made.archives["kestrel"] = once(study("2.25.8", "K-9"), study("2.25.9", "K-9", born=None, sex=None, day="20190304", text="SECRET SPINE"))
        yield made


class Person:
    """Somebody with an own browser and an own launch on a patient."""

    def __init__(self, hospital: World, user: str, *, patient_id: str = "p1", number: int = 0) -> None:
        self.hospital = hospital
        issuer = f"{hospital.servers['ehr'].base}/fhir"
        now = datetime.now(UTC)
        self.handle = f"P{number}{user}".replace("-", "")[:24].ljust(32, "x")
        context = LaunchContext(self.handle, "northgate", issuer, User(issuer, user, name=user), patient_id, None, frozenset({"patient/*.rs"}), now, now + timedelta(hours=1))
        self.cookie = hospital.parts.store.open_launch(None, context, TokenSet("t", now + timedelta(hours=1)))

    def list(self) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
        hospital = self.hospital
        hospital.handle, hospital.cookie = self.handle, self.cookie
        events = list(hospital.stream())
        return listed(events), strip(events)

    def get(self, path: str) -> Any:
        return self.hospital.client.get(f"/l/{self.handle}{path}", base_url=ORIGIN, headers={"Cookie": f"{BROWSER_COOKIE}={self.cookie}"})

    def post(self, path: str, *, forged: bool = False, **form: str) -> Any:
        token = "" if forged else Csrf(self.hospital.parts.keyring, ORIGIN).token(self.handle, self.cookie)
        headers = {"Cookie": f"{BROWSER_COOKIE}={self.cookie}", "Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        return self.hospital.client.post(f"/l/{self.handle}{path}", base_url=ORIGIN, headers=headers, data={"csrf": token, **form})

    def match(self) -> str:
        """The path of the one comparison that the list offers now."""
        (found,) = set(re.findall(r'data-match="([0-9a-f]{32})"', self.list()[1]["notes_html"]))
        return f"/matches/{found}"

    def seen(self, path: str) -> str:
        found = re.search(r'name="seen" value="([0-9a-f]+)"', self.get(path).text)
        return found.group(1) if found else ""

    def confirm(self, path: str, reason: str = REASON) -> Any:
        return self.post(f"{path}/confirm", reason=reason, seen=self.seen(path))

    def outline(self, uid: str, archive: str = "kestrel") -> int:
        return self.get(f"/outline/{archive}/{uid}").status_code


@pytest.fixture
def one(hospital: World) -> Person:
    return Person(hospital, "dr-one")


def test_agreeing_rows_are_listed_and_vouch_for_a_silent_one(one: Person) -> None:
    rows, said = one.list()
    assert set(rows) == {"2.25.8", "2.25.9"}
    assert said["tone"] == "all"


@pytest.mark.parametrize(("fields", "why"), [
    ({"born": SWAPPED}, "Day and month swapped?"), ({"sex": "M"}, "Decisive"), ({"name": "Marchetti^Rosaline"}, "Close spelling"), ({"born": None, "sex": None}, "Not given"),
    ({"born": "19000101"}, "Never counted as evidence"), ({"born": "19510809", "sex": "F", "name": "Penhaligon^Morwenna"}, "Different"),
])  # fmt: skip
def test_a_row_under_the_right_number_that_does_not_agree_is_hidden(hospital: World, one: Person, fields: dict[str, Any], why: str) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", text="SECRET CT", **fields), study("2.25.9", "K-9", day="20190304", text="SECRET SPINE", **fields))
    rows, said = one.list()
    assert rows == {}
    assert (said["tone"], said["none_found"]) == ("ask", False)
    assert "<strong>1 to confirm</strong>" in said["html"]
    assert "Kestrel Cancer Centre may hold 2 more studies of this patient. They stay hidden, and are not counted" in said["notes_html"]
    assert "2019 to 2026" in said["notes_html"]
    assert "SECRET" not in said["notes_html"] + said["html"]
    assert "No imaging found" not in said["notes_html"]
    assert [one.outline(uid) for uid in ("2.25.8", "2.25.9")] == [404, 404]
    page = one.get(one.match())
    assert page.status_code == 200
    assert why in page.text
    assert "SECRET" not in page.text
    assert hospital.audited("MatchCompared")[0] | {"match": ""} == {"source": "kestrel", "match": "", "patient": "p1"}
    assert {"source": "kestrel", "reason": "possible-match", "count": 1, "patient": "p1"} in hospital.audited("RowWithheld")


def test_a_silent_row_is_not_vouched_for_by_one_that_contradicts(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=SWAPPED), study("2.25.9", "K-9", born=None, sex=None), study("2.25.7", "K-9"))
    rows, _ = one.list()
    assert set(rows) == {"2.25.7"}


def test_the_chart_cannot_open_what_waits(hospital: World, one: Person) -> None:
    """The chart names the study at that archive; the archive's own row gives it another birth date."""
    base = f"{hospital.servers['kestrel'].base}/rs"
    endpoint = {"resourceType": "Endpoint", "id": "e", "status": "active", "connectionType": {"code": "dicom-wado-rs"}, "address": base}
    hospital.ehr["ImagingStudy"] = lambda asked: bundle(imaging_study(8, contained=[endpoint], endpoint=[{"reference": "#e"}]))
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=SWAPPED))
    rows, _ = one.list()
    assert "it stays closed until someone compares the two records" in rows["2.25.8"]["html"]
    assert one.outline("2.25.8") == 404


def test_one_person_confirms_what_is_only_silent_and_undoes_it(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=None, sex=None))
    path = one.match()
    assert one.confirm(path, "short").status_code == 400
    assert one.confirm(path, " ." * 4).status_code == 400
    assert one.list()[0] == {}
    done = one.confirm(path)
    assert (done.status_code, done.headers["Location"]) == (303, f"/l/{one.handle}/studies")
    rows, said = one.list()
    assert set(rows) == {"2.25.8"}
    assert said["tone"] == "all"
    assert hospital.parts.holdings.held(one.handle, "kestrel", "2.25.8") is not None
    assert "Same person" in one.get("/matches").text
    assert one.post(f"{path}/undo").status_code == 303
    assert hospital.parts.holdings.held(one.handle, "kestrel", "2.25.8") is None, "what rested on it is not served from this moment"
    assert "2.25.8" not in one.get("/studies").text
    assert one.list()[0] == {}
    assert [record["stage"] for record in hospital.audited("MatchConfirmed")] == ["confirmed"]
    assert [record["was"] for record in hospital.audited("MatchUndone")] == ["confirmed"]


def test_an_undone_link_ends_in_every_launch(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=None, sex=None))
    path, two = one.match(), Person(hospital, "dr-two")
    one.confirm(path)
    assert set(two.list()[0]) == {"2.25.8"}, "remembered for the patient, not for the launch"
    one.post(f"{path}/undo")
    assert hospital.parts.holdings.held(two.handle, "kestrel", "2.25.8") is None
    assert "2.25.8" not in two.get("/studies").text


def test_a_differing_birth_date_needs_two_people_whatever_is_sent(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=SWAPPED))
    path = one.match()
    assert "Send to a second person" in one.get(path).text
    assert one.confirm(path).status_code == 303
    assert one.list()[0] == {}
    assert "Waits for a second person" in one.list()[1]["notes_html"]
    for extra in ({}, {"second": "dr-two"}, {"state": "confirmed"}, {"by": "dr-two"}, {"needs_second": "false"}):
        assert one.post(f"{path}/confirm", reason=REASON, seen=one.seen(path) or "", **extra).status_code == 409
    again = Person(hospital, "dr-one", number=2)
    assert again.match() == path
    assert again.confirm(path).status_code == 409, "another launch of the same person is not a second one"
    assert one.list()[0] == {}
    two = Person(hospital, "dr-two")
    page = two.get(two.match()).text
    assert "dr-one is sure that this is the same person" in page
    assert REASON in page
    assert two.confirm(path).status_code == 303
    assert set(two.list()[0]) == {"2.25.8"}
    assert set(one.list()[0]) == {"2.25.8"}
    assert [record["stage"] for record in hospital.audited("MatchConfirmed")] == ["proposed", "confirmed"]
    held = hospital.parts.holdings.held(two.handle, "kestrel", "2.25.8")
    assert held is not None
    assert {said.birth_date for said in held.record.expected} == {"1951-08-09", SWAPPED}


def test_a_second_person_who_saw_another_record_confirms_nothing(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=SWAPPED, name="Marchetti^Rosalind"))
    path = one.match()
    one.confirm(path)
    two = Person(hospital, "dr-two")
    seen = (two.match(), two.seen(path))[1]
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=SWAPPED, name="Another^Name"))
    two.list()
    assert two.post(f"{path}/confirm", reason=REASON, seen=seen).status_code == 409
    assert two.list()[0] == {}


def test_a_rejected_record_is_not_offered_again(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=SWAPPED))
    path = one.match()
    assert one.post(f"{path}/reject", reason="because").status_code == 400
    assert one.post(f"{path}/reject", reason="other").status_code == 400
    assert one.post(f"{path}/reject", reason="birth-date").status_code == 303
    later = Person(hospital, "dr-two")
    rows, said = later.list()
    assert (rows, "data-match" in said["notes_html"]) == ({}, False)
    assert said["tone"] == "all"
    assert [record["reason"] for record in hospital.audited("MatchRejected")] == ["birth-date"]
    assert later.post(f"{path}/undo").status_code == 303
    assert later.match() == path


def test_leaving_it_open_changes_nothing_and_is_recorded(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=SWAPPED))
    path = one.match()
    assert one.post(f"{path}/undecided").status_code == 303
    assert one.match() == path
    assert len(hospital.audited("MatchLeftOpen")) == 1


def test_a_merged_chart_suspends_links_until_somebody_looks_again(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=None, sex=None))
    one.confirm(one.match())
    assert set(one.list()[0]) == {"2.25.8"}
    merged = [{"type": "replaces", "other": {"reference": "Patient/p7"}}]
    hospital.ehr["Patient"] = lambda asked: fhir(patient(link=merged))
    two = Person(hospital, "dr-two")
    rows, said = two.list()
    assert rows == {}
    assert "Confirmed before the chart changed" in said["notes_html"]
    assert "Not used: the chart has changed since" in two.get("/matches").text
    assert two.confirm(two.match()).status_code == 303
    assert set(two.list()[0]) == {"2.25.8"}
    hospital.ehr["Patient"] = lambda asked: fhir(patient())  # taken apart again
    assert Person(hospital, "dr-three").list()[0] == {}
    for gone in ({"active": False}, {"link": [{"type": "replaced-by", "other": {"reference": "Patient/p7"}}]}):
        hospital.ehr["Patient"] = lambda asked, gone=gone: fhir(patient(**gone))
        late = Person(hospital, "dr-four", number=len(gone) + len(str(gone)))
        assert late.list()[0] == {}
        assert late.confirm(late.match()).status_code == 409


def test_nothing_is_there_for_another_patient_and_forms_need_their_token(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=None, sex=None))
    path = one.match()
    seen = one.seen(path)
    assert one.post(f"{path}/confirm", forged=True, reason=REASON, seen=seen).status_code == 403
    hospital.ehr["Patient"] = lambda asked: fhir(patient(id="p2", identifier=[{"system": "urn:kestrel", "value": "K-10"}]))
    other = Person(hospital, "dr-one", patient_id="p2", number=5)
    other.list()
    assert other.get(path).status_code == 404
    for verb in ("confirm", "reject", "undecided", "undo"):
        assert other.post(f"{path}/{verb}", reason=REASON, seen=seen).status_code == 404
    assert one.get(f"{path}/confirm").status_code == 405
    assert one.get("/matches/" + "0" * 32).status_code == 404
    assert one.list()[0] == {}


def test_links_cannot_be_read_in_a_stolen_database(hospital: World, one: Person, tmp_path: Path) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", "K-9", born=SWAPPED, name="CANARY^ROSALIND"))
    one.confirm(one.match())
    raw = b"".join(file.read_bytes() for file in tmp_path.glob("priors.sqlite3*"))
    assert not [word for word in (b"CANARY^", REASON.encode(), SWAPPED.encode()) if word in raw]


def test_a_local_number_of_somebody_else_is_still_nobodys_here(hospital: World, one: Person) -> None:
    hospital.archives["kestrel"] = once(study("2.25.8", SAME_NUMBER, born=SWAPPED))
    rows, said = one.list()
    assert rows == {}
    assert "data-match" not in said["notes_html"]
