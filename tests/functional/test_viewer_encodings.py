"""What a reader sees of every kind of object, in a real browser: the grey and colour that pydicom decodes, the patient's
sides, a plain word for what cannot be drawn, and text that stays text.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import apply_color_lut, apply_modality_lut, pixel_array
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from sandbox import images
from sandbox.catalogue import STUDIES
from sandbox.recipes.book import RECIPES
from sandbox.recipes.objects import Job
from tests.functional.viewer_navigator import Navigator, browser, reader
from tests.town import Town

HOSTILE = "<img src=x onerror=ran()>"
OWN = "own"


@pytest.fixture(scope="module")
def pictures(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's pictures and a study of odd ones of this test's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images.build(pictures, progress=lambda _: None, small=True)
    folder = tmp_path_factory.mktemp("pictures") / "all"
    shutil.copytree(pictures, folder)
    _odd_ones(folder / "northgate")
    return folder


def _odd_ones(archive: Path) -> None:
    """One study with values below zero, MONOCHROME1, colour by planes and YBR_FULL, and script in every text."""
    pattern = pydicom.dcmread(archive / "formats-images" / "2" / "0001.dcm")
    study = generate_uid()
    ramp = np.add.outer(np.arange(96) * 10, np.arange(128) * 6)
    colour = np.stack([ramp % 256, (ramp // 2) % 256, np.full_like(ramp, 90)], axis=-1).astype(np.uint8)
    made: list[tuple[str, dict[str, Any], bytes]] = [
        ("Below zero", {"BitsAllocated": 16, "BitsStored": 12, "PixelRepresentation": 1, "RescaleSlope": "2", "RescaleIntercept": "-100",
                        "WindowCenter": "-300", "WindowWidth": "2600"}, _twelve_bits(ramp - 900)),
        ("Eight bits signed", {"BitsAllocated": 8, "BitsStored": 8, "PixelRepresentation": 1, "WindowCenter": "0", "WindowWidth": "220"},
         (ramp // 7 - 110).astype(np.int8).tobytes()),
        ("White is low", {"BitsAllocated": 8, "BitsStored": 8, "PhotometricInterpretation": "MONOCHROME1", "WindowCenter": "100", "WindowWidth": "160"},
         (ramp // 7).astype(np.uint8).tobytes()),
        ("No window", {"BitsAllocated": 16, "BitsStored": 16, "WindowCenter": None, "WindowWidth": None}, (ramp * 30).astype("<u2").tobytes()),
        ("By planes", {"BitsAllocated": 8, "BitsStored": 8, "SamplesPerPixel": 3, "PhotometricInterpretation": "RGB", "PlanarConfiguration": 1},
         np.moveaxis(colour, -1, 0).tobytes()),
        ("YBR full", {"BitsAllocated": 8, "BitsStored": 8, "SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL", "PlanarConfiguration": 0},
         colour.tobytes()),
    ]  # fmt: skip
    for number, (title, module, data) in enumerate(made, start=1):
        ds = Dataset()
        ds.update(pattern)
        ds.file_meta = pydicom.dataset.FileMetaDataset(pattern.file_meta)
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = study, generate_uid(), generate_uid()
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.PatientName = "OKONKWO-REYES^Marisol^<script>ran()</script>"
        ds.StudyDescription, ds.SeriesDescription, ds.SeriesNumber = f"Odd {HOSTILE}", f"{title} {HOSTILE}", number
        ds.InstitutionName = HOSTILE
        ds.Rows, ds.Columns = ramp.shape
        ds.HighBit = module["BitsStored"] - 1
        for keyword in ("ImageOrientationPatient", "ImagePositionPatient"):
            del ds[keyword]
        for keyword, value in {
            "SamplesPerPixel": 1,
            "PixelRepresentation": 0,
            "PhotometricInterpretation": "MONOCHROME2",
            **module,
        }.items():
            if value is None:
                del ds[keyword]
            else:
                setattr(ds, keyword, value)
        ds.PixelData = data
        ds["PixelData"].VR = "OW" if module["BitsAllocated"] == 16 else "OB"
        path = archive / OWN / str(number) / "0001.dcm"
        path.parent.mkdir(parents=True)
        ds.save_as(path, enforce_file_format=True)


def _twelve_bits(values: NDArray[Any]) -> bytes:
    """Two's complement in 12 of 16 bits, the upper four left as an old overlay would have them."""
    return ((values & 0x0FFF) | 0x5000).astype("<u2").tobytes()


@pytest.fixture(scope="module")
def reading(town: Town) -> Iterator[Navigator]:
    with browser() as context, reader(context, town) as navigator:
        navigator.opens_chart_of("okonkwo-reyes")
        yield navigator


