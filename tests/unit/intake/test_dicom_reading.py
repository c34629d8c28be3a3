"""The walk and what is read from it, with pydicom as the referee on its own samples, and damage of every kind at every byte."""

from __future__ import annotations

import struct
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.data import get_testdata_file

from smart_app.archives.types import PatientId
from smart_app.intake import codestreams, pixels
from smart_app.intake.dicom_reading import Read10, read_object
from smart_app.intake.dicom_texts import text_of
from smart_app.intake.element_walk import Refused
from smart_app.intake.types import Header
from tests.hostile import making as m

SAMPLES = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPEG2000.dcm",
    "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_rle_2frame.dcm", "color-pl.dcm", "examples_ybr_color.dcm", "image_dfl.dcm", "emri_small.dcm", "liver.dcm", "test-SR.dcm", "waveform_ecg.dcm", "rtdose.dcm", "rtplan.dcm", "reportsi.dcm",
)  # fmt: skip


def read(content: bytes) -> Read10:
    return read_object(len(content), lambda at, count: content[at : at + count])


def header(content: bytes) -> Header:
    found = read(content).header
    assert found is not None
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_it_says_what_pydicom_says(name: str) -> None:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip("pydicom-data is not installed")
    found, referee = header(Path(path).read_bytes()), pydicom.dcmread(path, stop_before_pixels=True)

    assert (found.study, found.series, found.instance, found.sop_class) == (referee.StudyInstanceUID, referee.SeriesInstanceUID, referee.SOPInstanceUID, referee.SOPClassUID)
    assert found.said.name == (str(referee.get("PatientName", "")) or None)
    assert (found.patient_id.value if found.patient_id else "") == str(referee.get("PatientID", "")).strip()
    assert (found.rows, found.columns, found.frames) == (referee.get("Rows"), referee.get("Columns"), int(referee.get("NumberOfFrames", 1) or 1))
    assert (found.modality, found.instance_number) == (referee.Modality, referee.get("InstanceNumber"))


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_RLE.dcm", "JPEG2000.dcm", "SC_rgb_rle_2frame.dcm", "image_dfl.dcm", "emri_small.dcm", "liver.dcm", "color-pl.dcm"])
def test_cut_at_fifty_points_none_is_taken(name: str) -> None:
    """D5. A cut behind the pixels, between two elements, is the one that nobody could see; these samples end with their pixels or padding."""
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip("pydicom-data is not installed")
    whole = Path(path).read_bytes()
    place = read(whole).walked.pixels[0]
    end = len(whole) if name == "image_dfl.dcm" else place.begin + place.length if place.length != 0xFFFFFFFF else place.fragments[-1][0] + place.fragments[-1][1] + 8
    for step in range(50):
        with pytest.raises(Refused):
            read(whole[: end * step // 50])


def test_a_damaged_image_still_says_which_it_is() -> None:
    with pytest.raises(Refused) as refused:
        read(m.dicom()[:-100])

    assert refused.value.reason == "pixels-cut"
    assert refused.value.header is not None
    assert refused.value.header.instance_number == 1


def test_other_numbers_are_read_with_their_issuers() -> None:
    items = m.item(m.element(0x00100020, "LO", b"40018334") + m.element(0x00100021, "LO", b"NORTHGATE")) + m.item(m.element(0x00100020, "LO", b"77"))

    found = header(m.dicom(t00101002=("SQ", items)))

    assert found.other_ids == (PatientId("40018334", "NORTHGATE"), PatientId("77", ""))


def test_an_enhanced_object_tells_its_thickness_from_its_functional_groups() -> None:
    shared = m.item(m.element(0x00289110, "SQ", m.item(m.element(0x00180050, "DS", b"0.6"))))
    frames = m.item(m.element(0x00209113, "SQ", m.item(m.element(0x00200032, "DS", b"1\\2\\3")))) + m.item(m.element(0x00209113, "SQ", m.item(m.element(0x00200032, "DS", b"9\\9\\9"))))

    found = header(m.dicom(t00180050=None, t00200032=None, t52009229=("SQ", shared), t52009230=("SQ", frames)))

    assert (found.slice_thickness, found.position) == (0.6, (1.0, 2.0, 3.0))


def test_text_that_is_not_certain_always_shows_it() -> None:
    for value, charset in (("Jörg".encode(), b"ISO_IR 100"), ("Jörg".encode("latin-1"), b""), (b"A\x1b$Z;3", b"\\ISO 2022 IR 87"), (b"\x81", b"GB18030")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            text, is_certain = text_of(value, charset)
        assert not is_certain
        assert "\ufffd" in text
    assert text_of("Jörg".encode("latin-1"), b"ISO_IR 100") == ("Jörg", True)


def test_a_stream_is_compared_with_its_header_before_a_decoder_sees_it() -> None:
    jpeg = m.photo("JPEG", size=(40, 24))

    assert codestreams.agrees(m.JPEG, jpeg, 24, 40, 3)
    assert not codestreams.agrees(m.JPEG, jpeg, 40, 24, 3)
    assert not codestreams.agrees(m.JPEG, jpeg, 24, 40, 1)
    assert not codestreams.agrees(m.J2K, jpeg, 24, 40, 3)
    for cut in range(0, 200, 7):
        codestreams.head_of(jpeg[:cut])


def test_frames_are_found_by_table_or_one_a_fragment() -> None:
    place = pixels.Place(0x7FE00010, 0, 0xFFFFFFFF, [(8, 8), (24, 10), (42, 10), (60, 10)])
    table = struct.pack("<2I", 0, 36)
    shape = pixels.Shape(1, 1, 2, 1, 8, 8, 0, 0, "")

    assert pixels.frames_of(place, shape, lambda at, count: table[at - 8 : at - 8 + count]) == [[(24, 10), (42, 10)], [(60, 10)]]
