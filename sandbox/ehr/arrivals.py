"""A study that is sent ahead while the chart is open: St Brannoc sends the local archive a CT of the patient in Emergency.

It is a copy of one that St Brannoc holds, with identifiers of its own and the local archive's patient number, as a receiving
hospital would register it. The archive keeps it for this run only.
"""

from __future__ import annotations

import http.client
import io
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pydicom

from sandbox import world
from sandbox.archive.retrieve import read_parts
from sandbox.model import DemoStudy

SENDER, RECEIVER = "stbrannoc", "northgate"
STUDY, SERIES = "marchetti-ct-today", 2
TITLE = "CT head, sent ahead by St Brannoc"


class Arrivals:
    """`archives`: key to name and origin. `last` tells what became of the last one."""

    def __init__(self, archives: Mapping[str, tuple[str, str]]) -> None:
        self._archives = archives
        self.last = ""

    @property
    def story(self) -> str:
        person = world.patient(_study().patient)
        return f"An urgent CT of the head of {person.name} goes to the archive of Northgate University."

    def send(self) -> bool:
        """Copy, register, store. Whether the archive took all of it."""
        now = datetime.now(UTC)
        try:
            parts = self._fetch()
            taken = bool(parts) and self._store(_registered(parts, now))
        except (KeyError, OSError, ValueError, http.client.HTTPException):
            taken = False
        self.last = f"Sent at {now.astimezone():%H:%M:%S}." if taken else f"Could not be sent at {now.astimezone():%H:%M:%S}: an archive did not take part."
        return taken

    def _fetch(self) -> list[bytes]:
        study = _study()
        series = next(one for one in study.series if one.number == SERIES)
        wanted = {"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'}
        status, kind, body = _call(self._archives[SENDER][1], "GET", f"/dicom-web/studies/{study.uid}/series/{study.series_uid(series)}", wanted)
        return [data for _, data in read_parts(kind, body)] if status == 200 else []

    def _store(self, objects: list[bytes]) -> bool:
        mark = uuid.uuid4().hex
        body = b"".join(b"--" + mark.encode() + b"\r\nContent-Type: application/dicom\r\n\r\n" + one + b"\r\n" for one in objects)
        headers = {"Content-Type": f'multipart/related; type="application/dicom"; boundary={mark}'}
        status, _, _ = _call(self._archives[RECEIVER][1], "POST", "/_sandbox/arrivals", headers, body + b"--" + mark.encode() + b"--\r\n")
        return status == 200


def _study() -> DemoStudy:
    return next(one for one in world.STUDIES if one.key == STUDY)


def _registered(parts: list[bytes], now: datetime) -> list[bytes]:
    """The same pictures as another study: new UIDs, the receiver's patient number and accession, now, urgent."""
    receiver, person = world.archive(RECEIVER), world.patient(_study().patient)
    series, study = _uid(), _uid()
    objects = []
    for data in parts:
        ds = pydicom.dcmread(io.BytesIO(data))
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = study, series, _uid()
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.PatientID, ds.IssuerOfPatientID = person.identifiers[receiver.identifier_system], receiver.issuer
        ds.StudyDescription, ds.RequestedProcedurePriority = TITLE, "STAT"
        ds.AccessionNumber = f"NG{now:%y-%m%d-%H%M%S}"
        ds.StudyDate = ds.SeriesDate = ds.ContentDate = ds.AcquisitionDate = f"{now:%Y%m%d}"
        ds.StudyTime = ds.SeriesTime = ds.ContentTime = ds.AcquisitionTime = f"{now:%H%M%S}"
        out = io.BytesIO()
        ds.save_as(out, enforce_file_format=True)
        objects.append(out.getvalue())
    return objects


def _uid() -> str:
    return f"2.25.{uuid.uuid4().int}"


def _call(origin: str, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, str, bytes]:
    parts = urlsplit(origin)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=20)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type") or "", answer.read()
    finally:
        connection.close()
