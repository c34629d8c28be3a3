"""Frames found in an object's bytes are those that pydicom reads; where that is not certain, none are."""

import io

import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from smart_app.archives.frames import frames_in, media_type_of
from smart_app.archives.headers import HeaderReader
from smart_app.archives.texts import Undecodable, decoded, plain
from tests.unit.viewer import fake


def encoded(syntax=ExplicitVRLittleEndian, **changes):
    ds = fake.instance(1, size=8)
    for name, value in changes.items():
        setattr(ds, name, value)
    ds["PixelData"].VR = "OB" if syntax not in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian) else "OW"
    ds.file_meta.TransferSyntaxUID = syntax
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=syntax != ExplicitVRBigEndian)
    return out.getvalue()


def found(data, size=None, step=1 << 16):
    reader = HeaderReader()
    for at in range(0, len(data), step):
        if reader.feed(data[at : at + step]):
            break
    header = reader.finish()
    ranges = frames_in(header.pixels, header.transfer_syntax, len(data) if size is None else size, lambda at, count: data[at : at + count])
    return [data[at : at + length] for at, length in ranges]


PLAIN = [bytes([number]) * 128 for number in range(1, 4)]


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("step", [1, 7, 1 << 16])
def test_uncompressed_frames_lie_one_after_another(syntax, count, step):
    data = encoded(syntax, NumberOfFrames=count, PixelData=b"".join(PLAIN[:count]))
    assert found(data, step=step) == PLAIN[:count]


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEG2000Lossless, RLELossless])
@pytest.mark.parametrize("offsets", [True, False])
def test_one_fragment_a_frame(syntax, offsets):
    pieces = [b"first!", b"second", b"third."]
    data = encoded(syntax, NumberOfFrames=3, PixelData=encapsulate(pieces, has_bot=offsets))
    assert found(data) == list(generate_frames(pydicom.dcmread(io.BytesIO(data)).PixelData, number_of_frames=3)) == pieces


@pytest.mark.parametrize(
    "data",
    [
        encoded(JPEGBaseline8Bit, NumberOfFrames=1, PixelData=encapsulate([b"one frame in two fragments"], fragments_per_frame=2)),
        encoded(JPEGBaseline8Bit, NumberOfFrames=2, PixelData=encapsulate([b"one frame, said to be two."])),
        encoded(NumberOfFrames=2, PixelData=PLAIN[0]),
        encoded(PixelData=PLAIN[0] + PLAIN[1]),
        encoded(Rows=7, Columns=5, BitsAllocated=1, PixelData=b"\1" * 6),
        encoded(ExplicitVRBigEndian),
        encoded(Rows=0),
        encoded("1.2.840.10008.1.2.4.100", PixelData=encapsulate([b"video"])),
    ],
    ids=["two fragments", "too few fragments", "too few bytes", "too many bytes", "bits", "big endian", "no rows", "video"],
)
def test_what_is_not_certain_is_left_to_the_archive(data):
    assert found(data) == []


def test_nothing_lies_beyond_the_end():
    whole = encoded()
    assert found(whole, size=len(whole) - 10) == []
    packed = encoded(RLELossless, PixelData=encapsulate([b"abcdef"]))
    assert found(packed[:-8]) == []  # no end of the sequence
    assert found(packed[:-12]) == []  # a fragment longer than what there is


def test_media_types_of_single_frames():
    assert media_type_of(ExplicitVRLittleEndian) == "application/octet-stream"
    assert media_type_of(RLELossless) == "image/dicom-rle"
    assert media_type_of(JPEG2000Lossless) == "image/jp2"
    assert media_type_of("1.2.840.10008.1.2.4.100") is None
    assert media_type_of("") is None


def test_texts_are_read_in_their_own_character_set():
    assert plain(b"P-1 \0") == "P-1"
    assert decoded("M\u00fcller".encode(), b"ISO_IR 192") == "M\u00fcller"
    assert decoded(b"P-1", b"nonsense") == "P-1"
    with pytest.raises(Undecodable):
        decoded(b"\xff\xfe", b"ISO_IR 192\\ISO 2022 IR 87\\nonsense")
