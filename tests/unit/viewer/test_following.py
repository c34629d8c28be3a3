"""Kept images before a real archive on a socket: one retrieval for all, judged anew for each launch, nothing withheld or cut ever kept."""

import os
import threading
import time

import pytest

from smart_app.archives.registry import Archives
from smart_app.archives.types import Answer, PatientId, SourceState, StudyRecord
from smart_app.audit.events import Who
from smart_app.holdings.store import Held
from smart_app.viewer import filling
from smart_app.viewer.ahead import Ahead
from smart_app.viewer.asking import Ask
from smart_app.viewer.filling import Filler
from smart_app.viewer.lanes import Lanes, Seats
from smart_app.viewer.retold import FAULTS
from smart_app.viewer.shelf import Shelf
from tests.unit.viewer import fake, world
from tests.unit.viewer.test_gateway import FRAMES, OBJECTS, ONE, SERIES, parts, stranger

KEEP = 100_000_000
WHOLE_PATH = f"/studies/{fake.STUDY}/series/{fake.SERIES}"


@pytest.fixture
def kept(tmp_path, kestrel):
    built = world.build(tmp_path, [world.archive(kestrel.base)], keep=KEEP)
    world.held(built.holdings, fake.STUDY, "P-1")
    yield built
    built.db.engine.dispose()


def series_asked(kestrel):
    return kestrel.paths(fake.SERIES)


def until(true, seconds=10.0):
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    assert true()


def entries(gate):
    return [path for path in gate.shelf._root.iterdir() if path.is_dir()]


def opened(gate, kestrel):
    """The launch has read the metadata and the series: it lies on the shelf."""
    assert gate.get(f"{SERIES}/metadata").status_code == 200
    assert len(parts(gate.get(SERIES, OBJECTS))) == len(kestrel.instances)
    until(lambda: [path.suffix for path in entries(gate)] == [""])


# One retrieval


def test_a_series_is_retrieved_once_for_all_who_look(kept, kestrel):
    opened(kept, kestrel)
    for _ in range(3):
        assert [body for _, body in parts(kept.get(SERIES, OBJECTS))] == [fake.part10(ds) for ds in kestrel.instances]
    assert len(series_asked(kestrel)) == 1


def test_frames_come_out_of_what_is_kept(kept, kestrel):
    opened(kept, kestrel)
    for number, ds in enumerate(kestrel.instances, 1):
        response = kept.get(f"{SERIES}/instances/{fake.SERIES}.{number}/frames/1", FRAMES)
        ((headers, body),) = parts(response)
        assert body == ds.PixelData
        assert headers["content-type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
        assert kept.get(f"{SERIES}/instances/{fake.SERIES}.{number}/frames/1", "application/octet-stream").data == ds.PixelData
    assert not [path for path, _ in kestrel.asked if "/frames/" in path]
    assert kept.get(f"{ONE}/frames/2", FRAMES).status_code == 200  # there is no such frame here: the archive's answer
    assert len(kestrel.paths("/frames/2")) == 1


def test_a_frame_in_another_form_is_the_archives_to_give(kept, kestrel):
    opened(kept, kestrel)
    kept.get(f"{ONE}/frames/1", "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50")
    assert len(kestrel.paths("/frames/1")) == 1


def test_many_who_ask_at_once_share_one_retrieval_and_get_all_of_it(kept, kestrel):
    slow = threading.Event()

    def slowly(h):
        slow.wait(5)
        h.plainly(WHOLE_PATH)

    kestrel.faults[f"{fake.SERIES}$"] = slowly
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(len(parts(kept.get(SERIES, OBJECTS))))) for _ in range(6)]
    for thread in threads:
        thread.start()
    until(lambda: len(series_asked(kestrel)) == 1)
    time.sleep(0.5)  # for the other five to come in while it is under way, on a busy machine too
    slow.set()
    for thread in threads:
        thread.join()
    assert answers == [5] * 6
    assert len(series_asked(kestrel)) == 1
    assert len(kept.events("SeriesRead")) == 1


