"""A place that gives only whole studies, over sockets: it opens, byte for byte; what is not certain does not."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from tests.unit.viewer import fake, world
from tests.unit.viewer.test_gateway import FRAMES, OBJECTS, parts

NOT_WHOLE = rf"/studies/{fake.STUDY}/"
OTHER_SERIES = "1.2.840.1.2"


def closed(status: int):
    return lambda asked: asked.reply(status, b"", "text/plain")


@pytest.fixture
def larkmoor():
    """Three images in one series, two in another; nothing but the whole study is served."""
    images = [fake.instance(number) for number in range(1, 4)]
    images += [fake.instance(number, series=OTHER_SERIES, SeriesDescription="Coronal", SeriesNumber=3) for number in (1, 2)]
    with fake.running(images) as server:
        server.faults[NOT_WHOLE] = closed(404)
        yield server


def opened(tmp_path, server, *, keep: int = 50_000_000, retrieve: bool = True, **record):
    built = world.build(tmp_path, [world.archive(server.base)], keep=keep)
    world.held(built.holdings, fake.STUDY, "P-1", **({"retrieve": server.base, **record} if retrieve else record))
    return built


@pytest.fixture
def gate(tmp_path, larkmoor):
    built = opened(tmp_path, larkmoor)
    yield built
    built.db.engine.dispose()


def outline(gate, handle: str = world.HANDLE):
    return gate.client.get(f"/l/{handle}/outline/kestrel/{fake.STUDY}")


def whole_retrievals(server) -> int:
    return len(server.paths(f"/studies/{fake.STUDY}"))


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_it_opens_and_every_frame_is_the_objects_own(gate, larkmoor, status) -> None:
    larkmoor.faults[NOT_WHOLE] = closed(status)
    told = outline(gate)
    assert told.status_code == 200, told.text
    assert [(one["uid"], one["count"]) for one in told.json["series"]] == [(fake.SERIES, 3), (OTHER_SERIES, 2)]
    assert told.json["gaps"] == []
    for ds in larkmoor.instances:
        where = f"/studies/{fake.STUDY}/series/{ds.SeriesInstanceUID}"
        metadata = gate.get(f"{where}/metadata").json
        assert ds.SOPInstanceUID in {entry["00080018"]["Value"][0] for entry in metadata}
        assert next(entry for entry in metadata if entry["00080018"]["Value"] == [ds.SOPInstanceUID])["00280010"]["Value"] == [64]
        frames = gate.get(f"{where}/instances/{ds.SOPInstanceUID}/frames/1", FRAMES)
        assert [body for _, body in parts(frames)] == [ds.PixelData]
        objects = gate.get(where, OBJECTS)
        members = [one for one in larkmoor.instances if one.SeriesInstanceUID == ds.SeriesInstanceUID]
        assert Counter(body for _, body in parts(objects)) == Counter(fake.part10(one) for one in members)
        single = gate.get(f"{where}/instances/{ds.SOPInstanceUID}", OBJECTS)
        assert [body for _, body in parts(single)] == [fake.part10(ds)]
    assert whole_retrievals(larkmoor) == 1


def test_what_a_place_does_not_offer_is_not_asked_for_again(gate, larkmoor) -> None:
    for _ in range(3):
        assert outline(gate).status_code == 200
    assert len(larkmoor.paths("/series")) == 1


def test_an_empty_series_list_is_no_list(gate, larkmoor) -> None:
    larkmoor.faults = {"/series$": lambda asked: asked.reply(200, b"[]", "application/dicom+json")}
    assert len(outline(gate).json["series"]) == 2


def test_a_place_that_lists_series_and_gives_no_metadata(gate, larkmoor) -> None:
    larkmoor.faults = {"/metadata$": closed(404)}
    assert outline(gate).status_code == 200
    found = gate.get(f"/studies/{fake.STUDY}/series/{fake.SERIES}/metadata")
    assert len(found.json) == 3


def test_a_series_that_is_not_there_is_not_there(gate, larkmoor) -> None:
    larkmoor.faults = {}
    for _ in range(2):
        assert gate.get(f"/studies/{fake.STUDY}/series/9.9/metadata").status_code == 404
    assert whole_retrievals(larkmoor) == 1


def test_an_archive_of_ours_keeps_its_own_fault(tmp_path, larkmoor) -> None:
    gate = opened(tmp_path, larkmoor, retrieve=False)
    assert outline(gate).status_code == 404
    assert whole_retrievals(larkmoor) == 0


def test_another_patients_part_is_withheld_and_leaves_no_byte(gate, larkmoor, tmp_path) -> None:
    larkmoor.instances[4] = fake.instance(2, series=OTHER_SERIES, patient="P-2", PatientName="Stranger^Other")
    told = outline(gate).json
    assert [(one["uid"], one["count"]) for one in told["series"]] == [(fake.SERIES, 3), (OTHER_SERIES, 1)]
    assert any("1 image was withheld" in gap for gap in told["gaps"])
    uid = larkmoor.instances[4].SOPInstanceUID
    where = f"/studies/{fake.STUDY}/series/{OTHER_SERIES}"
    assert gate.get(f"{where}/instances/{uid}/frames/1", FRAMES).status_code == 404
    assert gate.get(f"{where}/instances/{uid}", OBJECTS).status_code == 404
    assert len(parts(gate.get(where, OBJECTS))) == 1
    assert len(gate.events("InstanceWithheld")) == 1
    for file in (tmp_path / "frames").rglob("*"):
        assert not file.is_file() or b"Stranger" not in file.read_bytes()
    outline(gate)
    assert whole_retrievals(larkmoor) == 1


def test_a_study_all_of_another_patient_shows_nothing(gate, larkmoor) -> None:
    larkmoor.instances[:] = [fake.instance(number, patient="P-2") for number in (1, 2)]
    told = outline(gate)
    assert told.status_code == 404
    assert "withheld" in told.json["error"]["code"]


def test_another_launch_retrieves_for_itself(gate, larkmoor) -> None:
    assert outline(gate).status_code == 200
    world.held(gate.holdings, fake.STUDY, "P-1", handle=world.OTHER_HANDLE, retrieve=larkmoor.base)
    assert outline(gate, world.OTHER_HANDLE).status_code == 200
    assert whole_retrievals(larkmoor) == 2


def kept(gate) -> list[str]:
    """What lies on the shelf, once what is being removed is gone."""
    until = time.monotonic() + 5
    while (found := lying(gate)) and time.monotonic() < until:
        time.sleep(0.01)
    return found


def lying(gate) -> list[str]:
    return [path.name for path in gate.shelf._root.iterdir() if not path.name.startswith("alive") and path.suffix not in (".gone", ".listed")]


def sends(body: bytes, kind: str = 'multipart/related; type="application/dicom"; boundary=fake-boundary', **more):
    def fault(asked) -> None:
        if asked.path.partition("?")[0].endswith(f"/studies/{fake.STUDY}"):
            return asked.reply(more.get("status", 200), body, kind, cut=more.get("cut"))
        return asked.reply(404, b"", "text/plain")

    return fault


@pytest.mark.parametrize("keep", [False, True], ids=["by length", "by boundary"])
def test_a_cut_study_is_a_fault_and_nothing_is_kept(gate, larkmoor, keep) -> None:
    body = fake.multipart([fake.part10(ds) for ds in larkmoor.instances], "application/dicom")
    # Cut inside the last image; and between two, where only the missing end tells.
    last = body.rindex(b"\r\n--fake-boundary\r\n")
    larkmoor.faults = {".": sends(body[: last + 2]) if keep else sends(body, cut=len(body) - 3000)}
    told = outline(gate)
    assert told.status_code == 502, told.text
    assert told.json["error"]["code"] in ("cut", "damaged")
    assert kept(gate) == []
    larkmoor.faults = {NOT_WHOLE: closed(404)}
    assert len(outline(gate).json["series"]) == 2


@pytest.mark.parametrize("cut", [200, 5000, 9000, 20_000, 40_000])
def test_wherever_it_is_cut(gate, larkmoor, cut) -> None:
    body = fake.multipart([fake.part10(ds) for ds in larkmoor.instances], "application/dicom", lengths=False)
    larkmoor.faults = {".": sends(body[:cut])}
    assert outline(gate).status_code == 502
    assert kept(gate) == []


def test_a_part_of_a_study_is_denied(gate, larkmoor) -> None:
    body = fake.multipart([fake.part10(larkmoor.instances[0])], "application/dicom")
    larkmoor.faults = {".": sends(body, status=206)}
    told = outline(gate)
    assert (told.status_code, told.json["error"]["code"]) == (502, "part-of-study")
    assert kept(gate) == []


def test_a_study_without_images_is_no_study(gate, larkmoor) -> None:
    larkmoor.faults = {".": sends(b"--fake-boundary--\r\n")}
    assert outline(gate).status_code == 502


def test_a_busy_place_is_told_on_with_its_patience(gate, larkmoor) -> None:
    def busy(asked) -> None:
        whole = asked.path.endswith(f"/studies/{fake.STUDY}")
        asked.reply(503 if whole else 404, b"", "text/plain", **({"Retry_After": "7"} if whole else {}))

    larkmoor.faults = {".": busy}
    told = outline(gate)
    assert (told.status_code, told.headers["Retry-After"]) == (503, "7")


def test_without_a_shelf_it_is_said_why(tmp_path, larkmoor) -> None:
    gate = opened(tmp_path, larkmoor, keep=0)
    told = outline(gate)
    assert told.status_code == 502
    assert told.json["error"]["title"].startswith("Kestrel sends only whole studies")
    assert "series" not in told.json


def test_without_a_shelf_a_study_that_is_gone_is_gone(tmp_path, larkmoor) -> None:
    larkmoor.faults = {".": closed(404)}
    told = outline(opened(tmp_path, larkmoor, keep=0))
    assert (told.status_code, told.json["error"]["code"]) == (404, "not-there")


def test_too_large_a_study_is_said_to_be_and_not_retrieved_again(tmp_path, larkmoor) -> None:
    gate = opened(tmp_path, larkmoor, keep=40_000)
    for _ in range(2):
        told = outline(gate)
        assert (told.status_code, told.json["error"]["code"]) == (502, "whole-too-large")
        assert told.json["error"]["title"].startswith("Kestrel sends only whole studies")
    assert whole_retrievals(larkmoor) == 1
    assert kept(gate) == []


def test_many_who_ask_at_once_retrieve_it_once(gate, larkmoor) -> None:
    found = []
    threads = [threading.Thread(target=lambda: found.append(outline(gate).status_code)) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert set(found) == {200}
    assert whole_retrievals(larkmoor) == 1


def test_a_picture_is_not_drawn_and_not_asked_for(gate, larkmoor) -> None:
    assert outline(gate).status_code == 200
    here = f"/studies/{fake.STUDY}/series/{fake.SERIES}"
    assert gate.get(f"{here}/instances/{fake.SERIES}.1/rendered").status_code == 406
    assert larkmoor.paths("/rendered") == []


def test_fewer_images_than_the_source_counts_are_said(tmp_path, larkmoor) -> None:
    gate = opened(tmp_path, larkmoor, series_count=3, image_count=9)
    assert any("counts 3 series" in gap for gap in outline(gate).json["gaps"])
