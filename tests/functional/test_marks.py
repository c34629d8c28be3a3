"""A person's marks over HTTP, in a town: kept for that person and patient alone, and written to the site's own archive once, as a report that is read back."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from highdicom.sr import srread

from smart_app.audit.marks_events import MarksSaved, MarksToArchive, PictureExported
from smart_app.audit.models import AuditRecord
from smart_app.marks.filing import KIND
from smart_app.parts import Parts, build
from smart_app.wiring.marks import handlers
from tests.town import Jar, Seen, Town, events
from tests.town import town as build_town

ONE, TWO = "marchetti", "parekh"
DICOM = "application/dicom+json"


def _allow(content: dict[str, Any]) -> None:
    content["marks"] = {"save_to_archive": True, "export": "with-identity"}


@pytest.fixture(scope="module")
def allowed(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Town]:
    with build_town(tmp_path_factory.mktemp("town"), pictures, extra=_allow) as running:
        yield running


class Reader:
    """A person with one chart open."""

    def __init__(self, town: Town, patient: str, user: str = "dr-halloran") -> None:
        self.town, self.jar = town, Jar()
        self.handle = self.jar.launch(town, patient, user)
        self.rows = [row for name, data in events(self.jar.get(f"{self.base}/studies/stream")) if name == "rows" for row in data["rows"]]
        self.token = _found(r'name="csrf" content="([^"]+)"', self.jar.get(f"{self.base}/studies").text)

    @property
    def base(self) -> str:
        return f"{self.town.plan.app}/l/{self.handle}"

    def study(self, archive: str = "northgate") -> str:
        found = [row["uid"] for row in self.rows if "CT" in row["modalities"] and archive_of(row) == archive]
        assert found, [(row["uid"], row["modalities"], archive_of(row)) for row in self.rows]
        return str(found[0])

    def image(self, study: str, archive: str = "northgate") -> tuple[str, str]:
        base = f"{self.base}/dicomweb/{archive}/studies/{study}"
        series = self.jar.get(f"{base}/series").json()[0]["0020000E"]["Value"][0]
        return series, self.jar.get(f"{base}/series/{series}/metadata", Accept=DICOM).json()[0]["00080018"]["Value"][0]

    def get(self, study: str, archive: str = "northgate") -> Seen:
        return self.jar.get(f"{self.base}/marks/{archive}/{study}")

    def send(self, method: str, study: str, content: Any, *, at: str = "", archive: str = "northgate", token: str | None = None) -> Seen:
        headers = {"Content-Type": "application/json", "Origin": self.town.plan.app, "Sec-Fetch-Site": "same-origin", "X-Priors-CSRF": self.token if token is None else token, "Accept": "application/json"}
        return self.jar.send(method, f"{self.base}/marks/{archive}/{study}{at}", headers=headers, body=json.dumps(content).encode())

    def objects(self, study: str) -> set[tuple[str, str]]:
        """What the archive itself has, past the gateway."""
        archive = next(one.dicomweb for one in self.town.plan.archives if one.key == "northgate")
        rows = self.jar.get(f"{archive}/studies/{study}/instances", Accept=DICOM).json()
        return {(row["0020000E"]["Value"][0], row["00080018"]["Value"][0]) for row in rows}

    def whole(self, study: str, series: str, instance: str) -> bytes:
        """The object as the gateway serves it to this reader."""
        seen = self.jar.get(f"{self.base}/dicomweb/northgate/studies/{study}/series/{series}/instances/{instance}", Accept="application/dicom; transfer-syntax=*")
        assert seen.status == 200, seen.text[:300]
        return seen.body


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def archive_of(row: dict[str, Any]) -> str:
    return _found(r'data-archive="([^"]+)"', row["html"])


def length(series: str, instance: str, id: str = "0" * 32) -> dict[str, Any]:
    return {"id": id, "kind": "length", "name": "Nodule", "series": series, "instance": instance, "frame": 1, "points": [[1.5, 2.5], [4.5, 6.5]], "values": [{"what": "length", "value": 2.5, "unit": "mm"}]}


@pytest.fixture
def parts(allowed: Town) -> Iterator[Parts]:
    made = build(allowed.settings)
    yield made
    made.database.engine.dispose()


def recorded(parts: Parts, event: str) -> list[dict[str, Any]]:
    with parts.database.reading() as session:
        return [json.loads(row.details) for row in session.query(AuditRecord).filter_by(event=event).order_by(AuditRecord.sequence)]


def test_marks_are_there_again_for_the_same_person_and_nobody_else(allowed: Town, parts: Parts) -> None:
    reader = Reader(allowed, ONE)
    study = reader.study()
    series, instance = reader.image(study)
    assert reader.get(study).json()["version"] == 0
    saved = reader.send("PUT", study, {"version": 0, "marks": [length(series, instance)]})
    assert (saved.status, saved.json()["version"]) == (200, 1), saved.text
    again = Reader(allowed, ONE)
    assert again.get(study).json()["marks"] == [length(series, instance)]
    assert Reader(allowed, ONE, "rev-okafor").get(study).json()["marks"] == []
    assert Reader(allowed, TWO).get(study).status == 404
    assert Reader(allowed, TWO).send("PUT", study, {"version": 0, "marks": []}).status == 404
    stale = again.send("PUT", study, {"version": 0, "marks": []})
    assert (stale.status, stale.json()["now"]["version"], stale.json()["error"]["code"]) == (409, 1, "newer-marks")
    assert again.send("PUT", study, {"version": 1, "marks": []}).json()["version"] == 2
    assert [each["count"] for each in recorded(parts, MarksSaved.__name__)][-2:] == [1, 0]


def test_marks_on_what_is_not_this_patients_are_refused(allowed: Town) -> None:
    reader, other = Reader(allowed, ONE), Reader(allowed, TWO)
    study = reader.study()
    series, instance = reader.image(study)
    theirs = next(row for row in other.rows if archive_of(row))
    foreign = other.image(theirs["uid"], archive_of(theirs))
    version = reader.get(study).json()["version"]
    for place in (foreign, (series, foreign[1]), (series, "1.2.3.4"), ("1.2.3", instance)):
        refused = reader.send("PUT", study, {"version": version, "marks": [length(*place)]})
        assert refused.status in (404, 502), (place, refused.text)
    assert reader.get(study).json()["version"] == version
    assert reader.send("PUT", study, {"version": version, "marks": [{"id": 1}]}).status == 400
    assert reader.send("PUT", study, {"version": version, "marks": []}, token="").status == 403


def test_a_report_is_written_once_and_read_back(allowed: Town, parts: Parts) -> None:
    reader = Reader(allowed, ONE)
    study = reader.study()
    series, instance = reader.image(study)
    version = reader.send("PUT", study, {"version": reader.get(study).json()["version"], "marks": [length(series, instance)]}).json()["version"]
    before = reader.objects(study)
    for _ in range(2):
        told = reader.send("POST", study, {"version": version}, at="/report").json()["report"]
        assert (told["may"], told["state"], told["of"], told["current"]) == (True, "waiting", version, True)
    assert set(handlers(parts)) == {KIND}
    parts.ledger.run_due(handlers(parts))
    assert reader.get(study).json()["report"]["state"] == "stored"
    new = reader.objects(study) - before
    assert len(new) == 1
    reader.send("POST", study, {"version": version}, at="/report")
    parts.ledger.run_due(handlers(parts))
    assert reader.objects(study) - before == new
    report = srread(io.BytesIO(reader.whole(study, *next(iter(new)))))
    image = reader.jar.get(f"{reader.base}/dicomweb/northgate/studies/{study}/series/{series}/metadata", Accept=DICOM).json()[0]
    assert (report.PatientID, report.StudyInstanceUID) == (image["00100020"]["Value"][0], study)
    (group,) = report.content.get_image_measurement_groups()
    assert [(each.value, each.unit.value) for each in group.get_measurements()] == [(2.5, "mm")]
    assert [each["step"] for each in recorded(parts, MarksToArchive.__name__)] == ["asked", "stored"]
    assert reader.send("POST", study, {"version": version + 1}, at="/report").status == 409


def test_an_image_that_has_become_somebody_elses_gets_no_report(allowed: Town, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader(allowed, ONE)
    study = reader.study()
    series, instance = reader.image(study)
    version = reader.send("PUT", study, {"version": reader.get(study).json()["version"], "marks": [length(series, instance, "7" * 32)]}).json()["version"]
    before = reader.objects(study)
    reader.send("POST", study, {"version": version}, at="/report")
    other = json.dumps([{"00100020": {"vr": "LO", "Value": ["SOMEBODY"]}, "0020000D": {"vr": "UI", "Value": [study]}, "00080018": {"vr": "UI", "Value": [instance]}}]).encode()
    monkeypatch.setattr("smart_app.archives.wado.Wado.metadata", lambda *_: (200, other))
    parts.ledger.run_due(handlers(parts))
    monkeypatch.undo()
    assert reader.get(study).json()["report"]["state"] == "refused"
    assert reader.objects(study) == before


def test_it_is_not_offered_for_another_hospitals_study(allowed: Town) -> None:
    reader = Reader(allowed, ONE)
    archive = next(archive_of(row) for row in reader.rows if archive_of(row) not in ("", "northgate") and "CT" in row["modalities"])
    study = reader.study(archive)
    told = reader.get(study, archive).json()["report"]
    assert (told["may"], "own archive" in told["why"]) == (False, True)
    assert reader.send("POST", study, {"version": 0}, at="/report", archive=archive).status == 403


def test_a_picture_is_recorded_before_it_is_made(allowed: Town, town: Town, parts: Parts) -> None:
    reader = Reader(allowed, ONE)
    study = reader.study()
    series, instance = reader.image(study)
    what = {"series": series, "instance": instance, "frame": 1, "identity": True}
    assert reader.send("POST", study, what, at="/picture").json()["recorded"] is True
    assert recorded(parts, PictureExported.__name__)[-1] == {"study": study, "archive": "northgate", "series": series, "instance": instance, "frame": 1, "identity": "with"}
    assert reader.send("POST", study, what | {"instance": "1.2.3"}, at="/picture").status in (404, 502)
    assert reader.send("POST", study, what | {"frame": 0}, at="/picture").status == 400
    careful = Reader(town, ONE)
    row = next(row for row in careful.rows if "CT" in row["modalities"] and archive_of(row))
    study, archive = row["uid"], archive_of(row)
    series, instance = careful.image(study, archive)
    what = {"series": series, "instance": instance, "frame": 1}
    assert careful.send("POST", study, what | {"identity": True}, at="/picture", archive=archive).status == 403, "the default lets nobody's name out"
    assert careful.send("POST", study, what | {"identity": False}, at="/picture", archive=archive).status == 200
    assert careful.get(study, archive).json()["report"]["may"] is False
    assert careful.send("POST", study, {"version": 0}, at="/report", archive=archive).status == 403
