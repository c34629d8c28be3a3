"""The child's side of the pipe, spoken to directly: one file after another, and it ends when nobody asks any more."""

from __future__ import annotations

import os
from pathlib import Path

from smart_app.intake import child
from smart_app.intake.answers import Ended, Verdict
from smart_app.intake.reader_process import ReaderProcess
from tests.hostile import making
from tests.hostile.receiving import workspace_in

TASK = {"prefix": "a" * 24, "upload": "UP-1", "received": "20260521091200", "answered": 0, "bytes": 1000, "files": 10, "fresh": True}


def test_one_child_reads_many_files_and_ends_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(making.dicom())
    reader = ReaderProcess(workspace_in(tmp_path))
    try:
        for _ in range(3):
            descriptor = os.open(path, os.O_RDONLY)
            said = list(reader.examine(dict(TASK), descriptor))
            os.close(descriptor)
            assert [type(one) for one in said[1:]] == [Verdict, Ended]
            assert said[-1] == Ended(1000, 10, False)
    finally:
        reader.close()
    assert not Path(f"/proc/{reader.pid}").exists()


def test_a_parent_that_has_grown_does_not_wear_its_children_out(tmp_path: Path) -> None:
    """The peak of a process is inherited from the one that started it: 1,200 files once took 1,200 children."""
    ballast = bytearray(500_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])

    test_one_child_reads_many_files_and_ends_by_itself(tmp_path)


def test_what_is_loaded_before_the_fence_is_all_optional() -> None:
    assert "pydicom" in child.PRELOADED
