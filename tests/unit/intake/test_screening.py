"""Received files get their verdicts from a child process, by content, again and again the same; one that kills the child costs no other."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from smart_app.intake.types import Kind
from smart_app.spool.disk import NoRoom, NotSafe
from tests.hostile import making
from tests.hostile.receiving import one, screened, upload_of, workspace_in


def test_a_good_image_is_read(tmp_path: Path) -> None:
    found = one(tmp_path, making.dicom())

    assert (found.kind, found.reason, found.pixels_decode) == (Kind.DICOM, "", True)
    header = found.header
    assert header is not None
    assert header.said.name == "OKONJO^GRACE"
    assert header.said.birth_date == "1966-10-30"
    assert header.patient_id is not None
    assert (header.patient_id.value, header.patient_id.issuer) == ("LK5520713", "LAKESIDE")
    assert (header.study_date, header.study_time, header.slice_thickness, header.position) == ("2026-03-04", "10:15", 1.0, (0.0, 0.0, 1.0))
    assert header.faults == ()
    assert found.path == tmp_path / "received" / "0"


def test_one_of_a_hundred_is_bad_and_the_rest_is_kept(tmp_path: Path) -> None:
    good = {f"IM{number}": making.dicom(t00080018=("UI", f"{making.ROOT}.1.{number}".encode())) for number in range(99)}

    found = screened(tmp_path, {"broken": making.dicom()[:-40], **good})

    assert [one.reason for one in found if one.kind is Kind.REFUSED] == ["pixels-cut"]
    assert sum(one.kind is Kind.DICOM for one in found) == 99


def test_members_of_a_zip_are_taken_out_and_their_names_are_never_paths(tmp_path: Path) -> None:
    content = making.zipped({"../../outside": making.dicom(), "/etc/passwd": b"root", "DISC/RUN.EXE": b"MZ" + bytes(100)})

    whole, image, text, program = screened(tmp_path, {"disc.zip": content})

    assert (whole.kind, image.kind, text.kind, program.kind) == (Kind.ZIP, Kind.DICOM, Kind.SKIPPED, Kind.SKIPPED)
    assert image.member == "../../outside"
    assert image.path is not None
    assert image.path.parent == tmp_path / "workspace"
    assert image.path.read_bytes() == making.dicom()
    assert sorted(path.name for path in (tmp_path / "workspace").iterdir()) == [image.path.name]


def test_asked_again_it_says_the_same_of_the_same_paths(tmp_path: Path) -> None:
    from smart_app.intake.screening import Screening

    upload = upload_of(tmp_path, {"disc.zip": making.zipped({"A": making.dicom(), "B.pdf": making.pdf()}), "photo": making.photo()})
    workspace = workspace_in(tmp_path)
    screening = Screening(lambda _: workspace)

    first = screening.screen(upload)
    contents = {path.name: path.read_bytes() for path in workspace.iterdir()}
    for path in workspace.iterdir():
        path.unlink()

    assert [one.kind for one in first] == [Kind.ZIP, Kind.DICOM, Kind.PDF, Kind.PHOTO]
    assert screening.screen(upload) == first
    assert {path.name: path.read_bytes() for path in workspace.iterdir()} == contents


def test_what_was_taken_out_and_not_flushed_is_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's word for a disk that failed is heard: nothing is said of any file, and the work is done again."""
    content = making.zipped({"A": making.dicom()})
    code = [errno.EIO]

    def failing(fd: int) -> None:
        if code:
            raise OSError(code.pop(), "failed")

    monkeypatch.setattr("smart_app.spool.disk.syncfs", failing)
    with pytest.raises(NotSafe):
        screened(tmp_path, {"disc.zip": content})
    from smart_app.intake.screening import Screening

    (tmp_path / "again").mkdir()
    workspace = workspace_in(tmp_path / "again")
    upload = upload_of(tmp_path / "again", {"disc.zip": content})
    assert [one.kind for one in Screening(lambda _: workspace).screen(upload)] == [Kind.ZIP, Kind.DICOM]
    code.append(errno.ENOSPC)
    with pytest.raises(NoRoom):
        Screening(lambda _: workspace).screen(upload)


def test_our_own_disk_refuses_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def failing(path: Any, *args: Any, **kwargs: Any) -> int:
        if "workspace" in str(path) and not args[0] & os.O_DIRECTORY:
            raise OSError(errno.EIO, "failed")
        return real(path, *args, **kwargs)

    monkeypatch.setattr("smart_app.intake.screening.os.open", failing)
    with pytest.raises(OSError, match="failed"):
        screened(tmp_path, {"disc.zip": making.zipped({"A": making.dicom()})})
