"""A disk that fails or fills up at any call never makes "received" of what it has lost, and what is sent again is held once."""

from __future__ import annotations

import errno
import io
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from smart_app.db import Database
from smart_app.sealing import Keyring
from smart_app.spool import disk
from smart_app.spool.disk import NoRoom, NotSafe, WholeDisk, flush_folder
from smart_app.spool.frames import Frames
from smart_app.spool.types import Announced, Outcome
from tests.unit.portal.senders import pieces
from tests.unit.spool.test_taking import Intake

FILES = {"a": b"a" * 3000, "b": b"b" * 10, "c": b""}


@pytest.fixture
def intake(database: Database, keyring: Keyring, tmp_path: Path) -> Intake:
    return Intake(database, keyring, tmp_path)


class FaultyOs:
    """`os` as `disk` sees it, with one call of one name that fails; counts the calls."""

    def __init__(self, name: str = "", number: int = 0, code: int = errno.EIO) -> None:
        self.name, self.number, self.code, self.calls = name, number, code, dict[str, int]()

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in ("fsync", "pwrite", "open", "ftruncate"):
            return real

        def call(*args: Any) -> Any:
            self.calls[name] = self.calls.get(name, 0) + 1
            if (name, self.calls[name]) == (self.name, self.number):
                raise OSError(self.code, os.strerror(self.code))
            return real(*args)

        return call


def sent(intake: Intake, numbers: list[int]) -> bytes:
    return pieces(*((number, 0, content) for number, content in zip(numbers, FILES.values(), strict=True)))


def held(intake: Intake) -> dict[int, int]:
    return {one.number: one.held if one.held or not one.is_whole else 0 for one in intake.spool.standing(intake.upload)}


CALLS = [("pwrite", 1), ("pwrite", 2), ("fsync", 1), ("fsync", 2), ("fsync", 3), ("fsync", 4), ("fsync", 5), ("fsync", 6), ("fsync", 7), ("ftruncate", 1), ("ftruncate", 3), ("open", 1), ("open", 2)]


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize(("name", "number"), CALLS)
def test_whatever_call_fails_nothing_is_called_received_that_is_not(intake: Intake, monkeypatch: pytest.MonkeyPatch, name: str, number: int, code: int) -> None:
    numbers = intake.announce(*(Announced(one, len(content)) for one, content in FILES.items()))
    intake.spool.folder(intake.upload)
    faulty = FaultyOs(name, number, code)
    monkeypatch.setattr(disk, "os", faulty)
    claimed: set[int] = set()
    try:
        claimed = {one.file for one in intake.taking.take(intake.upload, Frames(io.BytesIO(sent(intake, numbers))), lambda _: None) if one.outcome is Outcome.HELD}
        failed = False
    except (NoRoom, NotSafe):
        failed = True
    assert faulty.calls[name] >= number, "the fault was not met"
    monkeypatch.undo()
    whole = {one.number for one in intake.spool.standing(intake.upload) if one.is_whole}
    assert whole == claimed
    assert failed or len(claimed) < len(numbers), "one call failed: not all can be received"
    if name == "fsync":
        assert not claimed, "a file or folder that was not flushed is not received"
    while left := [one for one in numbers if one not in {one.number for one in intake.spool.standing(intake.upload) if one.is_whole}]:
        contents = list(FILES.values())
        intake.take(pieces(*((one, 0, contents[numbers.index(one)]) for one in left)))
    assert intake.kept() == FILES


def test_every_folder_above_a_new_file_is_flushed(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr("smart_app.spool.store.flush_folder", flushed.append)
    (number,) = intake.announce(Announced("a", 1))
    intake.take(pieces((number, 0, b"a")))
    root = intake.spool.root
    assert flushed == [root / intake.upload / "in", root / intake.upload, root, root.parent]


def test_a_short_write_is_gone_on_with_and_one_of_nothing_is_no_room(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = intake.announce(Announced("a", 3000), Announced("b", 3000))
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: real(fd, data[:7], at))
    assert [one[1] for one in intake.take(pieces((numbers[0], 0, FILES["a"])))] == ["held"]
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: 0)
    assert [one[1] for one in intake.take(pieces((numbers[1], 0, FILES["a"])))] == ["full"]
    assert intake.kept() == {"a": FILES["a"]}


@pytest.mark.parametrize(("code", "raised"), [(errno.EIO, NotSafe), (errno.ENOSPC, NoRoom), (errno.EDQUOT, NoRoom)])
def test_what_the_kernel_says_of_the_whole_disk_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, raised: type[Exception]) -> None:
    class Libc:
        def syncfs(self, fd: int) -> int:
            import ctypes

            ctypes.set_errno(code)
            return -1

    with WholeDisk(tmp_path) as whole:
        whole.flush()
        monkeypatch.setattr(disk.ctypes, "CDLL", lambda name, use_errno=False: Libc())
        with pytest.raises(raised):
            whole.flush()


def test_the_real_call_says_what_went_wrong() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        disk.syncfs(-1)


def test_a_folder_that_is_gone_is_not_flushed(tmp_path: Path) -> None:
    with pytest.raises(NotSafe):
        flush_folder(tmp_path / "gone")


@contextmanager
def small_disk(folder: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> Iterator[str]:
    """A disk with so much room: a real one where this machine lets us mount, else one that counts what is written."""
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True).returncode == 0 if os.geteuid() == 0 else False
    if not mounted:
        left, real = size, os.pwrite

        def pwrite(fd: int, data: Any, at: int) -> int:
            nonlocal left
            if not left:
                raise OSError(errno.ENOSPC, "no space")
            written = real(fd, data[:left], at)
            left -= written
            return written

        monkeypatch.setattr(os, "pwrite", pwrite)
    try:
        yield "real" if mounted else "counted"
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True)


def test_u7_a_small_disk_that_fills_up_keeps_what_it_has_promised(database: Database, keyring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with small_disk(tmp_path / "small", monkeypatch, 1 << 20):
        intake = Intake(database, keyring, tmp_path / "small")
        monkeypatch.setattr("smart_app.spool.taking.free_bytes", lambda _: 1 << 40)  # what announcing would say: here the disk fills up all the same
        contents = {f"f{at}": bytes([at]) * 300_000 for at in range(6)}
        numbers = intake.announce(*(Announced(name, len(content)) for name, content in contents.items()))
        outcomes = []
        for number, content in zip(numbers, contents.values(), strict=True):
            try:
                outcomes += [one[1] for one in intake.take(pieces((number, 0, content)))]
            except NoRoom:
                outcomes.append("full")
        assert set(outcomes) == {"held", "full"}
        kept = intake.kept()
        assert len(kept) == outcomes.count("held")
        assert all(contents[name] == content for name, content in kept.items())
