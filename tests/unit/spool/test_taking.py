"""Nothing is lost, nothing doubled, nothing half-kept: cuts, repeats, wrong order, wrong bytes, no room, crashes. safety.md U6, U7."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smart_app.db import Database
from smart_app.links.types import Link, Purpose
from smart_app.sealing import Keyring
from smart_app.spool.disk import BrokenOff, InUse, NoRoom, Slot
from smart_app.spool.frames import Frames, NotFrames
from smart_app.spool.store import NoSuchUpload, Spool
from smart_app.spool.taking import Limits, NotWhole, Taking, TooMuch
from smart_app.spool.types import Announced, Outcome, UploadState
from tests.unit.launch.ehr_sim import MovingClock
from tests.unit.portal.senders import pieces

LINK = Link("l" * 24, "t", Purpose.REQUEST, "RQ-1", datetime(2030, 1, 1, tzinfo=UTC))


class Intake:
    """A spool with one open upload."""

    def __init__(self, database: Database, keyring: Keyring, folder: Path, limits: Limits | None = None) -> None:
        clock = MovingClock()
        self.database = database
        self.spool = Spool(database, keyring, clock, folder / "spool", tenant="t")
        self.taking = Taking(database, self.spool, clock, limits or Limits(spare=0))
        with database.transaction() as session:
            self.upload = self.taking.begin(session, LINK, "Kestrel Valley")

    def announce(self, *files: Announced) -> list[int]:
        with self.database.transaction() as session:
            return [one.number for one in self.taking.announce(session, self.upload, files)]

    def take(self, body: bytes, promised: Callable[[object], None] = lambda _: None) -> list[tuple[int, str, int]]:
        taken = self.taking.take(self.upload, Frames(io.BytesIO(body)), promised)
        return [(one.file, one.outcome.value, one.held) for one in taken]

    def finish(self, *without: int) -> None:
        with self.database.transaction() as session:
            self.taking.finish(session, self.upload, without=without)

    def kept(self) -> dict[str, bytes]:
        return {file.name: file.path.read_bytes() for file in self.spool.upload(self.upload).files}


@pytest.fixture
def intake(database: Database, keyring: Keyring, tmp_path: Path) -> Intake:
    return Intake(database, keyring, tmp_path)


def test_one_upload_a_link_and_each_file_once(intake: Intake) -> None:
    with intake.database.transaction() as session:
        assert intake.taking.begin(session, LINK, "again") == intake.upload
    assert intake.announce(Announced("a", 3), Announced("b", 3)) == [1, 2]
    assert intake.announce(Announced("b", 3), Announced("b", 4), Announced("a", 3), Announced("a", 3, mark="later")) == [2, 3, 1, 4]


@pytest.mark.parametrize("seed", range(8))
def test_u6_a_connection_cut_anywhere_loses_nothing_that_was_promised_and_doubles_nothing(intake: Intake, seed: int) -> None:
    """Each pass sends all that is not held in one body, cut at a random byte; some pieces come twice, some in the wrong order."""
    chance = random.Random(seed)
    contents = {f"f{at}": chance.randbytes(chance.choice((0, 1, 900, 5000))) for at in range(12)}
    numbers = intake.announce(*(Announced(name, len(data)) for name, data in contents.items()))
    files = dict(zip(numbers, contents.values(), strict=True))
    cuts = 0
    while True:
        standing = {one.number: one for one in intake.spool.standing(intake.upload)}
        if all(one.is_whole for one in standing.values()):
            break
        parts = []
        for number, data in files.items():
            at = standing[number].held
            step = chance.randint(1, 800)
            if not standing[number].is_whole:
                parts.append((number, at, data[at : at + step]))
            if at and chance.random() < 0.3:
                parts.append((number, 0, data[:at]))
            if chance.random() < 0.1 and at + 7 < len(data):
                parts.append((number, at + 7, data[at + 7 :]))
        chance.shuffle(parts)
        body = pieces(*parts)
        with contextlib.suppress(BrokenOff, NotFrames):
            intake.take(body[: chance.randint(0, len(body))])
        cuts += 1
    intake.finish()
    assert intake.kept() == contents
    assert cuts > 12, "a hundred over all seeds"


def test_u6_the_same_piece_twice_gets_the_same_answer_and_other_bytes_are_refused(intake: Intake) -> None:
    intake.announce(Announced("a", 6))
    assert intake.take(pieces((1, 0, b"abc"))) == [(1, "held", 3)]
    assert intake.take(pieces((1, 0, b"abc"))) == [(1, "again", 3)]
    assert intake.take(pieces((1, 0, b"xyz"))) == [(1, "differs", 3)]
    assert intake.take(pieces((1, 4, b"ef"))) == [(1, "order", 3)]
    assert intake.take(pieces((1, 3, b"defg"))) == [(1, "unknown", 3)]
    assert intake.take(pieces((9, 0, b"x"))) == [(9, "unknown", 0)]
    assert intake.take(pieces((1, 3, b"def"))) == [(1, "held", 6)]
    assert intake.take(pieces((1, 3, b"def"), (1, 0, b"abcdef"))) == [(1, "again", 6), (1, "busy", 6)]
    assert intake.kept() == {"a": b"abcdef"}


def test_bytes_that_are_not_what_their_hash_says_are_not_kept(intake: Intake) -> None:
    intake.announce(Announced("a", 6), Announced("b", 3))
    damaged = pieces((1, 0, b"abc")).replace(b"abc", b"abX")
    assert intake.take(damaged + pieces((2, 0, b"yes"))) == [(1, "damaged", 0), (2, "held", 3)]
    assert [path.stat().st_size for path in (intake.spool.root / intake.upload / "in").iterdir()] == [3]
    assert intake.take(pieces((1, 0, b"abc"))) == [(1, "held", 3)]
    assert intake.take(pieces((1, 3, b"def")).replace(b"def", b"deX")) == [(1, "damaged", 3)]
    assert sorted(path.stat().st_size for path in (intake.spool.root / intake.upload / "in").iterdir()) == [3, 3]


def test_a_file_that_changed_since_it_was_announced_begins_anew(intake: Intake) -> None:
    intake.announce(Announced("a", 6, sha256=hashlib.sha256(b"abcdef").hexdigest()))
    assert intake.take(pieces((1, 0, b"abc"))) == [(1, "held", 3)]
    assert intake.take(pieces((1, 3, b"XXX"))) == [(1, "changed", 0)]
    with pytest.raises(NotWhole):
        intake.finish()
    assert intake.take(pieces((1, 0, b"abcdef"))) == [(1, "held", 6)]


def test_a_crash_between_disk_and_database_costs_that_piece_only(intake: Intake) -> None:
    intake.announce(Announced("a", 6))
    intake.take(pieces((1, 0, b"abc")))

    def die(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        intake.take(pieces((1, 3, b"dXX")), die)
    assert intake.take(pieces((1, 3, b"def"))) == [(1, "held", 6)]
    assert intake.kept() == {"a": b"abcdef"}


def test_u7_no_room_is_said_early_and_in_the_middle_and_leaves_nothing_half(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    intake.announce(Announced("a", 600_000), Announced("b", 5))
    left = [300_000]

    def pwrite(fd: int, data: memoryview, at: int) -> int:
        if len(data) > left[0]:
            raise OSError(28, "No space left on device")
        left[0] -= len(data)
        return real(fd, data, at)

    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", pwrite)
    assert intake.take(pieces((1, 0, b"a" * 600_000), (2, 0, b"small"))) == [(1, "full", 0), (2, "held", 5)]
    monkeypatch.setattr(os, "pwrite", real)
    assert [path.stat().st_size for path in (intake.spool.root / intake.upload / "in").iterdir()] == [5]
    assert intake.take(pieces((1, 0, b"a" * 600_000))) == [(1, "held", 600_000)]


def test_u7_a_disk_that_is_full_only_when_flushed_keeps_nothing_of_that_body(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    intake.announce(*(Announced(f"f{at}", 3) for at in range(12)))
    intake.take(pieces((1, 0, b"a")))

    def fsync(fd: int) -> None:
        raise OSError(28, "No space left on device")

    real = os.fsync
    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(NoRoom):
        intake.take(pieces((1, 1, b"bc"), *((at, 0, b"abc") for at in range(2, 13))))
    monkeypatch.setattr(os, "fsync", real)
    assert [one.held for one in intake.spool.standing(intake.upload)] == [1] + [0] * 11
    assert sum(path.stat().st_size for path in (intake.spool.root / intake.upload / "in").iterdir()) == 1


def test_every_file_and_its_folder_are_flushed_before_the_row_is_written(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    intake.announce(*(Announced(f"f{at}", 3) for at in range(20)))
    flushed: set[int] = set()
    before: list[frozenset[int]] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        time.sleep(0.005)
        real(fd)
        flushed.add(os.fstat(fd).st_ino)

    monkeypatch.setattr(os, "fsync", fsync)
    intake.take(pieces(*((at, 0, b"abc") for at in range(1, 21))), lambda _: before.append(frozenset(flushed)))
    folder = intake.spool.root / intake.upload / "in"
    assert {path.stat().st_ino for path in (folder, *folder.iterdir())} <= before[0]
    assert len(before[0]) >= 21


def test_a_file_that_another_request_wrote_since_the_rows_were_read_is_not_written_over(intake: Intake) -> None:
    intake.announce(Announced("a", 3), Announced("b", 3))

    class Meanwhile(io.BytesIO):
        lines = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            self.lines += 1
            if self.lines == 2:
                assert intake.take(pieces((2, 0, b"xyz"))) == [(2, "held", 3)]
            return super().readline(size)

    taken = intake.taking.take(intake.upload, Frames(Meanwhile(pieces((1, 0, b"abc"), (2, 0, b"XXX")))), lambda _: None)
    assert [(one.file, one.outcome.value) for one in taken] == [(1, "held"), (2, "differs")]
    assert intake.kept() == {"a": b"abc", "b": b"xyz"}


def test_u7_more_than_a_link_may_bring_is_refused_before_a_byte_comes(database: Database, keyring: Keyring, tmp_path: Path) -> None:
    intake = Intake(database, keyring, tmp_path, Limits(bytes=100, files=3, spare=0))
    intake.announce(Announced("a", 60))
    for files, what in ((("b", 41),), "bytes"), ((("b", 1), ("c", 1), ("d", 1)), "files"):
        with pytest.raises(TooMuch) as refused:
            intake.announce(*(Announced(*one) for one in files))
        assert refused.value.what == what
    assert len(intake.spool.standing(intake.upload)) == 1
    with pytest.raises(NoRoom):
        Intake(database, keyring, tmp_path / "x", Limits(spare=1 << 60)).announce(Announced("z", 1))


@pytest.mark.parametrize("line", [
    b"not json\n", b"[]\n", b'{"file": 1}\n', b'{"file": -1, "at": 0, "bytes": 1, "sha256": "' + b"0" * 64 + b'"}\n', b"{" * 250 + b"\n", b"x" * 400,
    b'{"file": 1.5, "at": 0, "bytes": 1, "sha256": "' + b"0" * 64 + b'"}\n', b'{"file": 1, "at": 0, "bytes": 1, "sha256": "short"}\n', b"\n",
])  # fmt: skip
def test_what_is_no_piece_is_refused_after_keeping_what_came_before(intake: Intake, line: bytes) -> None:
    intake.announce(Announced("a", 3))
    with pytest.raises(NotFrames):
        intake.take(pieces((1, 0, b"abc")) + line + b"rest")
    assert intake.kept() == {"a": b"abc"}


def test_two_requests_do_not_write_one_file_at_once(tmp_path: Path) -> None:
    with Slot(tmp_path / "f"), pytest.raises(InUse), Slot(tmp_path / "f"):
        pass


def test_a_finished_upload_takes_nothing_and_its_end_takes_its_bytes(intake: Intake) -> None:
    intake.announce(Announced("a", 3))
    intake.take(pieces((1, 0, b"abc")))
    intake.finish()
    with pytest.raises(NoSuchUpload):
        intake.announce(Announced("b", 1))
    upload = intake.spool.upload(intake.upload)
    assert (upload.state, upload.sender, upload.request) == (UploadState.FINISHED, "Kestrel Valley", "RQ-1")
    assert intake.spool.workspace(upload).stat().st_mode & 0o777 == 0o700
    with contextlib.suppress(RuntimeError), intake.database.transaction() as session:
        intake.spool.remove(session, upload)
        raise RuntimeError
    assert intake.kept() == {"a": b"abc"}, "a transaction that fails removes nothing"
    with intake.database.transaction() as session:
        intake.spool.remove(session, upload)
    assert not (intake.spool.root / intake.upload).exists()
    (intake.spool.root / intake.upload / "in").mkdir(parents=True)
    (intake.spool.root / "unknown" / "in").mkdir(parents=True)
    assert intake.spool.sweep() == 1, "what a killed process left"
    assert [path.name for path in intake.spool.root.iterdir()] == ["unknown"], "a folder that no row calls removed may be somebody's images"


def test_whose_sender_went_away_is_closed_with_what_is_whole(intake: Intake) -> None:
    intake.announce(Announced("a", 3), Announced("b", 3))
    intake.take(pieces((1, 0, b"abc"), (2, 0, b"d")))
    with intake.database.transaction() as session:
        intake.taking.finish(session, intake.upload, by_time=True)
    assert list(intake.kept()) == ["a"]
    assert (intake.spool.progress(intake.upload).files, Outcome.HELD.value) == (1, "held")
