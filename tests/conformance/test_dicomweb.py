"""The gateway as a standard WADO-RS and QIDO-RS subset (PS3.18 10.4, 10.6): gunicorn before a real Orthanc, read by
dicomweb-client, which knows nothing of Priors; and what a broken stream looks like on the wire."""

import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless, RLELossless

from tests import peers
from tests.unit.viewer import fake, world

FILES = Path(pydicom.__file__).parent / "data" / "test_files"
ROOT = "2.25.77001"
MULTIPART = 'multipart/related; type="application/dicom"; transfer-syntax=*'
REAL = ("CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm", "693_J2KI.dcm", "MR_small_jpeg_ls_lossless.dcm",
        "image_dfl.dcm", "examples_ybr_color.dcm")  # fmt: skip
KEEP, KEEP_IDS = (0, 200_000_000), ("nothing kept", "kept")


@contextmanager
def gunicorn(archive: str, studies: dict[str, str], folder: Path, keep: int = 200_000_000):
    port = peers.free_port()
    environment = {
        **os.environ, "GATEWAY_FOLDER": str(folder), "GATEWAY_ARCHIVE": archive, "GATEWAY_URL": f"http://127.0.0.1:{port}",
        "GATEWAY_KEEP": str(keep), "GATEWAY_STUDIES": ",".join(f"{study}={patient}" for study, patient in studies.items()), "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    command = [sys.executable, "-m", "gunicorn", "-w", "1", "-k", "gthread", "--threads", "8", "--no-control-socket", "-b", f"127.0.0.1:{port}",
               "--log-level", "critical", "tests.conformance.gateway_app:app"]  # fmt: skip
    process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[2])
    try:
        root = f"http://127.0.0.1:{port}/l/{world.HANDLE}/dicomweb/kestrel"
        peers.wait_until(lambda: peers.answers(f"{root}/studies"), "the gateway")
        yield root, process.pid
    finally:
        peers.stop(process)


def stored(orthanc: str) -> dict[str, str]:
    """Put pydicom's own files into Orthanc as one patient's studies, each with UIDs of our own; study -> file."""
    names = {}
    for number, name in enumerate(REAL, 1):
        ds = pydicom.dcmread(FILES / name)
        ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "P-1", f"{ROOT}.{number}", f"{ROOT}.{number}.1"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.{number}.1.1"
        if "IssuerOfPatientID" in ds:
            del ds.IssuerOfPatientID
        out = io.BytesIO()
        pydicom.dcmwrite(out, ds, enforce_file_format=True)
        peers.store(orthanc, [out.getvalue()])
        names[f"{ROOT}.{number}"] = name
    peers.store(orthanc, [fake.part10(fake.instance(number, study=f"{ROOT}.50", series=f"{ROOT}.50.1")) for number in range(1, 8)])
    peers.store(orthanc, [fake.part10(fake.instance(1, study=f"{ROOT}.60", series=f"{ROOT}.60.1", patient="P-2"))])
    return names


@pytest.fixture(scope="module")
def names(orthanc_url: str) -> dict[str, str]:
    return stored(orthanc_url)


@pytest.fixture(scope="module")
def root(orthanc_url: str, names: dict[str, str], tmp_path_factory):
    studies = {**dict.fromkeys(names, "P-1"), f"{ROOT}.50": "P-1"}
    with gunicorn(orthanc_url, studies, tmp_path_factory.mktemp("gateway")) as (url, _):
        yield url


@pytest.fixture
def client(root: str) -> DICOMwebClient:
    client = DICOMwebClient(root)
    client.set_http_retry_params(False)
    return client


def test_qido_studies_are_the_launchs_own(client, names):
    """PS3.18 10.6.1: /studies, with its attributes and filters."""
    found = [Dataset.from_json(row) for row in client.search_for_studies()]
    assert {ds.StudyInstanceUID for ds in found} == {*names, f"{ROOT}.50"}
    assert found[0].RetrieveURL.endswith(f"/studies/{found[0].StudyInstanceUID}")
    assert client.search_for_studies(search_filters={"StudyInstanceUID": f"{ROOT}.60"}) == []
    assert len(client.search_for_studies(limit=3, offset=1)) == 3


def test_qido_series_and_instances(client):
    """PS3.18 10.6.1.2."""
    (series,) = client.search_for_series(f"{ROOT}.50")
    assert series["0020000E"]["Value"] == [f"{ROOT}.50.1"]
    assert len(client.search_for_instances(f"{ROOT}.50", f"{ROOT}.50.1")) == 7
    assert len(client.search_for_instances(f"{ROOT}.50", limit=2)) == 2


