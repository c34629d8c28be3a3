"""A small hospital for tests of the intake: requests, a spool folder, a reader of headers, an archive on a real socket, and all that is between."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from pydicom import Dataset, FileMetaDataset, dcmread, dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from smart_app.archives.registry import Archives
from smart_app.archives.stow import Stow
from smart_app.archives.types import PatientId, Said
from smart_app.archives.wado import Wado
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.config_archives import Archive
from smart_app.db import Database
from smart_app.fhir.client import FhirMissing
from smart_app.fhir.patient import PatientFacts
from smart_app.image_requests.facilities import Facilities
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, Facility, ImageRequest, NewRequest, Party, Patient, Route, RouteKind, Wanted
from smart_app.image_requests.workflow import Act
from smart_app.intake import deciding
from smart_app.intake.arrival import Arrival
from smart_app.intake.charts import Charts
from smart_app.intake.items import Items
from smart_app.intake.readback import ReadBack
from smart_app.intake.receipts import Receipts
from smart_app.intake.received import Received
from smart_app.intake.review import Review
from smart_app.intake.settling import Settling
from smart_app.intake.storing import Storing
from smart_app.intake.types import Finding, FoundStudy, Header, Kind, Level, Screened
from smart_app.intake.undo import Undo
from smart_app.jobs.ledger import Ledger
from smart_app.links.types import Purpose
from smart_app.outbound import Aside
from smart_app.sealing import Keyring
from smart_app.spool.types import ReceivedFile, Upload, UploadState
from tests.unit.archives.scripted import Asked, Say, outbound_to, rows, scripted
from tests.unit.launch.ehr_sim import MovingClock

OURS = PatientId("40018334", "NORTHGATE")
PATIENT = Patient(
    "northgate", "p1", "OKONJO, Grace Adaeze", "OKONJO", "Grace Adaeze", "1966-10-30", "Female", "40018334",
    (PatientId("40018334", "urn:northgate"), PatientId("LK-77", "urn:lakeside")),
)  # fmt: skip
NAMESPACES = {"urn:northgate": "NORTHGATE", "urn:lakeside": "LAKESIDE"}
LAKESIDE = Facility("lakeside", "Lakeside Radiology", routes=(Route(RouteKind.EMAIL, "images@lakeside.example"),))
WANTED = Wanted("MRI pelvis", "MR", accession="LK-26-3391")
STAFF = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel")
SENDER = Actor(Party.SENDER, name="M. Teller, Lakeside")
ROOT = "1.2.826.0.1.3680043.10.1557"


def made(study: str = "1", number: int = 1, *, series: str = "1", pixels: int = 0, **values: Any) -> bytes:
    """One small CT image, as bytes. UIDs are under a root of our own."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"{ROOT}.{study}", f"{ROOT}.{study}.{series}"
    dataset.SOPInstanceUID, dataset.SOPClassUID = f"{ROOT}.{study}.{series}.{number}", CTImageStorage
    said = {
        "PatientName": "OKONJO^GRACE^A", "PatientID": "LK-77", "IssuerOfPatientID": "LAKESIDE", "PatientBirthDate": "19661030", "PatientSex": "F", "AccessionNumber": "LK-26-3391",
        "StudyDate": "20260304", "StudyTime": "0912", "Modality": "CT", "StudyDescription": "CT pelvis", "InstanceNumber": number, "SeriesNumber": int(series),
        "InstitutionName": "Lakeside", "Rows": 8, "Columns": 8, "BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "PixelRepresentation": 0, "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
    } | values  # fmt: skip
    for keyword, value in said.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = bytes((number + pixels + at) % 256 for at in range(64))
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ExplicitVRLittleEndian, CTImageStorage, dataset.SOPInstanceUID
    dataset.file_meta = meta
    from io import BytesIO

    out = BytesIO()
    dcmwrite(out, dataset, enforce_file_format=True)
    return out.getvalue()