def _drawn(key: str) -> list[tuple[str, str, int]]:
    study = next(one for one in STUDIES if one.key == key)
    kept = study.archives[0]
    return [(kept, key, one.number) for one in study.series]


ENCODINGS = [
    *_drawn("formats-images"),
    *_drawn("formats-colour"),
    *_drawn("formats-sides"),
    *(("northgate", OWN, number) for number in range(1, 7)),
]


def _source(key: str, number: int) -> Dataset:
    """What was drawn before it was encoded: for the encodings that pydicom cannot read here."""
    study = next(one for one in STUDIES if one.key == key)
    series = next(one for one in study.series if one.number == number)
    return RECIPES[series.recipe](Job(study, series, series.small, True), 0)


def _file(town: Town, archive: str, key: str, series: int, number: int = 1) -> Dataset:
    folder = next(Path(one.folder) for one in town.plan.archives if one.key == archive)
    return pydicom.dcmread(folder / key / str(series) / f"{number:04d}.dcm")


@pytest.mark.parametrize(("archive", "key", "series"), ENCODINGS, ids=lambda value: str(value))
def test_the_screen_shows_the_values_that_pydicom_decodes(reading: Navigator, archive: str, key: str, series: int) -> None:
    ds = _file(reading.town, archive, key, series)
    reading.has_open(ds.StudyDescription)
    reading.picks_series(f"{ds.SeriesNumber} {ds.SeriesDescription}")
    assert reading.curtain == ""
    assert reading.fact("state") == "shown"
    if int(getattr(ds, "NumberOfFrames", 1) or 1) > 1:  # an echo loop plays by itself
        reading.looks_at_the_picture()
        reading.presses("Home")
    shown = reading.pixels()
    if "High-Throughput" in ds.file_meta.TransferSyntaxUID.name:
        ds.PixelData, ds.file_meta.TransferSyntaxUID = _source(key, series).PixelData, ExplicitVRLittleEndian
    grey = ds.PhotometricInterpretation.startswith("MONOCHROME")
    wanted, inside, beside = as_drawn(ds, reading.window if grey else None, shown.shape[:2])
    far = np.abs(shown.astype(int) - wanted)[inside]
    # One level is rounding; the lossy one is held against its original. A loop is 1.9 levels away at most since it has its bar: why is not known yet.
    within = 16 if key == "formats-images" and series == 13 else 2 if "NumberOfFrames" in ds else 1
    assert far.mean() < 1.5
    assert far.max() < within, f"{far.max():.1f} grey levels away, mean {far.mean():.2f}"
    assert wanted[inside].std() > 15, "a flat picture proves nothing"
    assert shown[beside].max(initial=0) == 0, "something is drawn beside the picture"


SIDES = [
    ("okonkwo-reyes", "Every image encoding", None, {"top": "A", "right": "L", "bottom": "P", "left": "R"}),  # axial
    ("marchetti", "MRI lumbar spine", "1 Sagittal T2", {"top": "H", "right": "P", "bottom": "F", "left": "A"}),
    ("marchetti", "Chest, 1 view, portable", None, {"top": "H", "right": "L", "bottom": "F", "left": "R"}),  # Patient Orientation alone
    ("adeyemi-holt", "Chest, 2 views", "2 Chest lateral", {"top": "H", "right": "A", "bottom": "F", "left": "P"}),
    ("adeyemi-holt", "Bone scan, whole body", None, {}),
    ("okonkwo-reyes", "Colour and palettes", None, {}),
]


@pytest.mark.parametrize(("patient", "study", "series", "sides"), SIDES, ids=[f"{one[1]} {one[2] or ''}".strip() for one in SIDES])
def test_the_patients_sides_stand_at_the_edges_where_the_file_gives_them(
    reading: Navigator, patient: str, study: str, series: str | None, sides: dict[str, str]
) -> None:
    reading.has_chart_of(patient)
    reading.has_open(study)
    if series:
        reading.picks_series(series)
    assert reading.edges == sides


def test_a_coronal_images_slant_is_in_its_letters_and_turning_turns_them(reading: Navigator) -> None:
    reading.has_chart_of("oyelaran-femi-ade")
    reading.has_open("MRI shoulder, right")
    straight = reading.edges
    row = _file(reading.town, "northgate", "femi-ade-shoulder", 1).ImageOrientationPatient[:3]
    assert straight["right"][0] == ("L" if row[0] > 0 else "R") if abs(row[0]) > abs(row[1]) else straight["right"][0] in "AP"
    assert straight["top"][0] == "H"
    reading.uses("rotate")
    assert reading.edges == {"right": straight["top"], "bottom": straight["right"], "left": straight["bottom"], "top": straight["left"]}
    reading.uses("flip")
    assert (reading.edges["left"], reading.edges["right"]) == (straight["top"], straight["bottom"])
    reading.uses("reset")
    assert reading.edges == straight


