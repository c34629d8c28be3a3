"""An EHR and five archives that cost next to nothing: one asyncio process, answers made of bytes that are ready.

Three archives answer in their own time, one is slow, one takes every question and never answers. Each patient `u0`, `u1`, … has
`STUDIES` studies of `SLICES` images in each archive that answers. Run: `python -m bench.load.hospital PORT…` (EHR, then the archives).
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

STUDIES, SLICES = 2, 20
ROWS = COLUMNS = 512
FRAME = ROWS * COLUMNS * 2
SECONDS: tuple[float | None, ...] = tuple(
    None if one == "never" else float(one) for one in os.environ.get("HOSPITAL_SECONDS", "0.02,0.05,0.1,3.0,never").split(",")
)
"""What each archive takes for a search; None (`never`): it never answers. Pixels come without delay."""
PIXELS = bytes(range(256)) * (FRAME // 256)
BOUNDARY = b"hospital"
JSON, FHIR = "application/dicom+json", "application/fhir+json"
INSTANCE = re.compile(r"(?:/instances/(?P<instance>[0-9.]+))?(?:/frames/(?P<frame>\d+))?(?P<metadata>/metadata)?$")
PLACE = re.compile(r"/rs/studies/(?P<study>2\.25\.[0-9]+)(?:/series/(?P<series>[0-9.]+))?(?P<rest>.*)")


def number(patient: str) -> int:
    return int(patient.removeprefix("u"))


def patient_id(patient: str, archive: int) -> str:
    return f"A{archive}-{number(patient):05d}"


def study_uid(patient: str, archive: int, at: int) -> str:
    return f"2.25.{1_000_000 + number(patient) * 1000 + archive * 10 + at}"


def series_uid(study: str) -> str:
    return f"{study}.1"


def instance_uid(study: str, at: int) -> str:
    return f"{study}.1.{at + 1}"


def owner(study: str) -> tuple[str, int]:
    """(patient, archive) of a study UID."""
    value = int(study.removeprefix("2.25.")) - 1_000_000
    return f"u{value // 1000}", value % 1000 // 10


@dataclass(frozen=True)
class Reply:
    status: int
    kind: str
    body: bytes
    wait: float | None = 0.0


def chart(path: str) -> Reply:
    """The EHR's answer: the patient, and empty lists of everything else."""
    match = re.fullmatch(r"/fhir/Patient/(u\d+)", path)
    if match:
        patient = match.group(1)
        ids = [{"system": f"urn:archive:{at}", "value": patient_id(patient, at)} for at in range(len(SECONDS))]
        body = {
            "resourceType": "Patient", "id": patient, "name": [{"family": f"Load{number(patient)}", "given": ["Test"]}], "birthDate": "1970-01-01",
            "gender": "female", "identifier": ids,
        }  # fmt: skip
        return Reply(200, FHIR, json.dumps(body).encode())
    return Reply(200, FHIR, b'{"resourceType":"Bundle","type":"searchset","entry":[]}')


def archive(at: int, target: str) -> Reply:
    url = urlsplit(target)
    query = parse_qs(url.query)
    if url.path == "/rs/studies":
        return Reply(200, JSON, _studies(at, query.get("PatientID", [""])[0], int(query.get("offset", ["0"])[0])), SECONDS[at])
    match = PLACE.fullmatch(url.path)
    if match is None:
        return Reply(404, JSON, b"")
    study, series, rest = match["study"], match["series"], match["rest"]
    if series is None and rest == "/series":
        return Reply(200, JSON, _series(study, int(query.get("offset", ["0"])[0])))
    if series == series_uid(study) and rest == "/instances":
        return Reply(200, JSON, _instances(study, int(query.get("offset", ["0"])[0]), query.get("InstanceNumber", [""])[0]))
    below = INSTANCE.fullmatch(rest) if series == series_uid(study) else None
    if below is None:
        return Reply(404, JSON, b"")
    if below["metadata"]:
        return Reply(200, JSON, _metadata(study, below["instance"]))
    if below["frame"]:
        return Reply(200, 'multipart/related; type="application/octet-stream"; boundary=hospital', _frame())
    return Reply(200, 'multipart/related; type="application/dicom"; boundary=hospital', _objects(study, below["instance"]))


