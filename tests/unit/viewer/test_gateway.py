"""The gateway before a misbehaving archive: what passes, what is withheld, and what each fault is called."""

import json
import threading
import time

import pytest

from smart_app.archives.multipart import MultipartFault, PartReader, boundary_of, media_type
from smart_app.archives.types import Said
from smart_app.audit.log import AuditUnavailable
from tests.unit.viewer import fake, world

SERIES = f"/studies/{fake.STUDY}/series/{fake.SERIES}"
ONE = f"{SERIES}/instances/{fake.SERIES}.1"
TWO = f"{SERIES}/instances/{fake.SERIES}.2"
FRAMES = "multipart/related; type=application/octet-stream; transfer-syntax=*"
OBJECTS = 'multipart/related; type="application/dicom"; transfer-syntax=*'


def parts(response):
    return [(part.headers, b"".join(part.chunks)) for part in PartReader([response.data], boundary_of(media_type(response.content_type)))]


def stranger(number, **more):
    """An instance of somebody else, kept by the archive among ours."""
    ds = fake.instance(number, **more)
    ds.kept = {"StudyInstanceUID": fake.STUDY, "SeriesInstanceUID": fake.SERIES}
    return ds


# What passes


def test_frame_passes_with_its_transfer_syntax_and_no_address_of_the_archive(gate, kestrel):
    response = gate.get(f"{ONE}/frames/1", FRAMES)
    assert response.status_code == 200
    ((headers, body),) = parts(response)
    assert body == kestrel.instances[0].PixelData
    assert headers == {"content-type": "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1", "content-length": str(len(body))}
    assert b"10.0.0.1" not in response.data
    assert response.headers["Cache-Control"] == "no-store"


def test_several_frames_come_in_one_answer(gate):
    assert len(parts(gate.get(f"{ONE}/frames/1,2,3", FRAMES))) == 3


def test_single_part_frame_when_asked(gate, kestrel):
    response = gate.get(f"{ONE}/frames/1", "application/octet-stream")
    assert response.content_type.startswith("application/octet-stream")
    assert response.data == kestrel.instances[0].PixelData


def test_whole_series_comes_bit_for_bit(gate, kestrel):
    for kestrel.lengths in (True, False):
        response = gate.get(SERIES, OBJECTS)
        assert [body for _, body in parts(response)] == [fake.part10(ds) for ds in kestrel.instances]


def test_one_object_alone_when_asked(gate, kestrel):
    response = gate.get(ONE, "application/dicom")
    assert response.content_type == "application/dicom"
    assert response.data == fake.part10(kestrel.instances[0])


