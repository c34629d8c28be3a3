"""Discs as other hospitals burn them: a DICOMDIR, files without endings, a viewer with autorun, and sometimes somebody else's study.

Made for the demo and the tests of receiving. The studies are the catalogue's people's, held by no archive of the demo.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.fileset import FileSet

from sandbox import world
from sandbox.images import identify
from sandbox.model import DemoSeries as Series
from sandbox.model import DemoStudy as Study
from sandbox.recipes.book import RECIPES
from sandbox.recipes.objects import Job
from sandbox.recipes.syntaxes import encode

PERFUSION = Study(
    "marchetti-ctp-disc", "marchetti", ("stbrannoc",), 0, "0901", "CT", "CT perfusion, head", "HEAD", "SB-26-88122", (
        Series(1, "CT", "Perfusion 5 mm", "ct_head", 60, 8, options={"stroke": True, "thickness": 5.0}),
        Series(2, "CT", "Perfusion thin 1.25 mm", "ct_head", 120, 6, options={"stroke": True, "thickness": 1.25}),
    ), in_chart=False,
)  # fmt: skip
"""The study that St Brannoc's transfer letter names."""
STRANGER = replace(
    PERFUSION, key="stranger-disc", description="CT head without contrast", accession="SB-26-70001", series=(Series(1, "CT", "Axial 5 mm", "ct_head", 20, 4, options={"thickness": 5.0}),),
    other_patient_id="SB-990731", as_name="MARCHETTI^ROBERT", as_birth_date="1949-02-02",
)  # fmt: skip
"""Left on the disc from the patient before."""
PROGRAMS = {
    "AUTORUN.INF": b"[autorun]\r\nopen=VIEWER\\START.EXE\r\n",
    "VIEWER/START.EXE": b"MZ\x90\x00" + b"\x00" * 2000,
    "VIEWER/VIEWER.DLL": b"MZ\x90\x00" + b"\x00" * 500,
    "INDEX.HTM": b"<html><body><script>document.title='disc'</script>Open VIEWER.</body></html>",
    "README.TXT": b"Insert the disc and wait.\r\n",
}


def make(folder: Path, *, small: bool = False, today: date | None = None) -> dict[str, Path]:
    """Write each disc as a folder, and as a zip beside it; name of the disc -> folder. What was there is replaced."""
    day = today or datetime.now(UTC).date()
    made = {}
    for name, studies in (("stbrannoc-perfusion", (PERFUSION,)), ("stbrannoc-two-people", (PERFUSION, STRANGER))):
        disc = folder / name
        shutil.rmtree(disc, ignore_errors=True)
        disc.mkdir(parents=True)
        _burn(disc, studies, small, day)
        _zip(disc)
        made[name] = disc
    return made


def objects(study: Study, *, small: bool, today: date) -> Iterator[Dataset]:
    """All objects of one disc study, drawn anew."""
    for series in study.series:
        count = series.small if small else series.images
        job = Job(study, series, count, small)
        for index in range(count):
            ds = RECIPES[series.recipe](job, index)
            if not hasattr(ds, "file_meta"):
                encode(ds, series.syntax, index)
            identify(ds, study, series, index, world.archive(study.archives[0]), today)
            yield ds


def _burn(disc: Path, studies: tuple[Study, ...], small: bool, today: date) -> None:
    # FileSet works on a folder of its own until it is written, and gives the files their names.
    burned = FileSet()
    for study in studies:
        for ds in objects(study, small=small, today=today):
            burned.add(ds)
    burned.write(disc)
    for name, content in PROGRAMS.items():
        path = disc / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def _zip(disc: Path) -> None:
    with zipfile.ZipFile(disc.with_suffix(".zip"), "w", zipfile.ZIP_STORED) as packed:
        for path in sorted(disc.rglob("*")):
            if path.is_file():
                packed.write(path, str(path.relative_to(disc)))
