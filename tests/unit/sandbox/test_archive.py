"""The demo archive against an independent client and raw sockets: QIDO-RS, WADO-RS, STOW-RS, and each of its faults."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from PIL import Image

from sandbox import world
from sandbox.archive import retrieve
from sandbox.archive.app import create_archive
from sandbox.faults import Faults
from sandbox.serving import serve
from tests.unit.sandbox.demo_images import small_set

STUDY = next(one for one in world.STUDIES if one.key == "formats-images")
HOLT = world.patient("adeyemi-holt").identifiers[world.NORTHGATE_MRN]
ANY = 'multipart/related; type="application/dicom"; transfer-syntax=*'


class Running:
    def __init__(self, url: str, faults: Faults) -> None:
        self.base, self.faults, self.http = f"{url}/dicom-web", faults, requests.Session()

    def get(self, path: str, accept: str = "application/dicom+json", **how: Any) -> requests.Response:
        return self.http.get(self.base + path, headers={"Accept": accept}, timeout=60, **how)

    def client(self) -> DICOMwebClient:
        client = DICOMwebClient(self.base)
        client.set_http_retry_params(False)
        return client


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    faults = Faults()
    with serve(create_archive(small_set()["northgate"], name="northgate", faults=faults)) as server:
        yield Running(server.url, faults)


@pytest.fixture
def archive(running: Running) -> Iterator[Running]:
    running.faults.clear()
    yield running
    running.faults.clear()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Running]:
    faults = Faults()
    with serve(create_archive(tmp_path / "store", name="empty", faults=faults)) as server:
        yield Running(server.url, faults)


def _value(row: dict[str, Any], tag: str) -> Any:
    return row[tag]["Value"][0]


def _instance(number: int) -> str:
    series = next(one for one in STUDY.series if one.number == number)
    from sandbox.recipes.objects import instance_uid

    return f"/studies/{STUDY.uid}/series/{STUDY.series_uid(series)}/instances/{instance_uid(STUDY, series, 0)}"


def test_a_patient_s_studies_newest_first(archive: Running) -> None:
    rows = archive.client().search_for_studies(search_filters={"PatientID": HOLT})
    wanted = sorted(world.studies_of("adeyemi-holt", "northgate"), key=lambda one: one.days_ago or 0)
    assert [_value(row, "0020000D") for row in rows] == [one.uid for one in wanted]
    assert {_value(row, "00100021") for row in rows} == {"NORTHGATE"}
    assert rows[0]["00080061"]["Value"] == ["CT", "SEG"]
    assert _value(rows[0], "00201208") == sum(one.small for one in wanted[0].series)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (f"PatientID={HOLT}&IssuerOfPatientID=NORTHGATE", 4),
        (f"00100020={HOLT}&00100021=KESTREL", 0),
        (f"PatientID={HOLT}&ModalitiesInStudy=DX", 1),
        (f"PatientID={HOLT}&StudyDate=20260501-", 1),
        (f"PatientID={HOLT}&StudyDate=-20260501", 3),
        (f"PatientID={HOLT}&StudyDate=20260519-20260519", 1),
        ("PatientName=adeyemi*", 4),
        ("PatientName=*HOLT^T?bias", 4),
        ("PatientName=中村*", 1),
        ("AccessionNumber=NG26-0519-118", 1),
        ("StudyInstanceUID=1.2.3", 0),
        (f"PatientID={HOLT}&limit=2", 2),
        (f"PatientID={HOLT}&limit=2&offset=2", 2),
        (f"PatientID={HOLT}&limit=2&offset=4", 0),
        (f"PatientID={HOLT}&fuzzymatching=true&includefield=all", 4),
        ("PatientID=40305118 ", 4),
        ("PatientID=403051", 0),
    ],
)
def test_matching(archive: Running, query: str, count: int) -> None:
    answer = archive.get(f"/studies?{query}")
    assert (answer.status_code, len(answer.json()) if answer.content else 0) == (200 if count else 204, count)


def test_series_and_instances(archive: Running) -> None:
    client = archive.client()
    series = client.search_for_series(STUDY.uid)
    assert [_value(row, "00200011") for row in series] == [one.number for one in STUDY.series]
    instances = client.search_for_instances(STUDY.uid, STUDY.series_uid(STUDY.series[0]))
    assert [_value(row, "00200013") for row in instances] == [1, 2]
    assert archive.get("/studies?limit=few").status_code == 400


def test_rows_are_utf8_whatever_the_object_is_in(archive: Running) -> None:
    row = archive.get("/studies?PatientID=40870016&ModalitiesInStudy=US").json()[0]
    assert _value(row, "00100010")["Ideographic"] == "中村^健"
    assert _value(row, "00080005") == "ISO_IR 192"


def test_the_client_reads_whole_studies_and_metadata(archive: Running) -> None:
    client = archive.client()
    objects = client.retrieve_study(STUDY.uid, media_types=(("application/dicom", "*"),))
    assert len(objects) == sum(one.small for one in STUDY.series)
    assert {ds.PatientID for ds in objects} == {"40444901"}
    told = client.retrieve_series_metadata(STUDY.uid, STUDY.series_uid(STUDY.series[0]))
    assert len(told) == 2
    whole = archive.get(f"/studies/{STUDY.uid}/metadata").json()
    assert len(whole) == len(objects)
    assert {one["7FE00010"]["BulkDataURI"].rpartition("/studies/")[0] for one in whole} == {archive.base}


def test_an_object_leaves_as_stored_byte_for_byte(archive: Running) -> None:
    answer = archive.get(_instance(10), ANY)
    [(kind, body)] = retrieve.read_parts(answer.headers["Content-Type"], answer.content)
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert kind == "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.90"
    assert body == (small_set()["northgate"] / "formats-images" / "10" / "0001.dcm").read_bytes()
    single = archive.get(_instance(10), 'application/dicom; transfer-syntax="*"')
    assert single.content == body


@pytest.mark.parametrize("number", range(1, 14))
def test_every_encoding_is_served_plain_when_asked(archive: Running, number: int) -> None:
    answer = archive.get(_instance(number), 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.1')
    [(_, body)] = retrieve.read_parts(answer.headers["Content-Type"], answer.content)
    ds = pydicom.dcmread(io.BytesIO(body))
    assert ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    frames = archive.get(_instance(number) + "/frames/1", 'multipart/related; type="application/octet-stream"')
    [(_, frame)] = retrieve.read_parts(frames.headers["Content-Type"], frames.content)
    assert frame == ds.pixel_array.tobytes()


@pytest.mark.parametrize(
    ("number", "kind"),
    [(2, "application/octet-stream"), (4, "application/octet-stream"), (5, "image/dicom-rle"), (6, "image/jpeg"), (8, "image/jls"),
     (10, "image/jp2"), (12, "image/jphc")],
)  # fmt: skip
def test_frames_as_stored_say_what_they_are(archive: Running, number: int, kind: str) -> None:
    # unquoted, as Cornerstone's loader asks
    answer = archive.get(_instance(number) + "/frames/1", "multipart/related; type=application/octet-stream; transfer-syntax=*")
    [(told, _)] = retrieve.read_parts(answer.headers["Content-Type"], answer.content)
    assert told.partition(";")[0] == kind
    assert "transfer-syntax=1.2.840.10008.1.2" in told


def test_big_endian_frames_leave_little_endian(archive: Running) -> None:
    wanted = pydicom.dcmread(small_set()["northgate"] / "formats-images" / "4" / "0001.dcm").pixel_array
    frame = archive.client().retrieve_instance_frames(
        STUDY.uid, STUDY.series_uid(STUDY.series[3]), _instance(4).rpartition("/")[2], [1], media_types=(("application/octet-stream", "*"),)
    )[0]
    assert np.array_equal(np.frombuffer(frame, "<u2").reshape(wanted.shape), wanted)


def test_rendered_pictures(archive: Running) -> None:
    whole = Image.open(io.BytesIO(archive.get(_instance(2) + "/rendered", "image/jpeg").content))
    small = Image.open(io.BytesIO(archive.get(_instance(2) + "/rendered?viewport=64,64", "image/jpeg").content))
    bright = Image.open(io.BytesIO(archive.get(_instance(2) + "/rendered?window=10,20,linear", "image/jpeg").content))
    assert (whole.size, small.size) == ((256, 256), (64, 64))
    assert np.asarray(bright).mean() > np.asarray(whole).mean() + 50
    assert Image.open(io.BytesIO(archive.get(f"/studies/{STUDY.uid}/thumbnail", "image/jpeg").content)).size == (128, 128)
    assert archive.get(_instance(2) + "/rendered?window=a,b", "image/jpeg").status_code == 400


@pytest.mark.parametrize(
    "path",
    ["/studies/1.2.3", "/studies/1.2.3/metadata", _instance(2) + "/frames/2", _instance(2) + "/frames/0", _instance(2) + "/bulkdata/x"],
)
def test_what_is_not_there_is_404(archive: Running, path: str) -> None:
    assert archive.get(path, "*/*").status_code == 404


def test_what_cannot_be_given_is_406(archive: Running) -> None:
    documents = next(one for one in world.STUDIES if one.key == "formats-documents")
    unknown = next(one for one in documents.series if one.syntax == "unknown")
    path = f"/studies/{documents.uid}/series/{documents.series_uid(unknown)}"
    assert archive.get(path, 'multipart/related; type="application/dicom"; transfer-syntax=*').status_code == 200
    assert archive.get(f"{path}/rendered", "image/jpeg").status_code == 406
    assert archive.get(_instance(2), "text/plain").status_code == 406
    assert archive.get(_instance(2) + "/frames/1", "image/jp2").status_code == 406


def test_bulk_data_of_an_ecg(archive: Running) -> None:
    ecg = next(one for one in world.STUDIES if one.key == "parekh-ecg")
    [told] = archive.get(f"/studies/{ecg.uid}/metadata").json()
    uri = told["54000100"]["Value"][0]["54001010"]["BulkDataURI"]
    body = archive.http.get(uri, headers={"Accept": "application/octet-stream"}, timeout=20).content
    stored = pydicom.dcmread(small_set()["northgate"] / "parekh-ecg" / "1" / "0001.dcm")
    assert body == stored.WaveformSequence[0].WaveformData


# -- STOW ---------------------------------------------------------------------------------------------------------------


def _post(archive: Running, bodies: list[bytes], study: str = "") -> requests.Response:
    body = retrieve.Multipart("application/dicom")
    data = b"".join(body.stream(retrieve.Part("application/dicom", one) for one in bodies))
    url = f"{archive.base}/studies/{study}".rstrip("/")
    return archive.http.post(url, data=data, headers={"Content-Type": body.content_type, "Accept": "application/dicom+json"}, timeout=30)


def _object(name: str = "2/0001.dcm") -> bytes:
    return (small_set()["northgate"] / "formats-images" / name).read_bytes()


def test_what_is_stored_can_be_read_back(empty: Running) -> None:
    answer = _post(empty, [_object("2/0001.dcm"), _object("2/0002.dcm")])
    assert answer.status_code == 200
    assert len(answer.json()["00081199"]["Value"]) == 2
    assert "00081198" not in answer.json()
    assert len(empty.client().search_for_instances(STUDY.uid)) == 2
    back = retrieve.read_parts(*_read(empty.get(f"/studies/{STUDY.uid}", ANY)))
    assert [body for _, body in back] == [_object("2/0001.dcm"), _object("2/0002.dcm")]
    assert _post(empty, [_object()]).status_code == 200


def _read(answer: requests.Response) -> tuple[str, bytes]:
    return answer.headers["Content-Type"], answer.content


@pytest.mark.parametrize(
    ("bodies", "study", "status", "reason"),
    [
        (["2/0001.dcm", b"no DICOM"], "", 202, 0xC000),
        ([b"no DICOM"], "", 409, 0xC000),
        (["2/0001.dcm"], "1.2.3", 409, 0x0110),
        (["2/0001.dcm", "formats-documents/2/0001.dcm"], STUDY.uid, 202, 0x0110),
    ],
)
def test_each_object_s_fate_is_told(empty: Running, bodies: list[str | bytes], study: str, status: int, reason: int) -> None:
    found = [one if isinstance(one, bytes) else _object(one if one[0].isdigit() else f"../{one}") for one in bodies]
    answer = _post(empty, found, study)
    assert answer.status_code == status
    [failure] = answer.json()["00081198"]["Value"]
    assert _value(failure, "00081197") == reason


def test_a_body_that_is_no_multipart_is_refused(empty: Running) -> None:
    for content_type in ("application/dicom", "multipart/related"):
        assert empty.http.post(f"{empty.base}/studies", data=b"x", headers={"Content-Type": content_type}, timeout=10).status_code == 400


def test_a_new_start_finds_what_was_stored(tmp_path: Path) -> None:
    shutil.copytree(small_set()["northgate"] / "formats-images", tmp_path / "a")
    for _ in range(2):
        with serve(create_archive(tmp_path, name="again", faults=Faults())) as server:
            rows = requests.get(f"{server.url}/dicom-web/studies", timeout=20).json()
            assert _value(rows[0], "00201208") == sum(one.small for one in STUDY.series)


# -- access and faults --------------------------------------------------------------------------------------------------


def test_tokens_and_passwords(tmp_path: Path) -> None:
    with serve(create_archive(tmp_path, name="locked", faults=Faults(), token="let-me-in", basic=("ann", "pw"))) as server:
        url = f"{server.url}/dicom-web/studies"
        assert requests.get(url, timeout=10).status_code == 401
        assert requests.get(url, headers={"Authorization": "Bearer wrong"}, timeout=10).status_code == 401
        assert requests.get(url, headers={"Authorization": "Bearer let-me-in"}, timeout=10).status_code == 204
        assert requests.get(url, auth=("ann", "pw"), timeout=10).status_code == 204


def test_a_fault_heals_after_its_times(archive: Running) -> None:
    archive.faults.add("search-studies", "status", status=503, retry_after="2", times=2)
    answers = [archive.get(f"/studies?PatientID={HOLT}") for _ in range(3)]
    assert [one.status_code for one in answers] == [503, 503, 200]
    assert answers[0].headers["Retry-After"] == "2"


def test_faults_are_set_over_http(archive: Running) -> None:
    control = archive.base.replace("/dicom-web", "/_sandbox/faults")
    assert archive.http.post(control, json={"endpoint": "search-*", "kind": "html", "times": 1}, timeout=10).json()[0]["kind"] == "html"
    assert archive.http.post(control, json={"kind": "html", "colour": 1}, timeout=10).status_code == 400
    answer = archive.get("/studies")
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (200, "text/html")
    archive.http.post(control, json={"kind": "slow"}, timeout=10)
    assert archive.http.delete(control, timeout=10).json() == []


def test_slow_and_dripping_answers(archive: Running) -> None:
    archive.faults.add("search-studies", "slow", seconds=0.4, times=1)
    start = time.monotonic()
    archive.get(f"/studies?PatientID={HOLT}")
    assert time.monotonic() - start >= 0.4
    archive.faults.add("search-studies", "drip", bytes=200, seconds=0.05, times=1)
    start = time.monotonic()
    first = archive.get(f"/studies?PatientID={HOLT}", stream=True)
    next(first.iter_content(64))
    assert time.monotonic() - start < 0.5
    assert len(first.content) > 1000
    assert time.monotonic() - start >= 0.25


def test_a_cut_answer_ends_before_its_length(archive: Running) -> None:
    archive.faults.add("retrieve-instance", "cut", bytes=5000, times=1)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.exceptions.ConnectionError)):
        _ = archive.get(_instance(2), ANY).content
    assert archive.get(_instance(2), ANY).status_code == 200


def test_answers_that_lie(archive: Running) -> None:
    archive.faults.add("search-studies", "wrong-patient", text="66666|ELSEWHERE", times=1)
    ids = {_value(row, "00100020") for row in archive.get(f"/studies?PatientID={HOLT}").json()}
    assert ids == {HOLT, "66666"}
    archive.faults.add("search-studies", "no-issuer", times=1)
    assert all("00100021" not in row for row in archive.get(f"/studies?PatientID={HOLT}").json())
    archive.faults.add("search-studies", "ignore-filters", times=1)
    assert len({_value(row, "00100020") for row in archive.get(f"/studies?PatientID={HOLT}").json()}) > 3
    archive.faults.add("search-studies", "repeated-pages", times=2)
    pages = [archive.get(f"/studies?PatientID={HOLT}&limit=1&offset={offset}").json() for offset in (0, 1)]
    assert pages[0] == pages[1]
    archive.faults.add("retrieve-instance", "swapped-instance", times=1)
    [(_, body)] = retrieve.read_parts(*_read(archive.get(_instance(2), ANY)))
    assert pydicom.dcmread(io.BytesIO(body)).StudyInstanceUID != STUDY.uid


def test_answers_that_are_not_whole(archive: Running) -> None:
    archive.faults.add("search-studies", "partial", times=1)
    assert archive.get(f"/studies?PatientID={HOLT}").status_code == 206
    archive.faults.add("search-studies", "cap", bytes=2, times=1)
    capped = archive.get(f"/studies?PatientID={HOLT}")
    assert (len(capped.json()), "more results" in capped.headers["Warning"]) == (2, True)
    archive.faults.add("search-studies", "garbage", times=1)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        archive.get(f"/studies?PatientID={HOLT}").json()
    archive.faults.add("search-studies", "huge", bytes=3_000_000, times=1)
    assert len(archive.get("/studies").content) == 3_000_000
    archive.faults.add("retrieve-instance", "wrong-boundary", times=1)
    assert retrieve.read_parts(*_read(archive.get(_instance(2), ANY))) == []


def test_the_seventy_first_may_fail(archive: Running) -> None:
    archive.faults.add("frames", "status", status=404, after=1, times=1)
    accept = 'multipart/related; type="application/octet-stream"'
    assert [archive.get(_instance(2) + "/frames/1", accept).status_code for _ in range(3)] == [200, 404, 200]
    archive.faults.add("frames", "status", status=500, path=f"*{_instance(3)}*")
    assert [archive.get(_instance(number) + "/frames/1", accept).status_code for number in (2, 3)] == [200, 500]


def test_connections_are_kept_and_survive_refused_bodies(empty: Running) -> None:
    empty.get("/studies")
    [pool] = list(empty.http.adapters["http://"].poolmanager.pools._container.values())
    _post(empty, [b"x" * 200_000])
    empty.faults.add("store", "status", status=503, times=1)
    _post(empty, [b"x" * 200_000])
    empty.get("/studies")
    assert pool.num_connections == 1


def test_what_arrives_during_a_run_is_listed_and_leaves_the_folder_alone(empty: Running, archive: Running, tmp_path: Path) -> None:
    data = retrieve.read_parts(*_one_of(archive))[0][1]
    body = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + data + b"\r\n--x--\r\n"
    address = empty.base.replace("/dicom-web", "/_sandbox/arrivals")
    answer = empty.http.post(address, data=body, headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=x'}, timeout=60)
    assert answer.status_code == 200
    assert len(empty.get("/studies").json()) == 1
    assert list(tmp_path.rglob("*.dcm")) == []


def _one_of(archive: Running) -> tuple[str, bytes]:
    row = archive.get("/instances", params={"limit": "1"}).json()[0]
    study, series, uid = (row[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    answer = archive.get(f"/studies/{study}/series/{series}/instances/{uid}", ANY)
    return answer.headers["Content-Type"], answer.content
