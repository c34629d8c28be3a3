"""Headers as DICOM JSON, with pydicom's own writer as referee, and hostile files."""

from __future__ import annotations

import io
import warnings

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from smart_app.archives import object_json
from smart_app.archives.object_json import Unreadable, header_json


def data_set() -> Dataset:
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, "1.2.3.4"
    ds.PatientName, ds.PatientID = "Müller^Zoë", "P-1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.InstanceNumber, ds.PixelSpacing, ds.ImagePositionPatient = 7, [0.5, 0.5], [-12.5, 3, 1e-3]
    ds.Rows = ds.Columns = 4
    ds.BitsAllocated, ds.SamplesPerPixel, ds.PixelRepresentation = 16, 1, 1
    ds.add_new(0x00280106, "SS", -1000)
    ds.FrameIncrementPointer = 0x00181063
    item = Dataset()
    item.ReferencedSOPInstanceUID = "1.2.9"
    item.PurposeOfReferenceCodeSequence = Sequence([Dataset()])
    ds.ReferencedImageSequence = Sequence([item])
    ds.AccessionNumber = ""
    ds.PixelData = bytes(32)
    ds["PixelData"].VR = "OW"
    return ds


def written(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def told(body: bytes, syntax: str = ExplicitVRLittleEndian, only=None):
    return header_json(len(body), lambda at, count: body[at : at + count], syntax, only)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_it_says_what_pydicom_says(syntax: str) -> None:
    ds = data_set()
    expected = ds.to_json_dict()
    del expected["7FE00010"]
    assert told(written(ds, syntax), syntax) == expected


def test_only_what_is_wanted() -> None:
    assert set(told(written(data_set()), only=[0x00100020, 0x00200013])) == {"00080005", "00100020", "00200013"}


def test_what_cannot_be_read_is_left_out_and_said_nowhere() -> None:
    ds = data_set()
    body = written(ds).replace(b"AXIAL ", b"AXIAL\x80").replace(b"0.5\\0.5 ", b"SECRET? ")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = told(body)
    assert "00280030" not in found
    assert found["00100020"]["Value"] == ["P-1"]


def test_large_values_are_not_in_it() -> None:
    ds = data_set()
    ds.add_new(0x00420011, "OB", bytes(object_json.INLINE_BYTES + 2))
    ds.add_new(0x00281201, "OW", b"\x01\x02")
    found = told(written(ds))
    assert "00420011" not in found
    assert found["00281201"]["InlineBinary"] == "AQI="


@pytest.mark.parametrize(
    "spoil",
    [lambda body: b"", lambda body: body[:100], lambda body: b"x" * len(body), lambda body: body[:140] + b"\xff\xff\xff\x7f" + body[144:]],
    ids=["nothing", "cut", "garbage", "lying meta"],
)
def test_no_object(spoil) -> None:
    with pytest.raises(Unreadable):
        told(spoil(written(data_set())))


def test_an_object_of_items_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_json, "MAX_ITEMS", 100)
    ds = data_set()
    ds.ReferencedImageSequence = Sequence([Dataset() for _ in range(101)])
    with pytest.raises(Unreadable):
        told(written(ds))


def test_depth_is_bounded() -> None:
    ds = data_set()
    inner = Dataset()
    for _ in range(object_json.MAX_DEPTH + 1):
        outer = Dataset()
        outer.ReferencedImageSequence = Sequence([inner])
        inner = outer
    ds.ReferencedImageSequence = Sequence([inner])
    with pytest.raises(Unreadable):
        told(written(ds))


def test_a_bomb_is_inflated_no_further_than_a_header() -> None:
    ds = data_set()
    ds.PixelData = bytes(4 * object_json.MAX_BYTES)
    body = written(ds, DeflatedExplicitVRLittleEndian)
    assert len(body) < 1_000_000
    assert told(body, DeflatedExplicitVRLittleEndian)["00200013"]["Value"] == [7]