def test_metadata_is_gzipped_and_links_only_here(gate):
    response = gate.get(f"{SERIES}/metadata", "application/dicom+json")
    assert "Content-Encoding" not in response.headers
    entries = response.get_json(force=True)
    assert len(entries) == 5
    assert entries[0]["00081190"]["Value"] == [f"http://app.localhost:1{gate.root}{ONE}"]
    uri = entries[0]["7FE00010"]["BulkDataURI"]
    assert uri.startswith(f"http://app.localhost:1{gate.root}{ONE}/bulkdata/")
    assert gate.get(f"{SERIES}/metadata", **{"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    bulk = gate.client.get(uri.removeprefix("http://app.localhost:1"))
    assert parts(bulk)[0][1] == b"bulk bytes"


def test_rendered_and_thumbnail(gate, kestrel):
    assert gate.get(f"{ONE}/rendered?window=40,400,linear&viewport=512,512&quality=80&evil=http://x").status_code == 200
    assert kestrel.paths("/rendered")[-1].endswith("?window=40,400,linear&viewport=512,512&quality=80")
    thumbnail = gate.get(f"{SERIES}/thumbnail")
    assert thumbnail.headers["X-Priors-Instance"] == f"{fake.SERIES}.3"
    assert kestrel.paths("/rendered")[-1].endswith("viewport=128,128")


@pytest.mark.parametrize("query", ["window=a,b", "viewport=0,1", "viewport=99999,1", "quality=101", "quality=0", "window=1,2,3", "viewport=1,2%0d%0aX:1"])
def test_wrong_picture_query_is_refused(gate, kestrel, query):
    assert gate.get(f"{ONE}/rendered?{query}").status_code == 400
    assert not kestrel.asked


def test_search_lists_only_held_studies(gate):
    world.held(gate.holdings, "9.9.9", "P-1", handle=world.OTHER_HANDLE)
    rows = gate.get("/studies").get_json(force=True)
    assert [row["0020000D"]["Value"] for row in rows] == [[fake.STUDY]]
    assert gate.get("/studies?StudyInstanceUID=9.9.9").get_json(force=True) == []
    assert len(gate.get(f"/studies/{fake.STUDY}/series").get_json(force=True)) == 1
    assert len(gate.get(f"{SERIES}/instances?limit=2&offset=1").get_json(force=True)) == 2
    row = gate.get(f"/studies/{fake.STUDY}/instances?SOPInstanceUID={fake.SERIES}.4").get_json(force=True)
    assert row[0]["00081190"]["Value"] == [f"http://app.localhost:1{gate.root}{SERIES}/instances/{fake.SERIES}.4"]


def test_middle_image_is_found_without_the_whole_series(gate, kestrel):
    thumbnail = gate.get(f"{SERIES}/thumbnail?viewport=512,512&middle=4")
    assert thumbnail.headers["X-Priors-Instance"] == f"{fake.SERIES}.4"
    assert kestrel.paths("/metadata") == [f"{SERIES}/instances/{fake.SERIES}.4/metadata"]
    assert gate.get(f"{SERIES}/thumbnail?middle=99").headers["X-Priors-Instance"] == f"{fake.SERIES}.3"
    assert gate.get(f"{SERIES}/thumbnail?middle=x").headers["X-Priors-Instance"] == f"{fake.SERIES}.3"


# Who may


@pytest.mark.parametrize(
    "path",
    ["/studies/1.2.840.2/metadata", "/studies/1.2.840.2/series", "/studies/1.2.840.2", "/studies/1.2.840.2/series/1.1/instances/1.1.1/frames/1",
     "/studies/1.2.840.2/series/1.1/instances/1.1.1/rendered", "/studies/1.2.840.2/series/1.1/thumbnail"],
)  # fmt: skip
def test_study_not_in_this_list_is_not_there_and_audited(gate, kestrel, path):
    response = gate.get(path, "*/*")
    assert response.status_code == 404
    assert response.get_json()["error"]["code"] == "not-found"
    assert not kestrel.asked
    assert len(gate.events("AccessDenied")) == 1


def test_another_launch_does_not_inherit_what_is_held_or_checked(gate, kestrel):
    assert gate.get(f"{ONE}/frames/1", FRAMES).status_code == 200
    other = gate.root.replace(world.HANDLE, world.OTHER_HANDLE)
    before = len(kestrel.asked)
    assert gate.client.get(f"{other}{ONE}/frames/1").status_code == 404
    assert gate.client.get(f"/l/{world.HANDLE}/dicomweb/stbrannoc{ONE}/frames/1").status_code == 404
    assert len(kestrel.asked) == before


def test_bulk_reference_is_spent_only_by_its_launch_instance_and_letters(gate, kestrel):
    uri = gate.get(f"{SERIES}/metadata").get_json(force=True)[0]["7FE00010"]["BulkDataURI"].removeprefix("http://app.localhost:1")
    world.held(gate.holdings, fake.STUDY, "P-1", handle=world.OTHER_HANDLE)
    token = uri.rpartition("/")[2]
    kestrel.asked.clear()
    wrong = [uri.replace(world.HANDLE, world.OTHER_HANDLE), uri.replace(f"{fake.SERIES}.1/", f"{fake.SERIES}.2/"), uri[:-2] + "xx", uri.replace(token, "A" * 40),
             uri.replace(token, "aHR0cDovL2V2aWwvZXZpbA"), uri.replace(token, "..%2f..")]  # fmt: skip
    for one in wrong:
        assert gate.client.get(one).status_code == 404
    assert not [path for path, _ in kestrel.asked if "bulk" in path]


@pytest.mark.parametrize("path", ["/studies/1.2.840.1%2f..%2f..%2fadmin", "/studies/1.2.840.1%0d%0aX", "/studies/../admin", "/studies/a.b", "/studies/" + "1" * 65])
def test_malformed_uid_reaches_no_archive(gate, kestrel, path):
    assert gate.get(path).status_code in (404, 400)
    assert not kestrel.asked


# Whose instance


@pytest.mark.parametrize("other", [{"patient": "P-2"}, {"study": "1.2.840.7"}, {"issuer": "urn:elsewhere"}, {"patient": ""}])
def test_foreign_instance_is_withheld_everywhere_and_audited(gate, kestrel, other):
    kestrel.instances.append(stranger(6, **other))
    metadata = gate.get(f"{SERIES}/metadata")
    assert metadata.headers["X-Priors-Withheld"] == "1"
    assert len(metadata.get_json(force=True)) == 5
    foreign = f"{SERIES}/instances/{fake.SERIES}.6"
    for path, accept in ((f"{foreign}/frames/1", FRAMES), (f"{foreign}/rendered", "image/jpeg"), (foreign, "application/dicom"), (f"{foreign}/thumbnail", "*/*")):
        response = gate.get(path, accept)
        assert response.status_code == 404, path
        assert response.get_json()["error"]["code"] == "withheld"
    series = gate.get(SERIES, OBJECTS)
    assert len(parts(series)) == 5
    assert not kestrel.paths(f"{fake.SERIES}.6/frames/1")
    assert len(gate.events("InstanceWithheld")) >= 3


def test_own_issuer_spelled_out_is_no_other_patient(gate, kestrel):
    for ds in kestrel.instances:
        ds.IssuerOfPatientID = world.ISSUER
    assert len(gate.get(f"{SERIES}/metadata").get_json(force=True)) == 5
    assert len(parts(gate.get(SERIES, OBJECTS))) == 5


def test_swapped_object_under_the_right_address_is_withheld(gate, kestrel):
    kestrel.instances[0].kept = {"SOPInstanceUID": f"{fake.SERIES}.2"}
    kestrel.instances[1].kept = {"SOPInstanceUID": "0"}
    assert gate.get(TWO, "application/dicom").status_code == 404
    assert gate.get(f"{TWO}/frames/1", FRAMES).status_code == 404


def test_unreadable_object_is_withheld_and_the_rest_comes(gate, kestrel):
    good = [fake.part10(ds) for ds in kestrel.instances]
    kestrel.faults[f"{fake.SERIES}$"] = lambda h: h.parts([good[0], b"<html>" * 100, good[1], b"", good[2][:140]], "application/dicom")
    assert [body for _, body in parts(gate.get(SERIES, OBJECTS))] == good[:2]
    assert len(gate.events("InstanceWithheld")) == 3


def test_frames_wait_for_their_instance_and_ask_once(gate, kestrel):
    answers = []
    threads = [
        threading.Thread(target=lambda n=n: answers.append(gate.get(f"{SERIES}/instances/{fake.SERIES}.{n}/frames/1", FRAMES).status_code))
        for n in (1, 2, 3, 4, 5) * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 15
    assert len(kestrel.paths("/metadata")) <= 3  # two single ones, one for the series
    assert len(gate.events("SeriesRead")) == 1


def test_outline_warms_the_check_that_pictures_need(gate, kestrel):
    outline = gate.client.get(f"/l/{world.HANDLE}/outline/kestrel/{fake.STUDY}").get_json()
    assert outline["study"]["patient"] == {"name": "DOE, Jane", "born": "2 Mar 1961", "sex": "Female", "id": "P-1"}
    assert outline["series"][0]["kind"] == "images"
    assert gate.client.get(outline["preview"]).status_code == 200
    assert gate.get(f"{SERIES}/metadata").status_code == 200
    assert gate.get(f"{SERIES}/metadata").status_code == 200
    assert kestrel.paths("/metadata").count(f"{SERIES}/metadata") == 1
    assert [event.event for event in gate.events("StudyOpened")] == ["StudyOpened"]


# Faults


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (lambda h: h.reply(404, b"", "text/plain"), 404, "not-there"),
        (lambda h: h.reply(410, b"", "text/plain"), 404, "not-there"),
        (lambda h: h.reply(401, b"", "text/plain"), 502, "refused"),
        (lambda h: h.reply(403, b"", "text/plain"), 502, "refused"),
        (lambda h: h.reply(302, b"", "text/plain", Location="http://10.0.0.1/"), 502, "redirected"),
        (lambda h: h.reply(500, b"DOE^JANE", "text/plain"), 502, "failed"),
        (lambda h: h.reply(200, b"<html>Sign in</html>", "text/html"), 502, "wrong-content"),
        (lambda h: h.reply(200, b"<html>Sign in</html>", "application/dicom+json"), 502, "wrong-content"),
        (lambda h: h.reply(200, b"{}", "application/dicom+json"), 502, "wrong-content"),
        (lambda h: h.reply(200, b'[{"a": 1},', "application/dicom+json"), 502, "wrong-content"),
        (lambda h: h.reply(200, b"[" * 100_000, "application/dicom+json"), 502, "wrong-content"),
        (lambda h: h.reply(200, b"[{}]" * 10, "application/dicom+json", cut=10), 502, "cut"),
    ],
)
def test_metadata_fault_has_its_name(gate, kestrel, fault, status, code):
    kestrel.faults["/metadata"] = fault
    for path in (f"{SERIES}/metadata", f"{ONE}/frames/1"):
        response = gate.get(path)
        assert (response.status_code, response.get_json()["error"]["code"]) == (status, code)
    assert "DOE" not in response.text


FRAME = b"\1" * 8192
GOOD = fake.multipart([FRAME], "application/octet-stream")
KIND = 'multipart/related; type="application/octet-stream"; boundary=fake-boundary'


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (lambda h: h.reply(404, b"", "text/plain"), 404, "not-there"),
        (lambda h: h.reply(503, b"", "text/plain", Retry_After="7"), 503, "overloaded"),
        (lambda h: h.reply(500, b"", "text/plain"), 502, "failed"),
        (lambda h: h.reply(200, b"<html>Sign in</html>", "text/html"), 502, "wrong-content"),
        (lambda h: h.reply(200, GOOD, KIND, cut=4000), 502, "cut"),
        (lambda h: h.reply(200, GOOD[:4000], KIND), 502, "damaged"),
        (lambda h: h.reply(200, GOOD, KIND.replace("fake-", "other-")), 502, "damaged"),
        (lambda h: h.reply(200, GOOD, "multipart/related"), 502, "damaged"),
        (lambda h: h.reply(200, GOOD, "multipart/mixed; boundary=fake-boundary"), 502, "wrong-content"),
        (lambda h: h.reply(200, fake.multipart([b"<html>"], "text/html"), KIND), 502, "wrong-content"),
        (lambda h: h.parts([FRAME, FRAME], "application/octet-stream"), 502, "wrong-content"),
        (lambda h: h.reply(200, GOOD.replace(b"--fake-boundary--", b""), KIND), 502, "damaged"),
    ],
)
def test_frame_fault_has_its_name(gate, kestrel, fault, status, code):
    kestrel.faults["/frames/"] = fault
    response = gate.get(f"{ONE}/frames/1", FRAMES)
    assert (response.status_code, response.get_json()["error"]["code"]) == (status, code)
    if status == 503:
        assert response.headers["Retry-After"] == "7"


