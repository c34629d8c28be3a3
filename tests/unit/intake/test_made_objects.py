"""Photos and PDFs become DICOM: upright, without their place, without an identity, without anything that acts, and the same each time."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pydicom
import pytest

from smart_app.intake.documents import harmless
from smart_app.intake.made_objects import Origin
from smart_app.intake.photos import upright
from smart_app.intake.types import Kind
from tests.hostile import making
from tests.hostile.receiving import one, screened


def read(folder: Path, content: bytes) -> pydicom.FileDataset:
    found = one(folder, content)
    assert found.kind in (Kind.PHOTO, Kind.PDF), found.reason
    assert found.path is not None
    return pydicom.dcmread(found.path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_the_right_way_up(tmp_path: Path, orientation: int) -> None:
    """A red mark in the upper left corner of the scene, whichever way the phone was held."""
    from PIL import Image

    scene = Image.new("RGB", (64, 48))
    scene.paste((250, 20, 20), (0, 0, 24, 16))
    ways = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}
    held = scene if orientation == 1 else scene.transpose(getattr(Image.Transpose, ways[orientation]))
    out = io.BytesIO()
    held.save(out, "JPEG", quality=95, exif=making.exif(orientation))

    made = read(tmp_path, out.getvalue())

    assert (made.Rows, made.Columns) == (48, 64)
    pixels = made.pixel_array
    corners = [int(pixels[y, x, 0]) - int(pixels[y, x, 2]) for y, x in ((4, 4), (4, 59), (43, 4), (43, 59))]
    assert [corner > 60 for corner in corners] == [True, False, False, False]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIF"])
def test_place_and_device_are_forgotten_and_the_time_is_kept(tmp_path: Path, kind: str) -> None:
    import pillow_heif

    pillow_heif.register_heif_opener()
    content = making.photo(kind, exif=making.exif(1, place=True))
    assert b"CANARY-PHONE" in content

    found = one(tmp_path, content)

    assert found.path is not None
    whole = found.path.read_bytes()
    assert b"CANARY" not in whole
    assert b"Exif" not in whole
    assert pydicom.dcmread(io.BytesIO(whole)).AcquisitionDateTime == "20260520081500"


@pytest.mark.parametrize("where", ["xmp", "profile", "maker-note", "thumbnail", "comment", "behind", "png-text", "png-xmp", "heif-xmp"])
def test_nothing_that_a_camera_writes_beside_the_picture_is_left(tmp_path: Path, where: str) -> None:
    import pillow_heif
    from PIL import Image, PngImagePlugin

    pillow_heif.register_heif_opener()
    told, text = Image.Exif(), PngImagePlugin.PngInfo()
    told[0x8769] = {0x927C: b"CANARY 52.52N 13.41E"}
    text.add_itxt("XML:com.adobe.xmp" if where == "png-xmp" else "place", "CANARY")
    small = making.photo(size=(16, 16), comment=b"CANARY")
    content = {
        "xmp": lambda: making.photo(xmp=b"<x>CANARY</x>"), "profile": lambda: making.photo(icc_profile=b"CANARY" * 40), "maker-note": lambda: making.photo(exif=told.tobytes()),
        "thumbnail": lambda: _with_exif(making.photo(), _thumbnail(small)), "comment": lambda: making.photo(comment=b"CANARY"), "behind": lambda: making.photo() + b"CANARY",
        "png-text": lambda: making.photo("PNG", pnginfo=text), "png-xmp": lambda: making.photo("PNG", pnginfo=text), "heif-xmp": lambda: making.photo("HEIF", xmp=b"<x>CANARY</x>"),
    }[where]()  # fmt: skip
    assert b"CANARY" in content

    found = one(tmp_path, content)

    assert found.path is not None
    whole = found.path.read_bytes()
    assert not [word for word in (b"CANARY", b"Exif", b"xmp", b"ICC_PROFILE") if word in whole]


def _thumbnail(small: bytes) -> bytes:
    """EXIF whose second directory is a picture with a comment of its own."""
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", 0) + struct.pack("<I", 14)
    second = struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, 44) + struct.pack("<HHII", 0x0202, 4, 1, len(small)) + struct.pack("<I", 0)
    return (b"Exif\0\0" + head + second).ljust(50, b"\0") + small


def _with_exif(picture: bytes, exif: bytes) -> bytes:
    return picture[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + picture[2:]


def test_a_made_object_says_of_nobody_that_it_is_theirs(tmp_path: Path) -> None:
    for content in (making.photo(), making.pdf()):
        made = read(tmp_path, content)
        assert (made.PatientName, made.PatientID, made.PatientBirthDate, made.PatientSex, made.AccessionNumber) == ("", "", "", "", "")
        assert made.StudyDate == "20260521"


def test_what_one_upload_brought_beside_images_is_one_study_and_names_come_out_the_same(tmp_path: Path) -> None:
    first = screened(tmp_path / "1", {"a": making.photo(), "b": making.pdf(), "c": making.photo(size=(32, 32))})
    again = screened(tmp_path / "2", {"c": making.photo(size=(32, 32)), "a": making.photo(), "b": making.pdf()})

    headers = {one.header.instance: one for one in first if one.header}
    assert len({one.header.study for one in first if one.header}) == 1
    assert len({one.header.series for one in first if one.header}) == 2
    assert {one.header.instance: one.sha256 for one in again if one.header} == {uid: one.sha256 for uid, one in headers.items()}
    assert Origin("UP-1", "ab", "").study != Origin("UP-2", "ab", "").study


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()


def test_a_plain_pdf_is_kept_byte_for_byte(tmp_path: Path) -> None:
    made = read(tmp_path, making.pdf())

    assert made.EncapsulatedDocument[: made.EncapsulatedDocumentLength] == making.pdf()
    assert made.MIMETypeOfEncapsulatedDocument == "application/pdf"


@pytest.mark.parametrize(
    "content",
    [
        making.pdf(b"<< /S /JavaScript /JS (CANARY) >>", catalog=b"/OpenAction 4 0 R"),
        making.pdf(b"<< /S /JavaScript /JS (CANARY) >>", catalog=b"/Names << /JavaScript << /Names [(x) 4 0 R] >> >>"),
        making.pdf(b"<< /S /Launch /F (CANARY) >>", catalog=b"/OpenAction 4 0 R"),
        making.pdf(b"<< /S /JavaScript /JS (CANARY) >>", page=b"/AA << /O 4 0 R >>"),
        making.pdf(b"<< /Type /EmbeddedFile /Length 6 >>\nstream\nCANARY\nendstream", catalog=b"/Names << /EmbeddedFiles << /Names [(x) 4 0 R] >> >>"),
        making.pdf(b"<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://CANARY/) >> >>", page=b"/Annots [4 0 R]"),
        making.pdf(b"<< /S /GoToR /F (CANARY) >>", catalog=b"/OpenAction 4 0 R"),
        making.pdf(catalog=b"/AcroForm << /XFA (CANARY) /Fields [] >>"),
        making.pdf(b"<< /Type /Annot /Subtype /RichMedia /Rect [0 0 9 9] /RichMediaContent << /X (CANARY) >> >>", page=b"/Annots [4 0 R]"),
        making.pdf(b"<< /F (CANARY.exe) /EF << /F 5 0 R >> >>", b"<< /Length 6 >>\nstream\nCANARY\nendstream", page=b"/Annots [<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /FS 4 0 R >>]"),
        making.pdf(b"<< /EF << /F 5 0 R >> >>", b"<< /Length 6 >>\nstream\nCANARY\nendstream", catalog=b"/X 4 0 R"),
        making.pdf(b"<< /Length 0 /F (CANARY) >>\nstream\n\nendstream", page=b"/Contents 4 0 R"),
        making.pdf(b"<< /Type /Font /S /Launch /F (CANARY) >>", page=b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A 4 0 R >>]"),
        making.pdf(b"<< /S /J#61vaScript /J#53 (CANARY) >>", catalog=b"/Open#41ction 4 0 R"),
        making.pdf(b"<< /S /GoTo /D [3 0 R /Fit] /Next << /S /JavaScript /JS (CANARY) >> >>", catalog=b"/OpenAction 4 0 R"),
        making.pdf() + b"CANARY",
        making.pdf() + making.zipped({"CANARY.exe": b"MZ"}),
    ],
)
def test_what_acts_in_a_pdf_is_taken_out(content: bytes) -> None:
    import pikepdf

    kept = harmless(content)

    assert b"CANARY" not in kept
    with pikepdf.open(io.BytesIO(kept)) as pdf:
        assert len(pdf.pages) == 1
        everything = b"".join(thing.read_bytes() if isinstance(thing, pikepdf.Stream) else bytes(str(thing), "utf-8") for thing in pdf.objects)
    assert b"CANARY" not in everything
    assert harmless(content) == kept


def test_a_large_photo_is_read_smaller(tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "large.jpg"
    Image.effect_noise((7000, 5000), 30).convert("RGB").save(path, quality=40)
    with path.open("rb") as source:
        picture, _ = upright(source, path.stat().st_size)

    assert picture.size == (3500, 2500)
