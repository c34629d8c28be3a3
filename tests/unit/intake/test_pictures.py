"""Pictures for the review page: a PNG of any readable image, nothing of what cannot be drawn, never black for want of a window, and never a crash."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.data import data_manager

from smart_app.archives.types import Said
from smart_app.intake import pictures
from smart_app.intake.loads import MOST_FILES, loads
from smart_app.intake.picture_child import grey
from smart_app.intake.pictures import LARGE, SMALL, draw
from smart_app.intake.received import Instance, Source, Stage
from smart_app.intake.types import Header

FOLDER = Path(data_manager.__file__).parent / "test_files"


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_images_are_drawn_in_their_order_by_one_child_and_what_is_no_picture_is_not(size: int) -> None:
    names = ["CT_small.dcm", "rtplan.dcm", "MR_small.dcm", "SC_rgb_rle_2frame.dcm", "test-SR.dcm", "JPEG2000.dcm", "examples_palette.dcm"]
    drawn = list(draw([FOLDER / name for name in names], size))
    assert [one is None for one in drawn] == [name in ("rtplan.dcm", "test-SR.dcm") for name in names]
    for one in filter(None, drawn):
        with Image.open(BytesIO(one)) as picture:
            assert picture.format == "PNG"
            assert max(picture.size) <= size
            assert numpy.asarray(picture.convert("L")).std() > 5, "something is seen"


def test_damage_is_no_picture_and_costs_no_other(tmp_path: Path) -> None:
    content = (FOLDER / "JPEG2000.dcm").read_bytes()
    (tmp_path / "cut").write_bytes(content[: len(content) // 3])
    (tmp_path / "page").write_bytes(b"<html>" * 1000)
    drawn = list(draw([tmp_path / "cut", tmp_path / "gone", tmp_path / "page", FOLDER / "CT_small.dcm"]))
    assert [one is None for one in drawn] == [True, True, True, False]


def test_a_child_that_dies_or_says_nonsense_costs_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = "import sys, os; sys.path.insert(0, {code!r}); from smart_app.intake.picture_child import main; "
    for deed in ("sys.exit(1)", "os.write(1, b'\\xff' * 100)", "os.write(1, b'\\0\\0\\0\\x14' + b'<html>' * 10)"):
        monkeypatch.setattr(pictures, "_START", f"{whole} len(sys.argv) < 5 and main(sys.argv[1], int(sys.argv[2]), [int(sys.argv[3])]); {deed}")
        drawn = list(draw([FOLDER / "MR_small.dcm", FOLDER / "CT_small.dcm"]))
        assert [one is None for one in drawn] == [True, False], deed


@pytest.mark.parametrize("window", [{}, {"WindowCenter": 40000, "WindowWidth": 10}, {"WindowCenter": 50, "WindowWidth": 0}, {"WindowCenter": "", "WindowWidth": 400}])
def test_without_a_window_in_which_something_is_seen_there_is_a_sensible_one(window: dict[str, object]) -> None:
    values = numpy.tile(numpy.arange(100, 200, dtype="int16"), (100, 1))
    values[0, 0], values[1, :] = 30_000, -2000  # one hot pixel, and padding: from the darkest to the brightest all would be one grey
    dataset = Dataset()
    dataset.PixelPaddingValue = -2000
    for name, value in window.items():
        setattr(dataset, name, value)
    shades = grey(values, dataset)
    assert shades[50].max() - shades[50].min() > 200


def test_one_value_all_over_is_a_grey_and_a_frame_has_its_own_window() -> None:
    assert set(grey(numpy.full((4, 4), 7, dtype="uint16"), Dataset()).flat) == {128.0}
    enhanced, group, voi = Dataset(), Dataset(), Dataset()
    voi.WindowCenter, voi.WindowWidth = 150, 20
    group.FrameVOILUTSequence = [voi]
    enhanced.PerFrameFunctionalGroupsSequence = [Dataset(), group]
    values = numpy.tile(numpy.arange(100, 200, dtype="int16"), (4, 1))
    assert (grey(values, enhanced, 1)[0] == 0).sum() == 41, "up to and with 140"


def instance(digest: str, size: int = 10) -> Instance:
    return Instance(digest, digest + str(size), "u", size, Stage.WAITING, "", Source(Header("1", "2", "3", "4", "5", Said(), None), "/x", "f", ""))


def test_loads_are_bounded_in_number_and_bytes_and_lose_nothing() -> None:
    many = [instance(f"{number:04}") for number in range(121)]
    assert [len(load) for load in loads(many)] == [MOST_FILES, MOST_FILES, 21]
    large = [instance(f"{number:04}", 40_000_000) for number in range(3)]
    assert [len(load) for load in loads(large)] == [1, 1, 1]
    twice = [instance("a", 1), instance("a", 2), instance("b")]
    assert [len(load) for load in loads(twice)] == [1, 2]
    assert [one for load in loads(many) for one in load] == many