def test_one_frame_of_three_missing_is_a_fault_not_a_short_answer(gate, kestrel):
    kestrel.faults["/frames/"] = lambda h: h.parts([FRAME, FRAME], "application/octet-stream")
    assert gate.get(f"{ONE}/frames/1,2,3", FRAMES).get_json()["error"]["code"] == "damaged"


def test_single_body_instead_of_parts_is_taken_as_one_part(gate, kestrel):
    kestrel.faults["/frames/"] = lambda h: h.reply(200, FRAME, "application/octet-stream")
    assert parts(gate.get(f"{ONE}/frames/1", FRAMES))[0][1] == FRAME


@pytest.mark.parametrize("refusal", [400, 406, 500])
def test_as_stored_is_given_up_where_it_is_refused(gate, kestrel, refusal):
    def picky(h):
        return h.reply(refusal, b"", "text/plain") if "=*" in h.headers["Accept"] else h.parts([FRAME], "application/octet-stream")

    kestrel.faults["/frames/"] = picky
    for _ in range(2):
        assert gate.get(f"{ONE}/frames/1", FRAMES).status_code == 200
    assert len(kestrel.paths("/frames/1")) == 3  # the second time it is known


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"\xff\xd8\xff\xe0 no end", b"\x89PNG but said to be jpeg"],
)
def test_picture_that_is_none(gate, kestrel, body):
    kestrel.faults["/rendered"] = lambda h: h.reply(200, body, "image/jpeg")
    assert gate.get(f"{ONE}/rendered").status_code == 502