def test_wado_metadata_at_three_levels(client):
    """PS3.18 10.4.1.1.2."""
    for rows in (client.retrieve_study_metadata(f"{ROOT}.50"), client.retrieve_series_metadata(f"{ROOT}.50", f"{ROOT}.50.1")):
        assert {Dataset.from_json(row, lambda *_: b"").SOPInstanceUID for row in rows} == {f"{ROOT}.50.1.{number}" for number in range(1, 8)}
    assert client.retrieve_instance_metadata(f"{ROOT}.50", f"{ROOT}.50.1", f"{ROOT}.50.1.3")["00200013"]["Value"] == [3]


def test_wado_objects_at_three_levels(client):
    """PS3.18 10.4.1.1.1: parts are whole Part 10 objects."""
    every = (("application/dicom", "*"),)
    assert len(client.retrieve_study(f"{ROOT}.50", media_types=every)) == 7
    series = list(client.iter_series(f"{ROOT}.50", f"{ROOT}.50.1", media_types=every))
    assert sorted(ds.InstanceNumber for ds in series) == list(range(1, 8))
    one = client.retrieve_instance(f"{ROOT}.50", f"{ROOT}.50.1", f"{ROOT}.50.1.3", media_types=every)
    assert one.PixelData == bytes([3]) * 8192


def test_bulk_data_by_its_uri(client):
    """PS3.18 10.4.1.1.5: the URI in our metadata is fetched as it stands."""
    entry = client.retrieve_instance_metadata(f"{ROOT}.50", f"{ROOT}.50.1", f"{ROOT}.50.1.3")
    (value,) = client.retrieve_bulkdata(entry["7FE00010"]["BulkDataURI"])
    assert value[:8192] == bytes([3]) * 8192


@pytest.mark.parametrize("number", range(1, len(REAL) + 1))
def test_real_objects_in_their_own_syntax(root, orthanc_url, number, names):
    """As stored where Orthanc can send it so; big endian and deflated after the retreat from `*`. Frames likewise."""
    study = f"{ROOT}.{number}"
    url = f"/studies/{study}/series/{study}.1/instances/{study}.1.1"
    with urllib.request.urlopen(urllib.request.Request(root + url, headers={"Accept": "application/dicom; transfer-syntax=*"})) as answer:
        got = pydicom.dcmread(io.BytesIO(answer.read()))
    original = pydicom.dcmread(FILES / names[study])
    if original.file_meta.TransferSyntaxUID not in (ExplicitVRBigEndian, "1.2.840.10008.1.2.1.99"):
        assert got.file_meta.TransferSyntaxUID == original.file_meta.TransferSyntaxUID
        assert got.PixelData == original.PixelData
    accept = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
    with urllib.request.urlopen(urllib.request.Request(f"{root}{url}/frames/1", headers={"Accept": accept})) as answer:
        body = answer.read()
    if original.file_meta.TransferSyntaxUID in (RLELossless, JPEG2000Lossless, JPEGLSLossless):
        assert f"transfer-syntax={original.file_meta.TransferSyntaxUID}".encode() in body[:400]
    if original.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian:
        assert b"transfer-syntax=1.2.840.10008.1.2" in body[:400]
    assert b"127.0.0.1" not in body[:400]


def test_rendered_is_a_picture(root):
    """PS3.18 10.4.1.1.3 and .4."""
    base = f"{root}/studies/{ROOT}.50/series/{ROOT}.50.1"
    for path in (f"/instances/{ROOT}.50.1.3/rendered?viewport=64,64", f"/instances/{ROOT}.50.1.3/frames/1/rendered", "/thumbnail", f"/instances/{ROOT}.50.1.3/thumbnail"):
        with urllib.request.urlopen(base + path) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            assert answer.read(3) == b"\xff\xd8\xff"


@pytest.mark.parametrize("path", ["/metadata", "", "/series", f"/series/{ROOT}.60.1/instances/{ROOT}.60.1.1/frames/1", f"/series/{ROOT}.60.1/metadata"])
def test_a_study_of_another_patient_on_the_same_archive_is_not_there(root, path):
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{root}/studies/{ROOT}.60{path}")
    assert caught.value.code == 404
    caught.value.close()


def test_not_acceptable_is_406(root):
    for path, accept in (("", "text/html"), (f"/series/{ROOT}.50.1/instances/{ROOT}.50.1.1/frames/1", "text/plain"), ("/metadata", "application/dicom+xml")):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(f"{root}/studies/{ROOT}.50{path}", headers={"Accept": accept}))
        assert caught.value.code == 406
        caught.value.close()