class Folder:
    """A spool as far as the intake sees one: a folder of files."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self.root, self.clock, self.uploads = root, clock, dict[str, Upload]()
        self.gone: list[str] = []

    def receive(self, id: str, files: Sequence[bytes], *, request: str | None = None, purpose: Purpose = Purpose.REQUEST, sender: str = "Lakeside Radiology") -> Upload:
        folder = self.root / id
        folder.mkdir(parents=True)
        received = []
        for at, content in enumerate(files):
            path = folder / f"{at:05d}"
            path.write_bytes(content)
            received.append(ReceivedFile(f"{id}-{at}", id, f"IM{at}", len(content), hashlib.sha256(content).hexdigest(), path))
        self.uploads[id] = Upload(id, "t", "l", purpose, request, UploadState.FINISHED, sender, self.clock(), self.clock(), tuple(received))
        return self.uploads[id]

    def upload(self, id: str) -> Upload:
        return self.uploads[id]

    def coming(self, request: str) -> set[str]:
        return {upload.id for upload in self.uploads.values() if upload.request == request and upload.id not in self.gone}

    def remove(self, session: object, upload: Upload) -> None:
        self.gone.append(upload.id)
        for file in upload.files:
            file.path.unlink(missing_ok=True)

    def sweep(self) -> int:
        return 0


class Headers:
    """Screening reduced to reading headers, in this process."""

    def screen(self, upload: Upload) -> tuple[Screened, ...]:
        return tuple(self._one(file) for file in upload.files)

    def _one(self, file: ReceivedFile) -> Screened:
        try:
            found = dcmread(file.path)
        except Exception:
            return Screened(file.id, file.name, Kind.REFUSED, "no-dicom", file.sha256, file.size)
        text: Callable[[str], str] = lambda keyword: str(found.get(keyword) or "")  # noqa: E731
        number = PatientId(text("PatientID"), text("IssuerOfPatientID")) if text("PatientID") else None
        header = Header(
            text("StudyInstanceUID"), text("SeriesInstanceUID"), text("SOPInstanceUID"), text("SOPClassUID"), str(found.file_meta.TransferSyntaxUID),
            Said(text("PatientName") or None, text("PatientBirthDate") or None, text("PatientSex") or None), number, accession=text("AccessionNumber"),
            study_date="2026-03-04", modality=text("Modality"), study_description=text("StudyDescription"), institution=text("InstitutionName"),
            series_number=int(found.SeriesNumber), instance_number=int(found.InstanceNumber),
        )  # fmt: skip
        return Screened(file.id, file.name, Kind.DICOM, "", file.sha256, file.size, file.path, header, True)


class ScriptedArchive:
    """STOW, QIDO and WADO over what it holds. `refuse`: UIDs it does not take; `lose`: it stores, and its answer is lost; `silent`: named neither way."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.posts: list[list[str]] = []
        self.refuse: set[str] = set()
        self.silent: set[str] = set()
        self.lose = self.down = self.forget = False
        self.code = 0xA700
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Say:
        if self.down:
            return Say(503)
        if asked.method == "POST":
            return self._store(asked)
        segments = asked.path.strip("/").split("/")
        if segments[-1] == "instances":
            found = [self._read(content) for content in list(self.held.values())]
            mine = [one for one in found if one.StudyInstanceUID == segments[2]]
            return rows(*({"00080018": {"vr": "UI", "Value": [one.SOPInstanceUID]}} for one in mine)) if asked.one("offset") == "0" else Say(204)
        content = self.held.get(segments[-1])
        if content is None:
            return Say(404)
        body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--b--\r\n"
        return Say(200, body, {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'})

    def _store(self, asked: Asked) -> Say:
        message = BytesParser().parsebytes(b"Content-Type: " + asked.headers["content-type"].encode() + b"\r\n\r\n" + b"")
        boundary = message.get_boundary() or ""
        parts = asked.body.split(b"--" + boundary.encode())[1:-1]
        contents = [part.split(b"\r\n\r\n", 1)[1][:-2] for part in parts]
        stored, failed = [], []
        with self._lock:
            self.posts.append([])
            for content in contents:
                dataset = self._read(content)
                uid = str(dataset.SOPInstanceUID)
                self.posts[-1].append(uid)
                name = {"00081155": {"vr": "UI", "Value": [uid]}}
                if uid in self.refuse:
                    failed.append(name | {"00081197": {"vr": "US", "Value": [self.code]}})
                    continue
                if not self.forget:
                    self.held.setdefault(uid, content)
                if uid not in self.silent:
                    stored.append(name)
        body = ({"00081199": {"vr": "SQ", "Value": stored}} if stored else {}) | ({"00081198": {"vr": "SQ", "Value": failed}} if failed else {})
        if self.lose:
            return Say(200, b"{", {"Content-Type": "application/dicom+json"}, cut=0, announce=10)
        return replace(rows(body), status=409 if not stored and failed else 202 if failed else 200)

    def _read(self, content: bytes) -> Dataset:
        from io import BytesIO

        return dcmread(BytesIO(content), stop_before_pixels=True)


def facts_of(patient: Patient, **changes: Any) -> PatientFacts:
    """The chart that a patient was written down from, with what has become of it."""
    facts = deciding.facts_of(patient)
    return replace(facts, **changes)


class Ehr:
    """Its charts, as they are this moment; None: Priors may not read it."""

    def __init__(self) -> None:
        self.charts: dict[str, PatientFacts | Exception | None] = {PATIENT.id: facts_of(PATIENT)}
        self.reads: list[str] = []

    def read(self, issuer: str, id: str) -> PatientFacts | None:
        self.reads.append(id)
        found = self.charts.get(id, FhirMissing())
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Hospital:
    database: Database
    clock: MovingClock
    ledger: Ledger
    requests: Requests
    spool: Folder
    items: Items
    arrival: Arrival
    storing: Storing
    review: Review
    undo: Undo
    receipts: Receipts
    audit: AuditLog
    ehr: Ehr
    findings: dict[str, tuple[Finding, ...]] = field(default_factory=dict)

    def ask(self, wanted: Wanted = WANTED, patient: Patient = PATIENT) -> ImageRequest:
        return self.requests.create(NewRequest(patient, wanted, LAKESIDE.routes[0], LAKESIDE.id), STAFF)

    def send(self, id: str, files: Sequence[bytes], asked: ImageRequest | None, *, purpose: Purpose = Purpose.REQUEST) -> None:
        """Received, whole, and its screening is work to be done."""
        upload = self.spool.receive(id, files, request=asked.id if asked else None, purpose=purpose)
        with self.database.transaction() as session:
            if asked is not None:
                self.requests.act(asked.id, Act.RECEIVE, SENDER, session=session)
                self.requests.act(asked.id, Act.SUBMIT, SENDER, session=session)
            self.ledger.add(session, "screen", upload.id)

    def work(self, rounds: int = 40) -> None:
        """Do all that is due, and let time pass until nothing of ours is left."""
        handlers = {"screen": self.arrival.handle, "store": self.storing.handle}
        for _ in range(rounds):
            self.ledger.run_due(handlers)
            self.clock.forward(seconds=61)

    def work_now(self) -> None:
        self.ledger.run_due({"screen": self.arrival.handle, "store": self.storing.handle})

    def all(self, asked: ImageRequest) -> tuple[Received, ...]:
        return self.items.of_scope(asked.id)


def graded(found: FoundStudy, wanted: Wanted | None, others: Sequence[FoundStudy]) -> tuple[Finding, ...]:
    asked_for = wanted is not None and wanted.accession == found.headers[0].accession
    return (Finding("exam", Level.GOOD if asked_for else Level.CARE, "Asked for" if asked_for else "Not asked for"),)


@contextmanager
def hospital(database: Database, keyring: Keyring, folder: Path, base: str, **options: Any) -> Iterator[Hospital]:
    """`base`: DICOMweb of the archive that stores."""
    clock = MovingClock()
    audit, ledger = AuditLog(database, keyring, clock), Ledger(database, clock)
    facilities = Facilities(database, keyring, clock, tenant="t")
    facilities.save(LAKESIDE)
    requests = Requests(database, keyring, audit, ledger, facilities, clock, tenant="t")
    items, receipts = Items(database, keyring, clock, tenant="t"), Receipts(database, clock)
    spool = Folder(folder / "spool", clock)
    settling = Settling(
        requests, lambda session, request: items.of_scope(request, session), lambda session, request: items.unscreened(session, spool.coming(request))
    )  # fmt: skip
    setting = Archive(key="northgate", name="Northgate", dicomweb=base, patient_id_issuer="NORTHGATE", identifier_systems=("urn:northgate",), stores=True)
    archive = next(iter(Archives([setting], read_secret=lambda ref: "")))
    outbound = outbound_to(archive_northgate=base)
    workspace = folder / "work"
    workspace.mkdir()
    ehr = Ehr()
    charts = Charts(items, audit, clock, ehr.read, NAMESPACES, "t", lambda issuer: True, "northgate")
    storing = Storing(
        database, items, receipts, Stow(outbound), ReadBack(Wado(Aside(outbound)), workspace), archive, ("urn:northgate",), workspace, clock, settling.settle,
        lambda session, item, counts: None, charts,
    )  # fmt: skip
    arrival = Arrival(database, items, spool, Headers(), graded, requests, ledger, clock, NAMESPACES, archive="northgate", settle=settling.settle, **options)
    review = Review(database, items, receipts, ledger, requests, audit, clock, settling.settle, NAMESPACES, storing.number, tenant="t", archive="northgate", charts=charts)
    undo = Undo(database, items, audit, clock, requests, settling.settle, review.verdict)
    yield Hospital(database, clock, ledger, requests, spool, items, arrival, storing, review, undo, receipts, audit, ehr)


@contextmanager
def with_scripted(database: Database, keyring: Keyring, folder: Path, **options: Any) -> Iterator[tuple[Hospital, ScriptedArchive]]:
    archive = ScriptedArchive()
    with scripted(archive) as server, hospital(database, keyring, folder, f"{server.base}/rs", **options) as made_one:
        yield made_one, archive


def by_id(items: Sequence[Received]) -> Mapping[str, Received]:
    return {one.id: one for one in items}
