"""Pictures for the review page: a PNG of any readable image, nothing of what cannot be drawn, and never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from pydicom.data import data_manager

from smart_app.archives.types import Said
from smart_app.intake import picture_child
from smart_app.intake.loads import MOST_FILES, loads
from smart_app.intake.pictures import SIZE, draw
from smart_app.intake.received import Instance, Source, Stage
from smart_app.intake.types import Header

FOLDER = Path(data_manager.__file__).parent / "test_files"


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "SC_rgb_rle_2frame.dcm", "JPEG2000.dcm", "examples_palette.dcm"])
def test_an_image_is_drawn(name: str, tmp_path: Path) -> None:
    drawn = draw(FOLDER / name)
    assert drawn is not None
    (tmp_path / "it.png").write_bytes(drawn)
    with Image.open(tmp_path / "it.png") as picture:
        assert picture.format == "PNG"
        assert max(picture.size) <= SIZE == picture_child.SIZE


@pytest.mark.parametrize("name", ["rtplan.dcm", "test-SR.dcm"])
def test_what_is_no_picture_is_not_drawn(name: str) -> None:
    assert draw(FOLDER / name) is None


def test_damage_is_no_picture(tmp_path: Path) -> None:
    content = (FOLDER / "JPEG2000.dcm").read_bytes()
    (tmp_path / "cut").write_bytes(content[: len(content) // 3])
    (tmp_path / "page").write_bytes(b"<html>" * 1000)
    assert draw(tmp_path / "cut") is None
    assert draw(tmp_path / "page") is None


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
