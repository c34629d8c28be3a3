"""What a folder of DICOM files holds, by study and series, from headers alone. Kept in memory; answers no HTTP."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.tag import Tag

STUDY_TAGS = (
    "SpecificCharacterSet", "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "TimezoneOffsetFromUTC", "PatientName",
    "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "StudyDescription", "InstitutionName",
    "RequestedProcedurePriority",
)  # fmt: skip
SERIES_TAGS = (
    "SpecificCharacterSet", "Modality", "SeriesDescription", "SeriesInstanceUID", "SeriesNumber", "BodyPartExamined", "SeriesDate",
    "SeriesTime", "Laterality",
)  # fmt: skip
INSTANCE_TAGS = (
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "InstanceNumber", "Rows", "Columns", "BitsAllocated", "NumberOfFrames",
)  # fmt: skip
_HEADER = [Tag(keyword) for keyword in dict.fromkeys(STUDY_TAGS + SERIES_TAGS + INSTANCE_TAGS)]


@dataclass(frozen=True)
class Instance:
    uid: str
    study: str
    series: str
    path: Path
    syntax: str
    header: Dataset = field(repr=False)

    @property
    def number(self) -> int:
        return int(self.header.get("InstanceNumber") or 0)


class Index:
    """Instances of one folder. Thread-safe; readers see whole instances only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._instances: dict[tuple[str, str, str], Instance] = {}
        folder.mkdir(parents=True, exist_ok=True)
        known = self._load()
        for path in sorted(folder.rglob("*.dcm")):
            stat = path.stat()
            mark = (stat.st_mtime_ns, stat.st_size)
            found = known.get(str(path))
            instance = found[1] if found and found[0] == mark else read_header(path)
            if instance is not None:
                known[str(path)] = (mark, instance)
                self._instances[instance.study, instance.series, instance.uid] = instance
        self._save({path: entry for path, entry in known.items() if Path(path).exists()})

    @property
    def _cache(self) -> Path:
        return self.folder / ".index"

    def _load(self) -> dict[str, tuple[tuple[int, int], Instance]]:
        try:
            loaded: dict[str, tuple[tuple[int, int], Instance]] = pickle.loads(self._cache.read_bytes())
            return loaded
        except Exception:  # a cache of another version, or none: read the headers again
            return {}

    def _save(self, entries: dict[str, tuple[tuple[int, int], Instance]]) -> None:
        partial = self._cache.with_suffix(".part")
        partial.write_bytes(pickle.dumps(entries))
        partial.replace(self._cache)

    def add(self, instance: Instance) -> None:
        with self._lock:
            self._instances[instance.study, instance.series, instance.uid] = instance

    def find(self, study: str, series: str | None = None, uid: str | None = None) -> list[Instance]:
        """Instances of a study, series or one object, in series and instance order."""
        with self._lock:
            hits = [
                one for one in self._instances.values()
                if one.study == study and series in (None, one.series) and uid in (None, one.uid)
            ]  # fmt: skip
        return sorted(hits, key=lambda one: (int(one.header.get("SeriesNumber") or 0), one.series, one.number, one.uid))

    def __iter__(self) -> Iterator[Instance]:
        with self._lock:
            return iter(list(self._instances.values()))

    def __len__(self) -> int:
        return len(self._instances)

    def holds(self, uid: str) -> bool:
        return any(one.uid == uid for one in self)


def read_header(path: Path) -> Instance | None:
    """One file's header, or None when it is no DICOM object of a study."""
    try:
        ds = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=_HEADER)
        return Instance(
            str(ds.SOPInstanceUID),
            str(ds.StudyInstanceUID),
            str(ds.SeriesInstanceUID),
            path,
            str(ds.file_meta.TransferSyntaxUID),
            _plain(ds),
        )
    except (InvalidDicomError, AttributeError, OSError, ValueError):
        return None


def _plain(ds: Dataset) -> Dataset:
    header = Dataset()
    header.update({element.tag: element for element in ds})
    header.decode()
    return header
