"""Three planes through a phantom whose every voxel is known, in a real browser: the pixels, sides and values that numpy
cuts out of the files themselves; a slab; the cross; and why a series is no volume.
"""

from __future__ import annotations

import base64
import re
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut
from pydicom.uid import generate_uid

from sandbox import images
from tests.functional.looks import RULES
from tests.functional.viewer_navigator import PANE, Navigator, browser, reader
from tests.town import Town

STUDY = "Known volume"
COLUMNS, ROWS, SLICES = 60, 50, 30
ACROSS, DOWN, APART = 0.8, 1.0, 1.5  # mm between voxels to the left, to the back, to the head
ORIGIN = np.array([-20.0, -35.0, 100.0])
WIDTH, CENTER = 1200, 100
PLANES = {"axial": (0, 1, (1, 1)), "coronal": (0, 2, (1, -1)), "sagittal": (1, 2, (1, -1))}
"""Which axes of the body run right and down in each plane, and which way."""

_READ = """name => {
  const canvas = document.querySelector(`[data-plane=${name}] canvas`);
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const pen = copy.getContext('2d', {willReadFrequently: true});
  pen.drawImage(canvas, 0, 0);
  const {data, width, height} = pen.getImageData(0, 0, canvas.width, canvas.height);
  let text = '';
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return [width, height, btoa(text)];
}"""


@pytest.fixture(scope="module")
def pictures(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images.build(pictures, progress=lambda _: None, small=True)
    folder = tmp_path_factory.mktemp("volumes") / "all"
    shutil.copytree(pictures, folder)
    _phantom(folder / "northgate")
    return folder


def known() -> NDArray[np.int16]:
    """HU by (head, back, left): a ramp that differs along every axis, air around it, and a bright mark at left, front and head."""
    z, y, x = np.mgrid[0:SLICES, 0:ROWS, 0:COLUMNS]
    hu = x * 7 + y * 5 - z * 9 + (x * 31 + y * 17 + z * 13) % 23
    round_body = ((x - COLUMNS / 2) / (COLUMNS / 2)) ** 2 + ((y - ROWS / 2) / (ROWS / 2)) ** 2 <= 1
    hu = np.where(round_body, hu, -1000)
    hu[22:26, 8:14, 40:46] = 900
    return hu.astype(np.int16)


def _phantom(archive: Path) -> None:
    """Taken in slices of the head, of the side, and with two slices lost."""
    pattern = pydicom.dcmread(archive / "formats-images" / "2" / "0001.dcm")
    hu, study, frame = known(), generate_uid(), generate_uid()
    axial = [(hu[k], ORIGIN + np.array([0, 0, k * APART])) for k in reversed(range(SLICES))]  # numbered from the head
    side = [(hu[::-1, :, i], ORIGIN + np.array([i * ACROSS, 0, (SLICES - 1) * APART])) for i in range(COLUMNS)]
    made = [
        ("Axial", axial, [1, 0, 0, 0, 1, 0], [DOWN, ACROSS]),
        ("Sagittal", side, [0, 1, 0, 0, 0, -1], [APART, DOWN]),
        ("Slices lost", axial[:12] + axial[14:], [1, 0, 0, 0, 1, 0], [DOWN, ACROSS]),
    ]
    for number, (title, slices, orientation, spacing) in enumerate(made, start=1):
        series = generate_uid()
        for instance, (values, position) in enumerate(slices, start=1):
            ds = Dataset()
            ds.update(pattern)
            ds.file_meta = pydicom.dataset.FileMetaDataset(pattern.file_meta)
            ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID = study, series, generate_uid()
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
            ds.Modality, ds.StudyDescription, ds.SeriesDescription = "CT", STUDY, title
            ds.SeriesNumber, ds.InstanceNumber, ds.FrameOfReferenceUID = number, instance, frame
            ds.Rows, ds.Columns = values.shape
            ds.PixelSpacing, ds.SliceThickness = spacing, APART
            ds.ImageOrientationPatient, ds.ImagePositionPatient = orientation, [float(round(each, 4)) for each in position]
            ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
            ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 16, 15
            ds.RescaleSlope, ds.RescaleIntercept, ds.WindowCenter, ds.WindowWidth = "1", "-1024", str(CENTER), str(WIDTH)
            ds.PixelData = (values.astype(np.int32) + 1024).astype("<u2").tobytes()
            place = archive / "known-volume" / str(number) / f"{instance:04d}.dcm"
            place.parent.mkdir(parents=True, exist_ok=True)
            ds.save_as(place, enforce_file_format=True)


@pytest.fixture(scope="module")
def reading(town: Town) -> Iterator[Navigator]:
    with browser() as context, reader(context, town) as navigator:
        yield navigator


@pytest.fixture
def planes(reading: Navigator) -> Navigator:
    """The planes of the axial series, thin, as they open."""
    return opened(reading, "1 Axial")


def opened(reading: Navigator, series: str) -> Navigator:
    reading.has_chart_of("okonkwo-reyes")
    reading.has_open(STUDY)
    reading.picks_series(series)
    reading.sees_everything_loaded()
    reading.looks_at_the_picture()
    reading.presses("m")
    reading.page.wait_for_selector("[data-mpr=complete]")
    rests(reading)
    return reading


def rests(reading: Navigator) -> None:
    """Waits until nothing moves: the fine drawing comes a moment after the last change."""
    reading.page.wait_for_timeout(250)
    reading.settles()


def shown(reading: Navigator, plane: str) -> NDArray[np.uint8]:
    """Red, green, blue and alpha of one plane."""
    width, height, data = reading.page.evaluate(_READ, plane)
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)