def test_stream_that_breaks_upstream_breaks_here(tmp_path):
    with fake.running([fake.instance(n, size=2048) for n in (1, 2, 3)]) as server:
        gate = world.build(tmp_path, [world.archive(server.base)])
        world.held(gate.holdings, fake.STUDY, "P-1")
        whole = fake.multipart([fake.part10(ds) for ds in server.instances], "application/dicom")
        kind = 'multipart/related; type="application/dicom"; boundary=fake-boundary'
        for fault in (lambda h: h.reply(200, whole, kind, cut=20_000_000), lambda h: h.reply(200, whole[:20_000_000], kind)):
            server.faults[f"{fake.SERIES}$"] = fault
            response = gate.client.get(gate.root + SERIES, headers={"Accept": OBJECTS}, buffered=False)
            assert response.status_code == 200
            with pytest.raises(Exception, match=r"cut|damaged"):
                response.get_data()


def test_client_that_goes_away_lets_the_archive_go(gate, kestrel):
    started = threading.Event()

    def endless(h):
        h.send_response(200)
        h.send_header("Content-Type", 'multipart/related; type="application/dicom"; boundary=b')
        h.send_header("Connection", "close")
        h.end_headers()
        body = fake.part10(kestrel.instances[0])
        try:
            while not h.server.gone.is_set():
                h.wfile.write(b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + body)
                started.set()
        except OSError:
            h.server.gone.set()

    kestrel.faults[f"{fake.SERIES}$"] = endless
    response = gate.client.get(gate.root + SERIES, headers={"Accept": OBJECTS}, buffered=False)
    assert started.wait(5)
    began = time.monotonic()
    response.close()
    assert kestrel.gone.wait(2)
    assert time.monotonic() - began < 2


