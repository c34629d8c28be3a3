"""Fills one folder per archive with the demo's DICOM objects. Idempotent: a second call only looks at the stamp.

Owns identity (names, numbers, UIDs, dates) and the files; pixels come from `recipes`. Run it: `python -m sandbox.images FOLDER [--small]`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from sandbox import world
from sandbox.model import DemoArchive, DemoSeries, DemoStudy
from sandbox.recipes.book import RECIPES
from sandbox.recipes.documents import blank_dates
from sandbox.recipes.objects import Job, instance_uid
from sandbox.recipes.syntaxes import encode

Progress = Callable[[str], None]
CHUNK = 12
CHARSETS: dict[str, str | list[str] | None] = {
    "utf8": "ISO_IR 192",
    "latin1": "ISO_IR 100",
    "iso2022": ["", "ISO 2022 IR 87"],
    "gb18030": "GB18030",
    "undeclared": None,
}
_DATES = ("StudyDate", "SeriesDate", "ContentDate", "AcquisitionDate")
_TIMES = ("StudyTime", "SeriesTime", "ContentTime", "AcquisitionTime")


@dataclass(frozen=True)
class _Task:
    home: Path
    study: DemoStudy
    series: DemoSeries
    start: int
    stop: int
    small: bool
    today: date


def build(home: Path, *, progress: Progress | None = None, small: bool = False, today: date | None = None) -> dict[str, Path]:
    """Make the demo set under `home`; archive key → folder. `small`: few slices, seconds, for tests.

    A new day only re-dates the objects, so that "today" stays today. A change of any recipe builds anew.
    Raises OSError when the disk is full, FileNotFoundError without the extra `demo`.
    """
    folders = {one.key: home / one.key for one in (*world.ARCHIVES, *world.EXCHANGES)}
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        # two demos, or two test runs, may share a folder
        fcntl.flock(lock, fcntl.LOCK_EX)
        _bring_up_to_date(home, folders, progress or (lambda line: None), small, today or datetime.now(UTC).date())
    return folders


def _bring_up_to_date(home: Path, folders: dict[str, Path], say: Progress, small: bool, day: date) -> None:
    wanted = {"version": _version(), "small": small, "day": day.isoformat()}
    stamp = home / "stamp.json"
    had = json.loads(stamp.read_text()) if stamp.is_file() else {}
    if had == wanted:
        return
    if had and {**had, "day": ""} == {**wanted, "day": ""}:
        say("Demo images: moving dates to today")
        _redate(folders, day)
    else:
        _build_all(home, folders, say, small, day)
    stamp.write_text(json.dumps(wanted))


def _build_all(home: Path, folders: dict[str, Path], say: Progress, small: bool, today: date) -> None:
    stamp = home / "stamp.json"
    stamp.unlink(missing_ok=True)
    for folder in folders.values():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    tasks = list(_tasks(home, small, today))
    total = sum(task.stop - task.start for task in tasks)
    say(f"Demo images: drawing {total} objects for {len(world.PATIENTS)} patients")
    began, done, told = time.monotonic(), 0, 0
    for count in _run(tasks, 1 if small else multiprocessing.cpu_count()):
        done += count
        if done * 10 // total > told:
            told = done * 10 // total
            say(f"Demo images: {done} of {total} ({time.monotonic() - began:.0f} s)")


def _run(tasks: list[_Task], workers: int) -> Iterator[int]:
    if workers == 1:
        yield from map(_draw, tasks)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap_unordered(_draw, tasks)


def _tasks(home: Path, small: bool, today: date) -> Iterator[_Task]:
    for study in world.STUDIES:
        for series in [one for one in study.series if one.held] if study.archives else ():
            count = series.small if small else series.images
            for start in range(0, count, CHUNK):
                yield _Task(home, study, series, start, min(count, start + CHUNK), small, today)


def _draw(task: _Task) -> int:
    count = task.series.small if task.small else task.series.images
    job = Job(task.study, task.series, count, task.small)
    for index in range(task.start, task.stop):
        ds = RECIPES[task.series.recipe](job, index)
        if not hasattr(ds, "file_meta"):
            encode(ds, task.series.syntax, index)
        for key in task.study.archives:
            identify(ds, task.study, task.series, index, world.archive(key), task.today)
            _save(ds, task.home / key / task.study.key / str(task.series.number) / f"{index + 1:04d}.dcm")
    return task.stop - task.start


def identify(ds: Dataset, study: DemoStudy, series: DemoSeries, index: int, archive: DemoArchive, today: date) -> None:
    """Put on everything that says whose object this is and where it belongs. `ds` must have file_meta."""
    person = world.patient(study.patient)
    charset = CHARSETS[study.charset]
    if charset is not None:
        ds.SpecificCharacterSet = charset
    ds.SOPInstanceUID = instance_uid(study, series, index)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = study.uid, study.series_uid(series)
    plain = f"{person.family}^{person.given.replace(' ', '^')}"
    ds.PatientName = study.as_name or person.native_names.get(study.charset, plain)
    ds.PatientID = world.patient_id(study, archive.key)
    if archive.writes_issuer:
        ds.IssuerOfPatientID = archive.issuer
    elif "IssuerOfPatientID" in ds:
        del ds.IssuerOfPatientID
    ds.PatientBirthDate, ds.PatientSex = (study.as_birth_date or person.birth_date).replace("-", ""), person.sex[0].upper()
    _date(ds, study.day(today), study.time)
    ds.Modality = series.modality
    ds.AccessionNumber, ds.StudyID = study.accession, study.accession[-4:]
    ds.StudyDescription, ds.SeriesDescription = study.description, series.description
    ds.SeriesNumber, ds.InstanceNumber = series.number, index + 1
    if series.modality not in ("SR", "KO", "PR", "DOC", "ECG", "SEG", "RTSTRUCT"):
        ds.BodyPartExamined = study.body_part
    ds.Manufacturer, ds.InstitutionName = "Priors demo", archive.organization
    ds.ReferringPhysicianName = "Halloran^Sinead"
    ds.TimezoneOffsetFromUTC = "+0000"
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID


def _date(ds: Dataset, day: date | None, time_of_day: str) -> None:
    for keyword in _DATES:
        setattr(ds, keyword, day.strftime("%Y%m%d") if day else "")
    for keyword in _TIMES:
        setattr(ds, keyword, f"{time_of_day}00" if day else "")
    blank_dates(ds, day, f"{time_of_day}00" if day else "")


def _save(ds: Dataset, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    syntax = ds.file_meta.TransferSyntaxUID
    if "PixelData" in ds:
        ds["PixelData"].is_undefined_length = syntax.is_private or syntax.is_encapsulated
    # a private syntax does not say how it is written: explicit little endian, like every encapsulated one
    private = {"implicit_vr": False, "little_endian": True} if syntax.is_private else {}
    ds.save_as(path, enforce_file_format=True, **private)


def _redate(folders: dict[str, Path], today: date) -> None:
    by_key = {study.key: study for study in world.STUDIES}
    for folder in folders.values():
        for path in folder.rglob("*.dcm"):
            study = by_key.get(path.relative_to(folder).parts[0])
            if study is None or study.days_ago is None:
                continue
            ds = pydicom.dcmread(path)
            _date(ds, study.day(today), study.time)
            _save(ds, path)


def _version() -> str:
    """Changes with every line of the code that draws."""
    here = Path(__file__).parent
    digest = hashlib.sha256(pydicom.__version__.encode())
    for path in sorted(
        [*here.glob("recipes/*.py"), *here.glob("recipes/*.zip"), *(here / f"{n}.py" for n in ("images", "model", "world", "catalogue", "lookalikes"))]
    ):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def main(argv: list[str]) -> int:
    build(Path(argv[0]), progress=print, small="--small" in argv)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