def test_an_image_that_is_not_here_yet_is_fetched_by_itself_at_once(kept, kestrel):
    """The series is on its way and stands still; the frame does not wait for it."""
    go = threading.Event()

    def stalls(h):
        h.send_response(200)
        h.send_header("Content-Type", 'multipart/related; type="application/dicom"; boundary=b')
        h.send_header("Connection", "close")
        h.end_headers()
        h.wfile.write(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + fake.part10(kestrel.instances[0]))
        h.wfile.flush()
        go.wait(10)

    kestrel.faults[f"{fake.SERIES}$"] = stalls
    kept.client.get(f"/l/{world.HANDLE}/outline/kestrel/{fake.STUDY}")
    until(lambda: series_asked(kestrel))
    response = kept.get(f"{SERIES}/instances/{fake.SERIES}.4/frames/1", FRAMES)
    assert parts(response)[0][1] == kestrel.instances[3].PixelData
    go.set()
    until(lambda: not entries(kept))


# Whose


def test_filled_for_one_patient_it_is_not_there_for_another(kept, kestrel):
    """safety.md Z3: filled as P-1, asked by a launch that does not hold the study, and by one for which it is another patient's."""
    opened(kept, kestrel)
    other = kept.root.replace(world.HANDLE, world.OTHER_HANDLE)
    before = len(kestrel.asked)
    for path in (SERIES, f"{ONE}/frames/1", ONE, f"{SERIES}/metadata"):
        assert kept.client.get(other + path).status_code == 404, path
    assert len(kestrel.asked) == before
    world.held(kept.holdings, fake.STUDY, "P-2", handle=world.OTHER_HANDLE)
    for path, accept in ((SERIES, OBJECTS), (f"{ONE}/frames/1", FRAMES)):
        response = kept.client.get(other + path, headers={"Accept": accept})
        assert response.status_code == 404
        assert response.get_json()["error"]["code"] == "withheld"
        assert kestrel.instances[0].PixelData not in response.data
    told = [event.launch for event in kept.events("InstanceWithheld")]
    assert len(told) >= 5


def test_another_launch_of_the_same_patient_has_to_be_told_of_it_first(kept, kestrel):
    opened(kept, kestrel)
    world.held(kept.holdings, fake.STUDY, "P-1", handle=world.OTHER_HANDLE)
    other = kept.root.replace(world.HANDLE, world.OTHER_HANDLE)
    metadata = len(kestrel.paths("/metadata"))
    assert len(parts(kept.client.get(other + SERIES, headers={"Accept": OBJECTS}, buffered=True))) == 5
    assert len(kestrel.paths("/metadata")) == metadata + 1, "its own question, whether these are the instances"
    assert len(series_asked(kestrel)) == 1
    assert len(kept.events("SeriesRead")) == 3  # metadata and series of one, series of the other


def test_a_study_that_is_no_longer_held_is_not_there_although_it_is_kept(kept, kestrel, monkeypatch):
    opened(kept, kestrel)
    monkeypatch.setattr("smart_app.viewer.asking.KEEP_SECONDS", 0.0)
    time.sleep(2.1)
    kept.holdings.save_answer(world.HANDLE, Answer("kestrel", "Kestrel", "Kestrel", SourceState.OK, ()))
    for path, accept in ((SERIES, OBJECTS), (f"{ONE}/frames/1", FRAMES)):
        assert kept.get(path, accept).status_code == 404


def test_what_changed_at_the_archive_is_fetched_again(kept, kestrel):
    opened(kept, kestrel)
    kestrel.instances.append(fake.instance(6))
    world.held(kept.holdings, fake.STUDY, "P-1", handle=world.OTHER_HANDLE)
    other = kept.root.replace(world.HANDLE, world.OTHER_HANDLE)
    assert len(parts(kept.client.get(other + SERIES, headers={"Accept": OBJECTS}, buffered=True))) == 6
    del kestrel.instances[0]
    world.held(kept.holdings, fake.STUDY, "P-1", handle="z" * 43)
    last = kept.root.replace(world.HANDLE, "z" * 43)
    bodies = [body for _, body in parts(kept.client.get(last + SERIES, headers={"Accept": OBJECTS}, buffered=True))]
    assert bodies == [fake.part10(ds) for ds in kestrel.instances]


def test_where_the_archive_asks_for_the_users_own_token_nothing_is_shared(tmp_path, kestrel):
    settings = world.archive(kestrel.base, credential={"kind": "ehr-token", "ehr": "northgate"})
    gate = world.build(tmp_path, [settings], keep=KEEP)
    world.held(gate.holdings, fake.STUDY, "P-1")
    world.held(gate.holdings, fake.STUDY, "P-1", handle=world.OTHER_HANDLE)
    for root in (gate.root, gate.root.replace(world.HANDLE, world.OTHER_HANDLE), gate.root):
        assert gate.client.get(f"{root}{SERIES}/metadata").status_code == 200
        assert len(parts(gate.client.get(root + SERIES, headers={"Accept": OBJECTS}, buffered=True))) == 5
        until(lambda: not [path for path in entries(gate) if path.suffix])
    assert len(series_asked(kestrel)) == 2