@pytest.mark.parametrize("keep", KEEP, ids=KEEP_IDS)
def test_a_stream_cut_upstream_never_ends_cleanly_on_the_wire(tmp_path, keep):
    """The chunked answer lacks its last chunk: no client can take it for whole."""
    instances = [fake.instance(number, size=1024) for number in range(1, 5)]
    whole = fake.multipart([fake.part10(ds) for ds in instances], "application/dicom")
    kind = 'multipart/related; type="application/dicom"; boundary=fake-boundary'
    with fake.running(instances) as archive, gunicorn(archive.base, {fake.STUDY: "P-1"}, tmp_path, keep) as (root, _):
        port, path = int(root.split(":")[2].split("/")[0]), root.partition("/l/")[2]

        def read() -> bytes:
            with socket.create_connection(("127.0.0.1", port), 10) as line:
                request = f"GET /l/{path}/studies/{fake.STUDY}/series/{fake.SERIES} HTTP/1.1\r\nHost: x\r\nAccept: {MULTIPART}\r\n\r\n"
                line.sendall(request.encode())
                line.settimeout(10)
                got = b""
                while not got.endswith(b"0\r\n\r\n"):
                    piece = line.recv(1 << 20)
                    if not piece:
                        break
                    got += piece
                return got

        assert read().endswith(b"\r\n0\r\n\r\n")
        for fault in (lambda h: h.reply(200, whole, kind, cut=6_000_000), lambda h: h.reply(200, whole[:6_000_000], kind)):
            archive.faults[f"{fake.SERIES}$"] = fault
            got = read()
            assert got.startswith(b"HTTP/1.1 200")
            assert len(got) > 3_000_000
            assert not got.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("keep", KEEP, ids=KEEP_IDS)
def test_a_client_that_hangs_up_lets_the_archive_go_within_two_seconds(tmp_path, keep):
    first = fake.instance(1, size=512)

    def endless(h):
        h.send_response(200)
        h.send_header("Content-Type", 'multipart/related; type="application/dicom"; boundary=b')
        h.send_header("Connection", "close")
        h.end_headers()
        body = fake.part10(first)
        try:
            while True:
                h.wfile.write(b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + body)
        except OSError:
            h.server.gone.set()

    with fake.running([first]) as archive, gunicorn(archive.base, {fake.STUDY: "P-1"}, tmp_path, keep) as (root, _):
        archive.faults[f"{fake.SERIES}$"] = endless
        answer = urllib.request.urlopen(urllib.request.Request(f"{root}/studies/{fake.STUDY}/series/{fake.SERIES}", headers={"Accept": MULTIPART}))
        answer.read(2_000_000)
        began = time.monotonic()
        answer.close()
        assert archive.gone.wait(5)
        assert time.monotonic() - began < 2


def resident(master: int) -> int:
    """Resident bytes of the one worker of a gunicorn."""
    children = [int(pid) for task in Path(f"/proc/{master}/task").iterdir() for pid in (task / "children").read_text().split()]
    assert len(children) == 1
    return int(Path(f"/proc/{children[0]}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(("asked", "keep"), [("", 0), (f"/series/{fake.SERIES}", 600_000_000)], ids=["a study, passing", "a series, kept until it is too large"])
def test_worker_memory_is_flat_during_a_gigabyte(tmp_path, asked, keep):
    """P9: at most 64 MiB above idle. The kept series outgrows its half of the folder on the way, and comes whole all the same."""
    small = fake.instance(1, size=1024)
    body = fake.part10(small)
    count = 1_000_000_000 // len(body) + 1

    def gigabyte(h):
        h.send_response(200)
        h.send_header("Content-Type", 'multipart/related; type="application/dicom"; boundary=b')
        h.send_header("Connection", "close")
        h.end_headers()
        for _ in range(count):
            h.wfile.write(b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + body)
        h.wfile.write(b"\r\n--b--")

    with fake.running([small]) as archive, gunicorn(archive.base, {fake.STUDY: "P-1"}, tmp_path, keep) as (root, master):
        assert urllib.request.urlopen(f"{root}/studies/{fake.STUDY}/metadata").read()
        idle, most, total = resident(master), 0, 0
        archive.faults[f"/studies/{fake.STUDY}{asked}$"] = gigabyte
        with urllib.request.urlopen(urllib.request.Request(f"{root}/studies/{fake.STUDY}{asked}", headers={"Accept": MULTIPART})) as answer:
            while piece := answer.read(1 << 20):
                total += len(piece)
                most = max(most, resident(master)) if total % (32 << 20) < len(piece) else most
    assert total > 1_000_000_000
    assert most - idle <= 64 << 20, f"{idle} idle, {most} at most"
