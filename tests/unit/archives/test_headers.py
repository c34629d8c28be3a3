"""Our header walk against pydicom, its own test files, every encoding, and objects made to hurt."""

import contextlib
import io
import random
import struct
import warnings
import zlib
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from smart_app.archives.headers import HeaderFault, HeaderReader

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]


def read(data, step=4096, **options):
    reader = HeaderReader(**options)
    for at in range(0, len(data), step):
        if reader.feed(data[at : at + step]):
            return reader.header
    return reader.finish()


def dataset(**changes):
    ds = Dataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    ds.SOPInstanceUID = "1.2.3.4"
    ds.PatientName = "Doe^Jane"
    ds.PatientID = "P-1"
    ds.IssuerOfPatientID = "KESTREL"
    ds.StudyInstanceUID = "1.2.3"
    ds.SeriesInstanceUID = "1.2.3.1"
    for name, value in changes.items():
        setattr(ds, name, value)
    return ds


def encoded(ds, syntax=ExplicitVRLittleEndian, pixels=b"\1\2" * 3000):
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    if pixels is not None:
        ds.Rows, ds.Columns, ds.BitsAllocated, ds.SamplesPerPixel, ds.PixelRepresentation = 30, 100, 16, 1, 0
        ds.PixelData = pixels
        ds["PixelData"].VR = "OW"
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def nested(depth, **inside):
    item = Dataset()
    for name, value in inside.items():
        setattr(item, name, value)
    for _ in range(depth):
        outer = Dataset()
        outer.ReferencedPatientSequence = Sequence([item, Dataset()])
        item = outer
    return item


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("step", [1, 17, 100_000])
def test_names_are_read_in_every_encoding(syntax, step):
    header = read(encoded(dataset(), syntax), step)
    assert (header.instance, header.series, header.study) == ("1.2.3.4", "1.2.3.1", "1.2.3")
    assert (header.patient_id, header.issuer, header.transfer_syntax) == ("P-1", "KESTREL", syntax)
    born = encoded(dataset(PatientBirthDate="19510809", PatientSex="F"), syntax)
    assert (read(born, step).birth_date, read(born, step).sex, header.birth_date) == ("19510809", "F", "")


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("undefined", [True, False])
def test_another_patient_inside_a_sequence_is_not_the_patient(syntax, undefined):
    ds = dataset()
    for depth in (1, 5):
        ds.update(nested(depth, PatientID="OTHER", StudyInstanceUID="9.9"))
    private = ds.private_block(0x0009, "ACME", create=True)
    private.add_new(1, "SQ", Sequence([nested(3, PatientID="OTHER")]))
    private.add_new(2, "UN", b"\x10\x00\x20\x00LO\x04\x00EVIL" * 3)
    for elem in ds.iterall():
        if elem.VR == "SQ":
            elem.is_undefined_length = undefined
            for item in elem.value:
                item.is_undefined_length_sequence_item = undefined
    header = read(encoded(ds, syntax), 7)
    assert (header.patient_id, header.study) == ("P-1", "1.2.3")


def test_every_pydicom_test_file_is_read_as_pydicom_reads_it():
    read_here = refused = 0
    for name in sorted((Path(pydicom.__file__).parent / "data" / "test_files").rglob("*.dcm")):
        data = name.read_bytes()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ds = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
            expected = tuple(str(ds.get(key, "") or "") for key in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "PatientID"))
        except Exception:
            continue
        try:
            header = read(data)
        except HeaderFault:
            refused += 1
            continue
        read_here += 1
        assert (header.instance, header.series, header.study, header.patient_id) == expected, name
    assert read_here > 60
    assert refused <= 12, refused


def test_un_of_undefined_length_is_an_implicit_sequence():
    inner = struct.pack("<HHI", 0x0010, 0x0020, 4) + b"EVIL"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    unknown = struct.pack("<HH2sHI", 0x0009, 0x1001, b"UN", 0, 0xFFFFFFFF) + item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    data = encoded(dataset())
    at = data.index(struct.pack("<HH", 0x0010, 0x0010) + b"PN")
    assert read(data[:at] + unknown + data[at:], 5).patient_id == "P-1"


def test_fragments_in_an_icon_are_skipped():
    icon = struct.pack("<HHI", 0xFFFE, 0xE000, 0) + struct.pack("<HHI", 0xFFFE, 0xE000, 6) + b"\x10\x00\x20\x00LO" + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    element = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + icon
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + element + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    sequence = struct.pack("<HH2sHI", 0x0009, 0x0200, b"SQ", 0, 0xFFFFFFFF) + item + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    data = encoded(dataset())
    at = data.index(struct.pack("<HH", 0x0010, 0x0010) + b"PN")
    assert read(data[:at] + sequence + data[at:], 5).patient_id == "P-1"


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_header_cut_anywhere_is_never_a_header(syntax):
    data = encoded(dataset(), syntax, pixels=None)
    whole = read(data)
    wrong = 0
    for at in range(len(data) - 1):
        try:
            # A cut between two elements cannot be told from a short object; the names then differ and are refused by comparison.
            wrong += read(data[:at], 64) != whole
        except HeaderFault:
            wrong += 1
    # Cutting off the flush bytes behind a deflated stream loses nothing.
    assert wrong >= len(data) - (20 if syntax == DeflatedExplicitVRLittleEndian else 1)


def test_object_without_pixels_is_known_at_its_end():
    assert read(encoded(dataset(), pixels=None)).study == "1.2.3"


@pytest.mark.parametrize(
    ("charset", "text"),
    [("ISO_IR 192", "Größe-7"), ("ISO_IR 100", "Größe-7"), ("ISO_IR 144", "Жук-1"), ("GB18030", "王-1")],
)
def test_patient_id_in_another_character_set(charset, text):
    assert read(encoded(dataset(SpecificCharacterSet=charset, PatientID=text))).patient_id == text