def test_bad_entries_cost_only_themselves(gate, kestrel):
    good = [kestrel.json(ds, "") for ds in kestrel.instances]
    nameless = {key: value for key, value in good[1].items() if key != "00080018"}
    numbers = {**good[2], "00100020": {"vr": "LO", "Value": [None]}}
    twice = good[0]
    body = json.dumps([None, 7, "x", [], {}, nameless, numbers, *good, twice]).encode()
    kestrel.faults["/metadata"] = lambda h: h.reply(200, body, "application/dicom+json")
    response = gate.get(f"{SERIES}/metadata")
    assert len(response.get_json(force=True)) == 5
    assert response.headers["X-Priors-Withheld"] == "7"


@pytest.mark.parametrize("change", [{"PatientBirthDate": "19740405"}, {"PatientSex": "M"}])
def test_an_object_under_the_right_number_that_names_somebody_else_is_withheld(gate, kestrel, change):
    """The row agreed; the header of one image does not (safety.md P1)."""
    world.held(gate.holdings, fake.STUDY, "P-1", expected=(Said("DOE, Jane", "1961-03-02", "Female"),))
    kestrel.instances[1] = fake.instance(2, **change)
    response = gate.get(SERIES, OBJECTS)
    assert [body for _, body in parts(response)] == [fake.part10(ds) for at, ds in enumerate(kestrel.instances) if at != 1]
    metadata = gate.get(f"{SERIES}/metadata")
    assert metadata.headers["X-Priors-Withheld"] == "1"
    assert gate.get(f"{SERIES}/instances/{fake.SERIES}.2/frames/1", FRAMES).status_code == 404
    assert {json.loads(event.details)["reason"] for event in gate.events("InstanceWithheld")} <= {"other birth date", "other sex"}


# Audit


def test_nothing_is_sent_that_cannot_be_recorded(gate, kestrel, monkeypatch):
    def full(*args, **kwargs):
        raise AuditUnavailable

    gate.get(f"{SERIES}/metadata")
    monkeypatch.setattr("smart_app.audit.log.AuditLog._append", full)
    for path in (f"{ONE}/frames/1", f"{ONE}/rendered", ONE, SERIES, f"/l/{world.HANDLE}/outline/kestrel/{fake.STUDY}", "/studies/9.9"):
        url = path if path.startswith("/l/") else gate.root + path
        response = gate.client.get(url)
        assert response.status_code == 503
        assert response.get_json()["error"]["code"] == "audit-unavailable"


def test_one_record_for_each_kind_of_access(gate):
    for _ in range(3):
        for number in (1, 2, 3):
            gate.get(f"{SERIES}/instances/{fake.SERIES}.{number}/frames/1", FRAMES)
        gate.get(f"{SERIES}/metadata")
        gate.get(f"{ONE}/rendered")
        gate.get(SERIES, OBJECTS)
    assert sorted(json.loads(event.details)["what"] for event in gate.events("SeriesRead")) == ["frames", "instance", "metadata", "rendered"]
    assert {event.patient for event in gate.events("SeriesRead")} == {"pat-1"}


def test_reader_in_the_tests_is_strict():
    with pytest.raises(MultipartFault):
        list(PartReader([b"nothing"], b"x"))


def test_one_instance_is_found_by_its_number(gate, kestrel):
    rows = gate.get(f"{SERIES}/instances?InstanceNumber=4&limit=2").get_json(force=True)
    assert [row["00080018"]["Value"] for row in rows] == [[f"{fake.SERIES}.4"]]
    assert "InstanceNumber=4" in kestrel.asked[-1][0]
    assert gate.get(f"{SERIES}/instances?InstanceNumber=4711").get_json(force=True) == []


@pytest.mark.parametrize("number", ["x", "-1", "1%0d", "99999999", "01"])
def test_no_other_number_is_passed_on(gate, kestrel, number):
    gate.get(f"{SERIES}/instances?InstanceNumber={number}")
    assert not any("InstanceNumber" in path for path, _ in kestrel.asked)
