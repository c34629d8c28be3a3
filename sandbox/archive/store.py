"""STOW-RS (PS3.18 10.5): keep what can be kept, and say for each object what became of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.sequence import Sequence as DicomSequence

from sandbox.archive.index import Index, read_header

CANNOT_UNDERSTAND = 0xC000
WRONG_STUDY = 0x0110
DUPLICATE_ELSEWHERE = 0x0111


def store(index: Index, parts: Sequence[bytes], base: str, only_study: str | None, folder: Path | None = None) -> tuple[Dataset, int]:
    """Store each part, in `folder` instead of the archive's own if given. Returns the answer dataset and 200 (all), 202 (some) or 409 (none)."""
    kept, failed = [], []
    for data in parts:
        item = Dataset()
        try:
            ds = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
            item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
            study, series, uid = str(ds.StudyInstanceUID), str(ds.SeriesInstanceUID), str(ds.SOPInstanceUID)
        except (InvalidDicomError, AttributeError, ValueError, EOFError):
            failed.append(_failure(item, CANNOT_UNDERSTAND))
            continue
        if only_study and study != only_study:
            failed.append(_failure(item, WRONG_STUDY))
            continue
        if index.holds(uid) and not index.find(study, series, uid):
            failed.append(_failure(item, DUPLICATE_ELSEWHERE))
            continue
        instance = read_header(_write(folder or index.folder, uid, data))
        if instance is None:
            failed.append(_failure(item, CANNOT_UNDERSTAND))
            continue
        index.add(instance)
        item.RetrieveURL = f"{base}/studies/{study}/series/{series}/instances/{uid}"
        kept.append(item)
    answer = Dataset()
    if kept:
        answer.RetrieveURL = f"{base}/studies/{only_study}" if only_study else None
        answer.ReferencedSOPSequence = DicomSequence(kept)
    if failed:
        answer.FailedSOPSequence = DicomSequence(failed)
    return answer, 200 if not failed else 202 if kept else 409


def _failure(item: Dataset, reason: int) -> Dataset:
    item.FailureReason = reason
    return item


def _write(folder: Path, uid: str, data: bytes) -> Path:
    place = folder / "received"
    place.mkdir(exist_ok=True)
    path = place / f"{uid.replace('/', '_')}.dcm"
    partial = path.with_suffix(".part")
    partial.write_bytes(data)
    partial.replace(path)
    return path