def test_padding_is_no_part_of_a_name():
    assert read(encoded(dataset(PatientID=" P-1  "))).patient_id == "P-1"


def test_absent_names_are_empty():
    ds = dataset()
    del ds.IssuerOfPatientID
    ds.PatientID = ""
    header = read(encoded(ds))
    assert (header.patient_id, header.issuer) == ("", "")


def _element(group, element, vr, value):
    return struct.pack("<HH2sH", group, element, vr, len(value)) + value


META = encoded(dataset())[: encoded(dataset()).index(struct.pack("<HH", 8, 0x16))]
NAMES = _element(8, 0x18, b"UI", b"1.2.3.4\0") + _element(0x10, 0x20, b"LO", b"P-1 ")
HOSTILE = {
    "html": b"<!doctype html>" * 20,
    "empty": b"",
    "preamble only": b"\0" * 128,
    "DICM only": b"\0" * 128 + b"DICM",
    "zip": b"PK\3\4" + b"\0" * 300,
    "patient given twice": META + NAMES + _element(0x10, 0x20, b"LO", b"P-2 ") + _element(0x7FE0, 0x10, b"US", b"\0\0"),
    "study given twice": META + NAMES + _element(0x20, 0xD, b"UI", b"1.2.") + _element(0x20, 0xD, b"UI", b"1.3."),
    "patient id of 60 kB": META + _element(0x10, 0x20, b"LO", b"P" * 60_000),
    "vr of zeros": META + struct.pack("<HH2sH", 8, 0x18, b"\0\0", 4) + b"1234" * 4,
    "meta vr of zeros": b"\0" * 128 + b"DICM" + struct.pack("<HH2sH", 2, 0x10, b"\0\0", 4) + b"1234" * 4,
    "meta without transfer syntax": b"\0" * 128 + b"DICM" + _element(2, 2, b"UI", b"1.2.") + NAMES,
    "meta claims 4 GB": b"\0" * 128 + b"DICM" + struct.pack("<HH2sHI", 2, 1, b"OB", 0, 0xFFFFFFF0) + b"x" * 100,
    "element longer than the object": META + struct.pack("<HH2sHI", 9, 1, b"OB", 0, 0x7FFFFFFF) + b"x" * 100,
    "nested 10,000 deep": META + (struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)) * 10_000,
    "a million elements": META + _element(9, 1, b"US", b"\0\0") * 250_000,
    "stray item end": META + struct.pack("<HHI", 0xFFFE, 0xE00D, 0) * 2,
    "stray sequence end": META + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) * 2,
    "stray item": META + struct.pack("<HHI", 0xFFFE, 0xE000, 8) * 2,
    "undefined length text": META + struct.pack("<HH2sHI", 8, 0x18, b"UT", 0, 0xFFFFFFFF) + b"x" * 20,
    "item longer than its sequence": META
    + struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 8) + struct.pack("<HH2sH", 8, 0x18, b"UI", 200) + b"1" * 300,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("step", [64, 1_000_000])
def test_hostile_object_is_refused(name, step):
    with pytest.raises(HeaderFault):
        read(HOSTILE[name], step, max_bytes=2_000_000)


def test_deflate_bomb_is_refused_without_its_memory():
    squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
    element = struct.pack("<HH2sHI", 9, 0x1001, b"OB", 0, 0x7FFFFFF0)
    bomb = squeezed.compress(element) + b"".join(squeezed.compress(b"\0" * 1_000_000) for _ in range(100)) + squeezed.flush()
    meta = encoded(dataset(), DeflatedExplicitVRLittleEndian)
    meta = meta[: 132 + 12 + struct.unpack_from("<I", meta, 140)[0]]
    reader = HeaderReader(max_bytes=5_000_000)
    with pytest.raises(HeaderFault, match="too large"):
        reader.feed(meta + bomb)


def test_not_deflate_at_all():
    meta = encoded(dataset(), DeflatedExplicitVRLittleEndian)
    meta = meta[: 132 + 12 + struct.unpack_from("<I", meta, 140)[0]]
    with pytest.raises(HeaderFault, match="inflated"):
        read(meta + b"\xff" * 500)


def test_large_private_value_is_skipped_not_kept():
    data = encoded(dataset())
    at = data.index(struct.pack("<HH", 0x0010, 0x0010) + b"PN")
    large = struct.pack("<HH2sHI", 9, 0x1001, b"OB", 0, 3_000_000) + b"x" * 3_000_000
    reader = HeaderReader()
    stream = data[:at] + large + data[at:]
    held = 0
    for offset in range(0, len(stream), 65536):
        if reader.feed(stream[offset : offset + 65536]):
            break
        held = max(held, len(reader._held) + len(reader._walk._buffer))
    assert reader.header.patient_id == "P-1"
    assert held < 200_000


def test_document_is_known_before_its_megabytes():
    ds = dataset()
    ds.EncapsulatedDocument = b"%PDF" + b"x" * 3_000_000
    data = encoded(ds, pixels=None)
    reader = HeaderReader()
    assert reader.feed(data[:4000])
    assert reader.header.study == "1.2.3"


def test_mutated_headers_raise_nothing_else():
    chance = random.Random(20261122)
    for syntax in SYNTAXES:
        good = encoded(dataset(ReferencedPatientSequence=Sequence([nested(2, PatientID="O")])), syntax, pixels=b"\0\0" * 10)
        for _ in range(1500):
            data = bytearray(good)
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            with contextlib.suppress(HeaderFault):
                read(bytes(data), chance.choice([1, 50, 10_000]), max_bytes=1_000_000)