def test_names_tell_tenant_archive_patient_study_and_series_apart(tmp_path, kestrel):
    on = Shelf(tmp_path / "frames", b"k" * 32, most=1000, seconds=60)

    def name(tenant="default", series="1.1", study="1", key="kestrel", base=kestrel.base, patients=(("P-1", "urn:a"),)):
        (archive,) = Archives([world.archive(base, key=key)], read_secret=lambda ref: "")
        ids = tuple(PatientId(*one) for one in patients)
        held = Held(study, key, ids[0], StudyRecord(study, key, "Kestrel", key, ids[0]), ids)
        ask = Ask(world.context(), Who.nobody("default", "", ""), archive, held, None)
        return Filler(None, on, Seats(), tenant=tenant).name(ask, series)

    variants = [
        name(), name(tenant="other"), name(series="1.2"), name(study="2"), name(key="stbrannoc"), name(base=kestrel.base + "/other"),
        name(patients=[("P-2", "urn:a")]), name(patients=[("P-1", "urn:b")]), name(patients=[("P-1", "urn:a"), ("P-2", "urn:a")]),
        name(patients=[("P-1urn:", "a")]),
    ]  # fmt: skip
    assert len(set(variants)) == len(variants)
    assert name(patients=[("P-2", "urn:a"), ("P-1", "urn:a")]) == name(patients=[("P-1", "urn:a"), ("P-2", "urn:a")])


# What is never kept


@pytest.mark.parametrize("other", [{"patient": "P-2"}, {"study": "1.2.840.7"}, {"issuer": "urn:elsewhere"}])
def test_a_withheld_image_is_on_no_disk_and_its_series_is_not_kept(kept, kestrel, other):
    foreign = stranger(6, **other)
    foreign.PixelData = b"FOREIGN!" * 1024
    kestrel.instances.append(foreign)
    seen = []
    kestrel.faults[f"{fake.SERIES}$"] = lambda h: (h.plainly(WHOLE_PATH), seen.extend(path.read_bytes() for path in kept.shelf._root.rglob("data")))
    for count in (1, 2):
        assert len(parts(kept.get(SERIES, OBJECTS))) == 5
        until(lambda: not entries(kept))
        assert len(kept.events("InstanceWithheld")) == count
    assert not any(b"FOREIGN!" in data for data in seen)
    assert len(series_asked(kestrel)) == 2


def test_a_series_that_breaks_off_is_not_kept_and_does_not_end_as_if_whole(tmp_path):
    with fake.running([fake.instance(number, size=1024) for number in range(1, 5)]) as server:
        gate = world.build(tmp_path, [world.archive(server.base)], keep=KEEP)
        world.held(gate.holdings, fake.STUDY, "P-1")
        whole = fake.multipart([fake.part10(ds) for ds in server.instances], "application/dicom")
        kind = 'multipart/related; type="application/dicom"; boundary=fake-boundary'
        for fault in (lambda h: h.reply(200, whole, kind, cut=6_000_000), lambda h: h.reply(200, whole[:6_000_000], kind)):
            server.faults[f"{fake.SERIES}$"] = fault
            response = gate.client.get(gate.root + SERIES, headers={"Accept": OBJECTS}, buffered=False)
            assert response.status_code == 200
            with pytest.raises(Exception, match=r"cut|damaged"):
                response.get_data()
            until(lambda: not entries(gate))
        server.faults.clear()
        assert len(parts(gate.get(SERIES, OBJECTS))) == 4


def test_a_part_of_a_series_is_passed_on_as_a_part_and_not_kept(kept, kestrel):
    body = fake.multipart([fake.part10(ds) for ds in kestrel.instances[:3]], "application/dicom")
    kestrel.faults[f"{fake.SERIES}$"] = lambda h: h.reply(206, body, 'multipart/related; type="application/dicom"; boundary=fake-boundary')
    response = kept.get(SERIES, OBJECTS)
    assert response.status_code == 206
    assert len(parts(response)) == 3
    until(lambda: not entries(kept))


