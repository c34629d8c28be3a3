"""A good image is never called broken because the reader had too little memory left for its decoder (intake.pixels)."""

from __future__ import annotations

import io
from pathlib import Path

import numpy
import pytest
from jpeg_ls import encode
from PIL import Image

from smart_app.intake import pixels
from smart_app.intake.dicom_reading import Read10, read_object
from smart_app.intake.examination import Examination, Task
from smart_app.intake.pixels import Cramped, decodes
from smart_app.intake.types import Kind
from tests.hostile import making
from tests.hostile.receiving import screened


def read(content: bytes) -> Read10:
    return read_object(len(content), lambda at, count: content[at : at + count])


def wavelets(picture: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG2000", no_jp2=True, irreversible=False)
    return out.getvalue()


SMALL = making.packed(making.fragments(wavelets(numpy.arange(256, dtype=numpy.uint8).reshape(16, 16))), making.J2K)


def mammogram(number: int, syntax: str, stream: bytes) -> bytes:
    made = making.facts(
        t00080018=("UI", f"{making.ROOT}.{number}".encode()), t00280010=("US", making.number(5120)), t00280011=("US", making.number(4096)), t7FE00010=None,
    )  # fmt: skip
    body = making.dataset(made) + making.element(0x7FE00010, "OB", b"", length=making.UNDEFINED) + making.fragments(stream)
    return making.dicom(body, syntax=syntax, instance=f"{making.ROOT}.{number}")


def test_a_frame_that_needs_more_than_any_reader_has_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(SMALL)
    assert decodes(found.walked, found.read) is True

    monkeypatch.setattr(pixels, "DECODING_BYTES", 1_000)

    assert decodes(found.walked, found.read) is None


@pytest.mark.parametrize("is_fresh", [True, False])
def test_a_used_reader_asks_for_a_fresh_one_and_a_fresh_one_says_that_it_has_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_fresh: bool) -> None:
    monkeypatch.setattr(pixels, "_has_room", lambda count: False)
    found = read(SMALL)
    with pytest.raises(Cramped):
        decodes(found.walked, found.read)
    path, told = tmp_path / "file", []
    path.write_bytes(SMALL)
    examination = Examination(Task("a" * 24, "UP-1", "20260521091200", is_fresh=is_fresh), tmp_path, told.append)

    with path.open("rb") as source:
        if is_fresh:
            examination.run(source)
            assert (told[-1]["decodes"], told[-1]["header"]["faults"]) == (None, ("pixels-untried",))
        else:
            with pytest.raises(MemoryError):
                examination.run(source)


def test_room_is_what_the_kernel_gives() -> None:
    assert pixels._has_room(1)
    assert not pixels._has_room(1 << 50)


def test_large_mammograms_one_behind_the_other(tmp_path: Path) -> None:
    """As JPEG-LS each takes half of what a reader has; as JPEG 2000 more than it has, which once called them broken."""
    slope = numpy.add.outer(numpy.arange(5120), numpy.arange(4096)).astype(numpy.uint16) % 4096
    packed = bytes(encode(slope))

    found = screened(tmp_path, {"disc.zip": making.zipped([("a", mammogram(1, making.JLS, packed)), ("b", mammogram(2, making.J2K, wavelets(slope))), ("c", mammogram(3, making.JLS, packed))])})

    assert [one.kind for one in found] == [Kind.ZIP, *[Kind.DICOM] * 3]
    assert [one.header.faults for one in found[1:] if one.header] == [(), ("pixels-untried",), ()]