@lru_cache(4096)
def _studies(at: int, patient: str, offset: int) -> bytes:
    if not patient.startswith(f"A{at}-"):
        return b"[]"
    who = f"u{int(patient.removeprefix(f'A{at}-'))}"
    rows = [
        _tags({"0020000D": ("UI", study_uid(who, at, one)), "00100020": ("LO", patient), "00080020": ("DA", f"202{one}0{at + 1}15"),
               "00080061": ("CS", "CT"), "00081030": ("LO", "CT chest"), "00201206": ("IS", 1), "00201208": ("IS", SLICES),
               "00100030": ("DA", "19700101"), "00100040": ("CS", "F")})
        for one in range(STUDIES)
    ]  # fmt: skip
    return json.dumps(rows[offset:]).encode()


def _series(study: str, offset: int) -> bytes:
    return b"[]" if offset else json.dumps([_tags({**_named(study), "00080060": ("CS", "CT"), "00200011": ("IS", 1), "00201209": ("IS", SLICES)})]).encode()


def _instances(study: str, offset: int, wanted: str) -> bytes:
    found = [at for at in range(SLICES) if not wanted or str(at + 1) == wanted]
    rows = [_tags({**_named(study), "00080018": ("UI", instance_uid(study, at)), "00200013": ("IS", at + 1)}) for at in found]
    return json.dumps(rows[offset:]).encode()


@lru_cache(512)
def _metadata(study: str, instance: str | None) -> bytes:
    found = []
    for at in range(SLICES):
        if instance in (None, instance_uid(study, at)):
            data = json.loads(_dataset(study, at).to_json(bulk_data_threshold=1 << 30))
            found.append({tag: element for tag, element in data.items() if tag != "7FE00010"})
    return json.dumps(found).encode()


def _named(study: str) -> dict[str, tuple[str, str | int]]:
    patient, at = owner(study)
    return {"0020000D": ("UI", study), "0020000E": ("UI", series_uid(study)), "00100020": ("LO", patient_id(patient, at))}


def _tags(values: dict[str, tuple[str, str | int]]) -> dict[str, object]:
    return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in values.items()}


@lru_cache(1)
def _frame() -> bytes:
    head = b"--" + BOUNDARY + b"\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % FRAME
    return head + PIXELS + b"\r\n--" + BOUNDARY + b"--\r\n"


def _objects(study: str, instance: str | None) -> bytes:
    parts = []
    for at in range(SLICES):
        if instance in (None, instance_uid(study, at)):
            content = _head_of(study, at) + PIXELS
            parts.append(b"--" + BOUNDARY + b"\r\nContent-Type: application/dicom\r\nContent-Length: %d\r\n\r\n" % len(content) + content + b"\r\n")
    return b"".join(parts) + b"--" + BOUNDARY + b"--\r\n"


@lru_cache(20_000)
def _head_of(study: str, at: int) -> bytes:
    """The Part 10 object up to its pixels, which are the same in all."""
    data, out = _dataset(study, at), BytesIO()
    data.PixelData = PIXELS
    data.save_as(out, enforce_file_format=True)
    return out.getvalue()[: -len(PIXELS)]


def _dataset(study: str, at: int) -> Dataset:
    patient, where = owner(study)
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = CTImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = instance_uid(study, at)
    data.PatientID, data.PatientName, data.PatientBirthDate, data.PatientSex = patient_id(patient, where), f"Load{number(patient)}^Test", "19700101", "F"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.Modality = study, series_uid(study), "CT"
    data.InstanceNumber, data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = at + 1, ROWS, COLUMNS, 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation, data.RescaleSlope, data.RescaleIntercept = 15, 0, "1", "-1024"
    return data


async def _serve(port: int, at: int | None) -> None:
    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while (await reader.readline()) not in (b"\r\n", b""):
                    pass
                target = line.split(b" ")[1].decode()
                reply = chart(urlsplit(target).path) if at is None else archive(at, target)
                if reply.wait is None:
                    await asyncio.sleep(3600)
                elif reply.wait:
                    await asyncio.sleep(reply.wait)
                head = f"HTTP/1.1 {reply.status} X\r\nContent-Type: {reply.kind}\r\nContent-Length: {len(reply.body)}\r\n\r\n"
                writer.write(head.encode())
                writer.write(reply.body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


async def main(ports: Sequence[int]) -> None:
    await asyncio.gather(*(_serve(port, None if place == 0 else place - 1) for place, port in enumerate(ports)))


if __name__ == "__main__":
    asyncio.run(main([int(one) for one in sys.argv[1:]]))