@pytest.mark.parametrize(("status", "code"), [(404, "not-there"), (503, "overloaded"), (500, "failed"), (401, "refused")])
def test_a_fault_of_the_shared_retrieval_is_everybodys_fault_with_its_name(kept, kestrel, status, code):
    kestrel.faults[f"{fake.SERIES}$"] = lambda h: (time.sleep(0.2), h.reply(status, b"", "text/plain", Retry_After="7"))
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(kept.get(SERIES, OBJECTS))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.get_json()["error"]["code"] for answer in answers} == {code}
    if status == 503:
        assert {answer.headers["Retry-After"] for answer in answers} == {"7"}


def test_a_series_larger_than_may_be_kept_still_comes_whole(tmp_path):
    with fake.running([fake.instance(number, size=256) for number in range(1, 9)]) as server:
        gate = world.build(tmp_path, [world.archive(server.base)], keep=1_000_000)
        world.held(gate.holdings, fake.STUDY, "P-1")
        for _ in range(3):
            bodies = sorted(body for _, body in parts(gate.get(SERIES, OBJECTS)))
            assert bodies == sorted(fake.part10(ds) for ds in server.instances)
            until(lambda: not entries(gate))
        assert len(series_asked(server)) == 4, "the first time once more for the rest; then it is known to be too large"


def test_a_full_disk_is_nobodys_fault(kept, kestrel, monkeypatch):
    written = []

    def full(self, at, content):
        written.append(at)
        if len(written) > 6:
            raise OSError(28, "No space left on device")
        os.pwrite(self._data, content, at)

    monkeypatch.setattr("smart_app.viewer.writing.Writer.put", full)
    assert sorted(body for _, body in parts(kept.get(SERIES, OBJECTS))) == sorted(fake.part10(ds) for ds in kestrel.instances)
    until(lambda: not entries(kept))


def test_a_shelf_without_bytes_is_no_shelf(tmp_path, kestrel):
    gate = world.build(tmp_path, [world.archive(kestrel.base)])
    world.held(gate.holdings, fake.STUDY, "P-1")
    for _ in range(2):
        gate.get(SERIES, OBJECTS)
    assert len(series_asked(kestrel)) == 2
    assert not (tmp_path / "frames").exists()


# Ahead


def test_opening_a_study_fetches_its_first_series_and_then_the_next(kept, kestrel, monkeypatch):
    monkeypatch.setattr("smart_app.viewer.ahead.PAUSE", 0.05)
    for series in (2, 3):
        kestrel.instances += [fake.instance(number, series=f"{fake.SERIES}.{series}", SeriesNumber=series + 1) for number in (1, 2)]
    kept.client.get(f"/l/{world.HANDLE}/outline/kestrel/{fake.STUDY}")
    until(lambda: kestrel.paths(f"{fake.SERIES}.2"))
    until(lambda: len([path for path in entries(kept) if not path.suffix]) == 2)
    assert len(series_asked(kestrel)) == 1
    assert not kestrel.paths(f"{fake.SERIES}.3"), "one series ahead, not all"
    assert [event.event for event in kept.events("SeriesRead")] == [], "nothing was sent, so nobody saw it"
    assert len(parts(kept.get(SERIES, OBJECTS))) == 5
    assert len(series_asked(kestrel)) == 1


def test_nothing_is_fetched_ahead_for_a_launch_that_has_ended(kept, kestrel, monkeypatch):
    monkeypatch.setattr("smart_app.viewer.ahead.PAUSE", 0.0)
    begun, live = [], []

    class Recorded:
        def ahead(self, ask, series):
            begun.append(series)
            return Ended()

    class Ended:
        end = object()

    class Opened:
        handle = "h"

    Ahead(Recorded(), lambda handle: bool(live)).opened(Opened(), ["1", "2", "3"])
    time.sleep(0.3)
    assert begun == ["1"]
    live.append(True)
    Ahead(Recorded(), lambda handle: bool(live)).opened(Opened(), ["1", "2", "3"])
    until(lambda: begun == ["1", "1", "2"])


def test_a_series_for_which_nobody_waits_is_given_up(kept, kestrel, monkeypatch):
    monkeypatch.setattr(filling, "AHEAD_SECONDS", 0.2)
    monkeypatch.setattr(filling, "HOLD_SECONDS", 0.0)
    body = fake.part10(kestrel.instances[0])

    def endless(h):
        h.send_response(200)
        h.send_header("Content-Type", 'multipart/related; type="application/dicom"; boundary=b')
        h.send_header("Connection", "close")
        h.end_headers()
        try:
            while True:
                h.wfile.write(b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + body)
                time.sleep(0.02)
        except OSError:
            h.server.gone.set()

    kestrel.faults[f"{fake.SERIES}$"] = endless
    kept.client.get(f"/l/{world.HANDLE}/outline/kestrel/{fake.STUDY}")
    assert kestrel.gone.wait(5)
    until(lambda: not entries(kept))


