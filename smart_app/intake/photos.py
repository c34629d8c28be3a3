"""A photo becomes a Secondary Capture object: turned the right way up, its place and device forgotten, encoded anew (safety.md U5). Child process only."""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from smart_app.intake import codestreams
from smart_app.intake.element_walk import Refused
from smart_app.intake.made_objects import MAKER, Origin, anonymous, written

MOST_PIXELS = 89_478_485
WORKING_PIXELS = 24_000_000
"""What fits into the child's memory twice, beside its code. A larger JPEG is read at a half, a quarter or an eighth of its size."""
UNREDUCED_PIXELS = 40_000_000
"""Other formats cannot be read smaller than they are."""
LEAST_OF_PIXELS = 512
"""A JPEG needs a bit for every block of 64 pixels at least; libjpeg fills what is missing with grey and says nothing."""
MOST_BYTES = 100_000_000
JPEG = ("JPEG", "MPO")
"""As Pillow calls them; the second holds further pictures, of which the first is taken."""
TAKEN = (0x9003, 0x0132)
"""EXIF DateTimeOriginal, DateTime."""


def to_dicom(source: IO[bytes], size: int, origin: Origin, path: Path) -> None:
    """:raises Refused:"""
    try:
        import numpy
        from highdicom.sc import SCImage
    except ImportError:
        raise Refused("no-converter") from None
    picture, taken = upright(source, size)
    pixels = numpy.asarray(picture)
    picture.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made: Any = SCImage(
            pixel_array=pixels, photometric_interpretation="YBR_FULL_422" if pixels.ndim == 3 else "MONOCHROME2", bits_allocated=8,
            coordinate_system="PATIENT", study_instance_uid=origin.study, series_instance_uid=origin.series("photos"), series_number=2,
            sop_instance_uid=origin.instance("photo"), instance_number=int(origin.sha256[:7], 16), manufacturer=MAKER,
            patient_orientation=("L", "F"), transfer_syntax_uid="1.2.840.10008.1.2.4.50",
        )  # fmt: skip
    _describe(made, origin, taken)
    written(made, path)


def _describe(made: Any, origin: Origin, taken: datetime | None) -> None:
    anonymous(made)
    made.PatientOrientation = ""  # a camera knows no patient: highdicom must be told something, and it is taken back
    made.Modality, made.ConversionType, made.BurnedInAnnotation = "XC", "DI", "NO"
    del made.BurnedInAnnotation  # a photo of a screen has names in it, and nobody has looked yet
    made.StudyDescription, made.SeriesDescription = "Sent with images", "Photo"
    made.StudyDate = made.SeriesDate = made.ContentDate = made.InstanceCreationDate = origin.day
    made.StudyTime = made.SeriesTime = made.ContentTime = made.InstanceCreationTime = origin.clock
    if taken is not None:
        made.AcquisitionDateTime = taken.strftime("%Y%m%d%H%M%S")
    for keyword in ("ContributingEquipmentSequence", "DateOfSecondaryCapture", "TimeOfSecondaryCapture"):
        if keyword in made:
            del made[keyword]


def upright(source: IO[bytes], size: int) -> tuple[Any, datetime | None]:
    """The picture as a person would hold it, in plain colours, and when it was taken. :raises Refused:"""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise Refused("no-converter") from None
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    formats = ["JPEG", "PNG"]
    try:
        import pillow_heif

        pillow_heif.register_heif_opener(thumbnails=False)
        formats.append("HEIF")
    except ImportError:
        pass
    if size > MOST_BYTES:
        raise Refused("picture-too-large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            clipped: Any = _Clipped(source, size)
            picture: Any = Image.open(clipped, formats=formats)
            _reduced(picture)
            is_jpeg = picture.format in JPEG
            if is_jpeg and _scans(source) > codestreams.MOST_SCANS:
                raise Refused("picture-damaged")
            if is_jpeg and size < picture.width * picture.height // LEAST_OF_PIXELS:
                raise Refused("picture-damaged")
            picture.load()
            taken = _taken(picture)
            picture = ImageOps.exif_transpose(picture)
            return _plain(picture), taken
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused("picture-too-large") from None
    except (Refused, MemoryError):
        raise
    except Exception:  # Pillow's plugins raise what they like
        raise Refused("picture-damaged") from None


class _Clipped:
    """A file of which no more is read than there is: Python makes room for all that is asked, and Pillow asks for what a chunk claims of itself."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source, self._size = source, size
        source.seek(0)
        self.seek, self.tell = source.seek, source.tell

    def read(self, count: int = -1) -> bytes:
        left = max(0, self._size - self._source.tell())
        return self._source.read(left if count < 0 else min(count, left))


def _scans(source: IO[bytes]) -> int:
    """How often the picture is gone over (a mark cut in two by the pieces is missed: it is a bound, no count)."""
    at = source.tell()
    source.seek(0)
    found = sum(part.count(codestreams.SCAN) for part in iter(lambda: source.read(1_000_000), b""))
    source.seek(at)
    return found


def _reduced(picture: Any) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS or max(width, height) > 65_535 or not width or not height:
        raise Refused("picture-too-large")
    if width * height <= WORKING_PIXELS:
        return
    if picture.format in JPEG:
        scale = 2 if width * height <= WORKING_PIXELS * 4 else 4
        picture.draft(None, (width // scale, height // scale))
    elif width * height > UNREDUCED_PIXELS:
        raise Refused("picture-too-large")


def _taken(picture: Any) -> datetime | None:
    try:
        exif = picture.getexif()
        said = exif.get_ifd(0x8769).get(TAKEN[0]) or exif.get(TAKEN[1])
        return datetime.strptime(str(said).strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - a camera tells no zone
    except Exception:  # EXIF is free form in practice; when it was taken is a help, not a need
        return None


def _plain(picture: Any) -> Any:
    if picture.mode in ("RGBA", "LA", "PA") or (picture.mode == "P" and "transparency" in picture.info):
        from PIL import Image

        under = Image.new("RGBA", picture.size, "white")
        under.alpha_composite(picture.convert("RGBA"))
        return under.convert("RGB")
    if picture.mode in ("L", "RGB"):
        return picture
    return picture.convert("L" if picture.mode in ("1", "I;16", "I", "F") else "RGB")