def cross(reading: Navigator) -> tuple[NDArray[np.float64], str]:
    """Place in the body under the cross, and what is said to be there."""
    text = str(reading.page.locator("[data-cross]").text_content())
    found = re.fullmatch(r"([LR]) ([\d.]+) · ([PA]) ([\d.]+) · ([HF]) ([\d.]+) mm · voxel (.+)", text)
    assert found, text
    signs = {"L": 1, "R": -1, "P": 1, "A": -1, "H": 1, "F": -1}
    return np.array([signs[found[n]] * float(found[n + 1]) for n in (1, 3, 5)]), found[7]


def voxel(place: NDArray[np.float64]) -> tuple[int, int, int]:
    i, j, k = np.rint((place - ORIGIN) / [ACROSS, DOWN, APART]).astype(int)
    return int(k), int(j), int(i)


def expected(reading: Navigator, plane: str, hu: NDArray[np.float64], depth: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """What numpy cuts: grey values of the plane through voxels `depth`, and which pixels lie in the volume."""
    step, count = np.array([ACROSS, DOWN, APART]), np.array([COLUMNS, ROWS, SLICES])
    sizes = {
        name: reading.page.evaluate(
            "name => { const e = document.querySelector(`[data-plane=${name}]`); return [e.clientWidth, e.clientHeight]; }", name
        )
        for name in PLANES
    }
    scale = max(count[axis] * step[axis] / sizes[name][n] for name, axes in PLANES.items() for n, axis in enumerate(axes[:2]))
    right, down, ways = PLANES[plane]
    width, height = sizes[plane]
    lines = []
    for axis, size, way in ((right, width, ways[0]), (down, height, ways[1])):
        from_middle = (np.arange(size) - (size - 1) / 2) * scale * way
        lines.append(from_middle / step[axis] + (count[axis] - 1) / 2)
    across, along = np.meshgrid(*lines)
    other = ({0, 1, 2} - {right, down}).pop()
    flat = np.moveaxis(hu.transpose(2, 1, 0), other, 0)[depth]  # by (right or down, whichever axis is the lower)
    low, high = (across, along) if right < down else (along, across)
    inside = (across > -0.499) & (across < count[right] - 0.501) & (along > -0.499) & (along < count[down] - 0.501)
    return linear(flat, low, high), inside


def linear(values: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b = np.clip(a, 0, values.shape[0] - 1), np.clip(b, 0, values.shape[1] - 1)
    a0, b0 = np.minimum(a.astype(int), values.shape[0] - 2), np.minimum(b.astype(int), values.shape[1] - 2)
    fa, fb = a - a0, b - b0
    top = values[a0, b0] * (1 - fb) + values[a0, b0 + 1] * fb
    return top * (1 - fa) + (values[a0 + 1, b0] * (1 - fb) + values[a0 + 1, b0 + 1] * fb) * fa


def grey(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """PS3.3 C.11.2.1.2.1."""
    return np.clip((values - (CENTER - 0.5)) / (WIDTH - 1) + 0.5, 0, 1) * 255


def agrees(reading: Navigator, plane: str, hu: NDArray[np.float64], depth: int) -> None:
    picture = shown(reading, plane)
    values, inside = expected(reading, plane, hu, depth)
    assert picture.shape[:2] == values.shape
    off = np.abs(picture[..., 0].astype(float) - grey(values))[inside]
    assert inside.sum() > 5000
    assert off.max() <= 0.51, f"{plane}: {off.max()}"
    assert (picture[..., 3][inside] == 255).all(), "nothing hatched"


@pytest.mark.parametrize("series", ["1 Axial", "2 Sagittal"])
def test_each_plane_shows_what_numpy_cuts_out_of_the_files(reading: Navigator, series: str) -> None:
    opened(reading, series)
    hu = known().astype(float)
    for plane in PLANES:
        reading.page.locator(f"[data-plane={plane}]").focus()
        reading.presses("Home", "PageDown", "ArrowDown", "ArrowDown", "ArrowUp")
    rests(reading)
    for plane in PLANES:
        agrees(reading, plane, hu, 11)
        count = {"axial": SLICES, "coronal": ROWS, "sagittal": COLUMNS}[plane]
        assert reading.page.get_attribute(f"[data-plane={plane}]", "aria-valuetext") == f"Image 12 of {count}"
    place, said = cross(reading)
    assert voxel(place) == (11, 11, 11)
    assert said == f"{known()[11, 11, 11]} HU"


def test_left_is_on_the_right_and_the_letters_say_so(planes: Navigator) -> None:
    letters = {plane: [str(planes.page.locator(f"[data-plane={plane}] .v-m{edge}").text_content()) for edge in "trbl"] for plane in PLANES}
    assert letters == {"axial": ["A", "L", "P", "R"], "coronal": ["H", "L", "F", "R"], "sagittal": ["H", "P", "F", "A"]}
    for plane, sixth in (("axial", 24), ("coronal", 10), ("sagittal", 42)):
        planes.page.locator(f"[data-plane={plane}]").focus()
        planes.presses("Home", *["PageDown"] * (sixth // 10), *["ArrowDown"] * (sixth % 10))
    rests(planes)
    # the mark lies at the left, the front and the head of the patient: found on that side of each picture
    for plane, (right, below) in {"axial": (True, False), "coronal": (True, False), "sagittal": (False, False)}.items():
        picture = shown(planes, plane)[..., 0]
        rows, columns = np.nonzero(picture > 250)
        assert len(rows) > 50
        assert (columns.mean() > picture.shape[1] / 2) is np.bool_(right)
        assert (rows.mean() > picture.shape[0] / 2) is np.bool_(below)


def test_the_cross_reads_the_files_own_values(planes: Navigator, pictures: Path) -> None:
    files = {}
    for path in (pictures / "northgate" / "known-volume" / "1").glob("*.dcm"):
        ds = pydicom.dcmread(path)
        files[round((float(ds.ImagePositionPatient[2]) - ORIGIN[2]) / APART)] = apply_modality_lut(ds.pixel_array, ds)
    for plane, x, y in (("axial", 0.4, 0.5), ("coronal", 0.55, 0.45), ("sagittal", 0.5, 0.55), ("axial", 0.61, 0.3)):
        box = planes.page.locator(f"[data-plane={plane}]").bounding_box()
        planes.page.mouse.click(box["x"] + box["width"] * x, box["y"] + box["height"] * y)
        planes.settles()
        place, said = cross(planes)
        k, j, i = voxel(place)
        assert said == f"{int(files[k][j, i])} HU"
        planes.page.wait_for_function(  # the stack beside them shows the same slice
            "words => document.querySelector('.v-mpr-slot .v-br').textContent.startsWith(words)", arg=f"Image {SLICES - k} of {SLICES}"
        )
    axial = planes.page.locator("[data-plane=axial]")
    axial.focus()
    before = voxel(cross(planes)[0])
    planes.presses("Shift+ArrowRight", "Shift+ArrowDown", "ArrowUp")
    assert np.subtract(voxel(cross(planes)[0]), before).tolist() == [-1, 1, 1]
    planes.page.locator(f"{PANE} .v-mpr-slot .v-vp").focus()
    planes.presses("End")
    planes.settles()
    planes.settles()
    assert voxel(cross(planes)[0])[0] == 0, "the stack takes the cross along"


def test_a_slab_is_the_brightest_darkest_or_mean_of_its_slices(planes: Navigator) -> None:
    planes.page.locator("[data-plane=axial]").focus()
    planes.presses("Home", *["PageDown"] * 2)
    for choice, of in (("mip", np.max), ("minip", np.min), ("mean", np.mean)):
        planes.page.locator(f"[data-slab={choice}]").click()
        planes.page.get_by_label("Slab thickness, mm").focus()
        planes.presses("Home", *["ArrowRight"] * 5)  # 6 mm: the slice, and two more on each side
        rests(planes)
        hu = known().astype(float)
        hu[20] = of(hu[18:23], axis=0)
        agrees_slab(planes, hu, of)
        assert "6 mm" in str(planes.page.locator("[data-plane=axial] .v-bl").text_content())
    planes.page.locator("[data-slab=thin]").click()
    rests(planes)
    agrees(planes, "axial", known().astype(float), 20)


def agrees_slab(reading: Navigator, hu: NDArray[np.float64], of: object) -> None:
    """At the middles of voxels, where the order of interpolating and choosing does not matter."""
    picture = shown(reading, "axial")[..., 0].astype(float)
    values, inside = expected(reading, "axial", hu, 20)
    off = np.abs(picture - grey(values))[inside]
    limit = 0.51 if of is np.mean else 30
    assert np.quantile(off, 0.9 if of is not np.mean else 1) <= limit


def test_window_and_inversion_are_one_for_all(planes: Navigator) -> None:
    before = shown(planes, "coronal")[..., 0].copy()
    planes.page.locator("[data-plane=coronal]").focus()
    planes.presses("i")
    rests(planes)
    _, inside = expected(planes, "coronal", known().astype(float), 0)
    assert (shown(planes, "coronal")[..., 0][inside] == 255 - before[inside]).all()
    planes.presses("i", "3")
    rests(planes)
    stack = planes.page.locator(".v-mpr-slot .v-bl")
    assert "W 2000 · L 500" in str(stack.text_content())
    assert (shown(planes, "sagittal")[..., 0] > 0).mean() > 0.1
    box = planes.page.locator("[data-plane=sagittal]").bounding_box()
    planes.page.mouse.move(box["x"] + 30, box["y"] + 30)
    planes.page.mouse.down()
    planes.page.mouse.move(box["x"] + 80, box["y"] + 30, steps=4)
    planes.page.mouse.up()
    rests(planes)
    found = re.search(r"W (\d+)", str(stack.text_content()))
    assert found
    assert int(found[1]) > 2000, "dragging on a plane windows the stack too"


def test_the_planes_go_and_the_stack_is_back(planes: Navigator) -> None:
    assert planes.tool("mpr").get_attribute("aria-pressed") == "true"
    planes.presses("m")
    assert planes.page.locator(".v-mpr").count() == 0
    assert planes.tool("mpr").get_attribute("aria-pressed") == "false"
    planes.presses("ArrowDown", "ArrowUp", "Home")
    planes.reaches(1, SLICES)
    planes.uses("mpr")
    planes.page.wait_for_selector("[data-mpr=complete]")
    planes.presses("Escape")
    assert planes.page.locator(".v-mpr").count() == 0
    assert planes.place == f"Image 1 of {SLICES}", "Escape closes the planes, not the study"
    planes.uses("mpr")
    planes.page.wait_for_selector("[data-mpr=complete]")
    planes.picks_series("2 Sagittal")
    assert planes.page.locator(".v-mpr").count() == 0, "another series is never shown beside planes of the one before"


def test_a_series_with_slices_lost_says_which(reading: Navigator) -> None:
    reading.has_chart_of("okonkwo-reyes")
    reading.has_open(STUDY)
    reading.picks_series("3 Slices lost")
    reading.sees_everything_loaded()
    sentence = "Not a volume: 2 slices are missing between images 12 and 13."
    reading.page.wait_for_selector(f"{PANE} [data-command=mpr][title='{sentence}']")
    assert reading.tool("mpr").get_attribute("aria-disabled") == "true"
    reading.uses("mpr")
    assert reading.note == sentence
    assert reading.page.locator(".v-mpr").count() == 0


@pytest.mark.parametrize("size", [(1280, 800), (1000, 650)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_nothing_is_cut_off_and_axe_finds_nothing(reading: Navigator, size: tuple[int, int], theme: str) -> None:
    reading.page.set_viewport_size({"width": size[0], "height": size[1]})
    reading.opens_chart_of("marchetti")
    reading.chooses_colours(theme)
    reading.opens("CT head without contrast")
    reading.picks_series("2 Axial brain 5 mm")
    reading.sees_everything_loaded()
    reading.looks_at_the_picture()
    reading.presses("m")
    reading.page.wait_for_selector("[data-mpr=complete]")
    rests(reading)
    reading.page.mouse.move(1, 1)
    reading.picture(f"mpr-{size[0]}x{size[1]}-{theme}")
    assert reading.cut_off() == []
    found = Axe().run(reading.page, options=RULES).response["violations"]
    assert [(one["id"], node["html"][:200]) for one in found for node in one["nodes"][:3]] == []