def test_a_series_that_failed_is_not_asked_for_again_and_again(kept, kestrel):
    kestrel.faults[f"{fake.SERIES}$"] = lambda h: h.reply(404, b"", "text/plain")
    kept.get(f"{SERIES}/metadata")
    for _ in range(4):
        for number in (1, 2, 3, 4, 5):
            assert kept.get(f"{SERIES}/instances/{fake.SERIES}.{number}/frames/1", FRAMES).status_code == 200
    assert len(series_asked(kestrel)) <= 1


# Several streams


def test_a_distant_series_comes_over_several_streams_and_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr(filling, "FAR_SECONDS", 0.0)
    with fake.running([fake.instance(number) for number in range(1, 41)]) as server:
        whole = [fake.part10(ds) for ds in server.instances]

        def slowly(h):
            h.send_response(200)
            h.send_header("Content-Type", 'multipart/related; type="application/dicom"; boundary=b')
            h.send_header("Connection", "close")
            h.end_headers()
            try:
                for body in whole:
                    h.wfile.write(b"\r\n--b\r\nContent-Type: application/dicom\r\n\r\n" + body)
                    h.wfile.flush()
                    time.sleep(0.02)
                h.wfile.write(b"\r\n--b--\r\n")
            except OSError:
                h.server.gone.set()

        server.faults[f"{fake.SERIES}$"] = slowly
        server.faults[r"\.38$"] = lambda h: server.faults.pop(r"\.38$") and h.reply(500, b"", "text/plain")
        gate = world.build(tmp_path, [world.archive(server.base)], keep=KEEP)
        world.held(gate.holdings, fake.STUDY, "P-1")
        gate.get(f"{SERIES}/metadata")
        assert sorted(body for _, body in parts(gate.get(SERIES, OBJECTS))) == sorted(whole)
        singles = [path for path, _ in server.asked if "/instances/" in path]
        assert len(singles) > 10
        until(lambda: [path.suffix for path in entries(gate)] == [""])
        assert sorted(body for _, body in parts(gate.get(SERIES, OBJECTS))) == sorted(whole)
        assert len(series_asked(server)) == 1


def test_never_more_than_half_of_an_archives_calls(kestrel):
    (archive,) = Archives([world.archive(kestrel.base, limits={"parallel": 8})], read_secret=lambda ref: "")
    seats = Seats()
    taken = [seats.take(archive) for _ in range(6)]
    assert [seat is not None for seat in taken] == [True] * 4 + [False] * 2
    taken[0]()
    assert seats.take(archive) is not None


def test_lanes_claim_each_instance_once_and_say_what_is_left(kestrel):
    (archive,) = Archives([world.archive(kestrel.base, limits={"parallel": 12})], read_secret=lambda ref: "")
    fetched, lock = [], threading.Lock()

    def fetch(uid):
        with lock:
            fetched.append(uid)
        if uid == "35":
            raise OSError("gone")
        time.sleep(0.005)

    lanes = Lanes(Seats(), archive, tuple(str(number) for number in range(40)), fetch)
    mine = [str(number) for number in range(40) if lanes.claim(str(number))]
    left = lanes.left()
    assert left == ["35"]
    assert sorted([*fetched, *mine], key=int) == [str(number) for number in range(40)]
    assert lanes.nothing_unclaimed


def test_every_fault_a_retrieval_can_have_is_known_by_its_code():
    assert {"not-there", "overloaded", "failed", "refused", "damaged", "cut", "timeout", "busy", "unreachable", "too-large"} <= set(FAULTS)


def test_a_multi_frame_object_gives_each_of_its_frames(tmp_path):
    ds = fake.instance(1, size=16, NumberOfFrames=3)
    ds.PixelData = b"".join(bytes([number]) * 512 for number in (1, 2, 3))
    ds["PixelData"].VR = "OW"
    with fake.running([ds]) as server:
        gate = world.build(tmp_path, [world.archive(server.base)], keep=KEEP)
        world.held(gate.holdings, fake.STUDY, "P-1")
        opened(gate, server)
        assert [body for _, body in parts(gate.get(f"{ONE}/frames/3,1", FRAMES))] == [b"\3" * 512, b"\1" * 512]
        assert not [path for path, _ in server.asked if "/frames/" in path]