DOCUMENTS = {
    "3 Presentation state": ("Presentation state", "no picture of its own"),
    "6 Scanned letter": ("Document", "a document, not images"),
    "8 Segmentation": ("Segmentation", "outlines regions"), "10 Contours": ("Treatment contours", "treatment planning"),
}  # fmt: skip


def test_what_cannot_be_drawn_is_named_with_a_sentence_and_breaks_nothing(reading: Navigator) -> None:
    reading.has_chart_of("okonkwo-reyes")
    reading.has_open("CT head with documents")
    assert [name for name in DOCUMENTS if name not in reading.series_names()] == []
    for name, (word, sentence) in DOCUMENTS.items():
        reading.picks_series(name)
        assert reading.fact("state") == "document"
        assert word in reading.curtain
        assert sentence in reading.curtain
        assert reading.edges == {}
        assert reading.place == ""
    reading.picks_series("9 Unknown transfer syntax")
    reading.page.wait_for_selector("#viewer-pane[data-state=error]")
    assert "This image could not be loaded" in reading.curtain
    assert "cannot be drawn here" in reading.curtain
    assert "This image could not be loaded." in reading.status
    reading.picks_series("2 Axial 7 mm")
    assert (reading.fact("state"), reading.curtain, reading.place) == ("shown", "", "Image 1 of 3")
    assert reading.pixels().std() > 20
    reading.complaints.clear()


def test_script_in_names_and_descriptions_stays_text(reading: Navigator) -> None:
    reading.has_chart_of("okonkwo-reyes")
    title = f"Odd {HOSTILE}"
    assert reading.row(title).locator("a.ttl").get_attribute("title") == title
    reading.has_open(title)
    assert reading.page.locator("#viewer-pane h2").text_content() == title
    assert "<script>ran()</script>" in reading.corner("tl")
    assert HOSTILE in reading.corner("bl")
    assert f"1 Below zero {HOSTILE}" in reading.series_names()
    assert reading.page.evaluate("window.scriptRan") is False
    assert reading.page.locator("#app img[src=x], #app script").count() == 0


def as_drawn(
    ds: Dataset, window: tuple[int, int] | None, canvas: tuple[int, int]
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """The first frame, fitted into a canvas of this height and width: RGB 0 to 255; where it surely is; where it surely is not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = pixel_array(ds, index=0) if "NumberOfFrames" in ds else pixel_array(ds)
        if ds.PhotometricInterpretation == "PALETTE COLOR":
            values = apply_color_lut(values, ds) >> 8
        elif ds.SamplesPerPixel == 1:
            values = apply_modality_lut(values, ds)
    between, along = ds.get("PixelSpacing") or (1, 1)
    tall, wide = canvas
    scale = min(wide / (ds.Columns * along), tall / (ds.Rows * between))
    x = (np.arange(wide) + 0.5 - wide / 2) / (scale * along) + ds.Columns / 2 - 0.5
    y = (np.arange(tall) + 0.5 - tall / 2) / (scale * between) + ds.Rows / 2 - 0.5
    drawn = _between(values.astype(np.float64), y, x)
    if window:
        width, level = window
        drawn = np.clip((drawn - (level - 0.5)) / (width - 1) + 0.5, 0, 1) * 255
    if ds.PhotometricInterpretation == "MONOCHROME1":
        drawn = 255 - drawn
    if drawn.ndim == 2:
        drawn = np.repeat(drawn[:, :, None], 3, axis=2)
    return (
        drawn,
        np.logical_and.outer((y > 2) & (y < ds.Rows - 3), (x > 2) & (x < ds.Columns - 3)),
        np.logical_or.outer((y < -1.5) | (y > ds.Rows + 0.5), (x < -1.5) | (x > ds.Columns + 0.5)),
    )


def _between(values: NDArray[np.float64], y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bilinear: values between pixels, as a graphics card draws them."""
    y, x = np.clip(y, 0, values.shape[0] - 1), np.clip(x, 0, values.shape[1] - 1)
    top, left = np.minimum(y.astype(int), values.shape[0] - 2), np.minimum(x.astype(int), values.shape[1] - 2)
    down, right = (y - top)[:, None], (x - left)[None, :]
    if values.ndim == 3:
        down, right = down[:, :, None], right[:, :, None]
    upper = values[top][:, left] * (1 - right) + values[top][:, left + 1] * right
    lower = values[top + 1][:, left] * (1 - right) + values[top + 1][:, left + 1] * right
    mixed: NDArray[np.float64] = upper * (1 - down) + lower * down
    return mixed
