"""An archive on a real socket, built from data sets and told how to misbehave: by path, by times, down to the bytes."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

STUDY, SERIES = "1.2.840.1", "1.2.840.1.1"


def instance(number: int, *, study: str = STUDY, series: str = SERIES, patient: str = "P-1", issuer: str | None = None, size: int = 64, **more) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, f"{series}.{number}"
    ds.Modality, ds.SeriesDescription, ds.SeriesNumber, ds.InstanceNumber = "CT", "Axial", 2, number
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "Doe^Jane", patient, "19610302", "F"
    if issuer is not None:
        ds.IssuerOfPatientID = issuer
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study, series
    ds.Rows = ds.Columns = size
    ds.BitsAllocated, ds.SamplesPerPixel, ds.PixelRepresentation, ds.PhotometricInterpretation = 16, 1, 0, "MONOCHROME2"
    ds.PixelData = bytes([number % 256]) * (size * size * 2)
    ds["PixelData"].VR = "OW"
    for name, value in more.items():
        setattr(ds, name, value)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    return ds


def part10(ds: Dataset) -> bytes:
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def multipart(bodies: list[bytes], kind: str, boundary: str = "fake-boundary", lengths: bool = True) -> bytes:
    out = b""
    for body in bodies:
        length = f"Content-Length: {len(body)}\r\n" if lengths else ""
        out += f"\r\n--{boundary}\r\nContent-Type: {kind}\r\n{length}Content-Location: http://10.0.0.1/secret\r\n\r\n".encode() + body
    return out[2:] + f"\r\n--{boundary}--\r\n".encode()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeArchive

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removeprefix("/dw")
        self.server.asked.append((self.path.removeprefix("/dw"), dict(self.headers)))
        for pattern, fault in list(self.server.faults.items()):
            if re.search(pattern, path):
                return fault(self)
        return self.plainly(path)

    def plainly(self, path: str) -> None:
        found = self.server.at(path)
        if not found:
            return self.reply(404, b"", "text/plain")
        if path.endswith("/metadata"):
            return self.reply(200, json.dumps([self.server.json(ds, path) for ds in found]).encode(), "application/dicom+json")
        if (wanted := re.search(r"InstanceNumber=(\d+)", self.path)) is not None:
            rows = [self.server.row(ds) for ds in found if str(ds.InstanceNumber) == wanted.group(1)]
            return self.reply(200, json.dumps(rows).encode(), "application/dicom+json")
        if path.endswith(("/series", "/instances")):
            key = "SeriesInstanceUID" if path.endswith("/series") else "SOPInstanceUID"
            rows = {ds[key].value: self.server.row(ds) for ds in found}
            return self.reply(200, json.dumps(list(rows.values()) if "offset=0" in self.path else []).encode(), "application/dicom+json")
        if "/frames/" in path and not path.endswith("/rendered"):
            numbers = path.rpartition("/")[2].split(",")
            return self.parts([found[0].PixelData for _ in numbers], "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1")
        if path.endswith("/rendered"):
            return self.reply(200, b"\xff\xd8\xff\xe0" + b"jpeg" * 100 + b"\xff\xd9", "image/jpeg")
        if "/bulk/" in path:
            return self.reply(200, b"bulk bytes", "application/octet-stream")
        return self.parts([part10(ds) for ds in found], "application/dicom")

    def parts(self, bodies: list[bytes], kind: str) -> None:
        name = kind.partition(";")[0]
        self.reply(200, multipart(bodies, kind, lengths=self.server.lengths), f'multipart/related; type="{name}"; boundary=fake-boundary')

    def reply(self, status: int, body: bytes, kind: str, *, cut: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        try:
            self.wfile.write(body if cut is None else body[:cut])
        except OSError:
            self.server.gone.set()
        if cut is not None:
            self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


class FakeArchive(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, instances: list[Dataset]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.instances = instances
        self.faults: dict[str, Callable[[Answer], None]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.gone = threading.Event()
        self.lengths = True
        self.extra: dict[str, object] = {}

    def handle_error(self, request, client_address) -> None:
        """A reader that hangs up is part of the tests."""

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/dw"

    def paths(self, ending: str) -> list[str]:
        return [path for path, _ in self.asked if path.partition("?")[0].endswith(ending)]

    def at(self, path: str) -> list[Dataset]:
        """Instances below a path. Listed by where they are kept (`kept`), whatever they say of themselves."""
        found = self.instances
        for name, key in (("studies", "StudyInstanceUID"), ("series", "SeriesInstanceUID"), ("instances", "SOPInstanceUID")):
            if (match := re.search(rf"/{name}/([0-9.]+)", path)) is not None:
                found = [ds for ds in found if getattr(ds, "kept", {}).get(key, ds[key].value) == match.group(1)]
        return found

    def row(self, ds: Dataset) -> dict[str, object]:
        keys = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "Modality",
                "SeriesDescription", "SeriesNumber", "InstanceNumber")  # fmt: skip
        row = {key: value for key, value in ds.to_json_dict().items() if pydicom.datadict.keyword_for_tag(key) in keys}
        count = sum(1 for other in self.instances if other.SeriesInstanceUID == ds.SeriesInstanceUID)
        return {**row, "00201209": {"vr": "IS", "Value": [count]}, "00081190": {"vr": "UR", "Value": ["http://10.0.0.1/secret"]}}

    def json(self, ds: Dataset, path: str) -> dict[str, object]:
        here = f"{self.base}/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"
        told = ds.to_json_dict(bulk_data_threshold=1000, bulk_data_element_handler=lambda element: f"{here}/bulk/{element.tag:08x}")
        return {**told, "00081190": {"vr": "UR", "Value": ["http://10.0.0.1/secret"]}, **self.extra}


@contextmanager
def running(instances: list[Dataset]) -> Iterator[FakeArchive]:
    server = FakeArchive(instances)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
