"""One town with the phantoms in an archive, one browser: the pictures are read one after the other."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import generate_uid

from sandbox import images
from tests.functional.viewer_navigator import Navigator, browser, reader
from tests.phantoms import greys, loops, objects
from tests.town import town

PATIENT = "okonkwo-reyes"
KEPT = Path("northgate") / "phantoms"


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's pictures with the phantom study among them."""
    built = Path(__file__).resolve().parents[1] / "out" / "pictures"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        images.build(built, progress=lambda _: None, small=True)
    folder = tmp_path_factory.mktemp("phantoms") / "all"
    shutil.copytree(built, folder)
    pattern = pydicom.dcmread(folder / "northgate" / "formats-images" / "2" / "0001.dcm")
    objects.write(folder / KEPT, pattern, [*greys.GREYS, *greys.COLOURS, *greys.SHAPES], generate_uid())
    loops.write(folder / "northgate" / "loops", pattern, generate_uid())
    return folder


@pytest.fixture(scope="module")
def reading(phantoms: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Navigator]:
    with town(tmp_path_factory.mktemp("town"), phantoms) as running, browser() as context, reader(context, running) as navigator:
        navigator.opens_chart_of(PATIENT)
        yield navigator
