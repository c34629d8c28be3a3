"""How bytes come in: announced, written piece by piece, flushed, recorded, and only then called held. Nothing here looks inside them.

The order is the promise: write, flush file and folder, commit the row, answer. A crash between any two leaves what was promised, and the
sender sends the rest again from `held`. A piece that comes twice gets the same answer. safety.md U6, U7, section D "Upload".
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.links.types import Link
from smart_app.spool.disk import BrokenOff, InUse, NoRoom, NotSafe, Slot, free_bytes
from smart_app.spool.frames import Frames, NotFrames, Piece
from smart_app.spool.models import UploadFileRow, UploadRow
from smart_app.spool.store import NoSuchUpload, Spool, standing_of
from smart_app.spool.types import Announced, Outcome, Standing, Taken, UploadState

_TABLE = cast(Table, UploadFileRow.__table__)
MOST_PIECES = 200
"""In one body: each holds a file open until all of them are recorded."""
FLUSHING = 8
"""Files that are flushed at once, while the next one comes in: a disk that is asked for several has them sooner."""
FORESEEN = 32
"""Rows that are read at once: a thousand small files are few questions to the database."""


class TooMuch(Exception):
    """More than one link may bring. `what`: `bytes` or `files`."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class NotWhole(Exception):
    """Something announced has not come. `numbers`: of the files."""

    def __init__(self, numbers: tuple[int, ...]) -> None:
        super().__init__(len(numbers))
        self.numbers = numbers


@dataclass(frozen=True)
class Limits:
    bytes: int = 20_000_000_000
    files: int = 50_000
    spare: int = 1_000_000_000
    """Bytes of the disk that uploads never use."""


@dataclass(frozen=True)
class _Row:
    """What is known of one announced file."""

    id: str
    size: int
    held: int
    announced: str
    sha256: str


@dataclass(frozen=True)
class _Held:
    slot: Slot
    piece: Piece
    before: _Row
    held: int
    sha256: str


class Taking:
    def __init__(self, db: Database, spool: Spool, clock: Clock, limits: Limits) -> None:
        self._db, self._spool, self._clock, self._limits = db, spool, clock, limits
        self._flushing = ThreadPoolExecutor(FLUSHING, "flushing")  # it starts no thread before there is something to flush

    def begin(self, session: Session, link: Link, sender: str) -> str:
        """Id of the open upload of this link, made if there is none. The caller holds the link."""
        found = session.scalar(select(UploadRow.id).where(UploadRow.open_link == link.id))
        if found is not None:
            return found
        id, now = secrets.token_hex(12), self._clock()
        session.add(
            UploadRow(
                id=id, tenant=self._spool.tenant, link=link.id, open_link=link.id, purpose=link.purpose.value, request=link.request,
                state=UploadState.OPEN.value, sender=self._spool.seal_sender(id, sender), begun_at=now, active_at=now,
            )
        )  # fmt: skip
        session.flush()
        return id

    def announce(self, session: Session, upload: str, files: Iterable[Announced]) -> tuple[Standing, ...]:
        """Where each of these files stands, in their order; new ones at nothing. The caller holds the link.

        :raises TooMuch: :raises NoRoom: and nothing of them is announced. :raises NoSuchUpload: it takes no more files.
        """
        row = self._open(session, upload)
        asked = [(self._spool.identity(upload, one.name, str(one.size), one.mark, one.sha256), one) for one in files]
        known = {
            one.identity: one
            for one in session.scalars(select(UploadFileRow).where(UploadFileRow.upload == upload, UploadFileRow.identity.in_([key for key, _ in asked])))
        }
        number = session.scalar(select(func.max(UploadFileRow.number)).where(UploadFileRow.upload == upload)) or 0
        for key, one in asked:
            if key not in known:
                number, id = number + 1, secrets.token_hex(12)
                known[key] = UploadFileRow(
                    upload=upload, number=number, identity=key, id=id, name=self._spool.seal_name(id, one.name), size=one.size, held=0,
                    announced=one.sha256, sha256="", left_out=False,
                )  # fmt: skip
                session.add(known[key])
            known[key].left_out = False
        session.flush()
        self._check_room(session, row.link, upload)
        row.active_at = self._clock()
        return tuple(standing_of(known[key]) for key, _ in asked)

    def take(self, upload: str, frames: Frames, promised: Callable[[Session], None]) -> tuple[Taken, ...]:
        """Write what comes and answer for each piece. `promised` runs in the transaction that records it, and may refuse by raising.

        A sender that is gone in the middle loses the piece under way only. :raises NotFrames: after recording what came before.
        :raises NoRoom: :raises NotSafe: nothing of this body is kept.
        """
        done: list[_Held] = []
        taken: list[Taken] = []
        broken: Exception | None = None
        rows: dict[int, _Row] = {}
        flushes: list[Future[None]] = []
        with ExitStack() as slots:
            folder, created = self._spool.folder(upload), False
            try:
                for count, piece in enumerate(frames, 1):
                    if count > MOST_PIECES:
                        raise NotFrames
                    held, answer, is_new = self._take(slots, upload, folder, rows, piece, frames)
                    taken.append(answer)
                    created = created or is_new
                    if held is not None:
                        done.append(held)
                        flushes.append(self._flushing.submit(held.slot.flush))
            except (BrokenOff, NotFrames) as error:
                broken = error
            finally:
                wait(flushes)  # before any file is closed, whatever happened
            if done:
                _flushed(done, flushes)
                if created:
                    self._spool.flush_names(upload)
                self._record(upload, done, promised)
        if broken is not None:
            raise broken
        return tuple(taken)

    def finish(self, session: Session, upload: str, *, without: Iterable[int] = (), by_time: bool = False) -> None:
        """No more files come. :raises NotWhole: something announced has neither come nor been left out by the sender.

        `by_time`: the sender never came back, so what is not whole is left out. :raises NoSuchUpload: it is not open.
        """
        row = self._open(session, upload)
        left = set(without)
        missing = list(session.scalars(select(UploadFileRow).where(UploadFileRow.upload == upload, UploadFileRow.sha256 == "")))
        for one in missing:
            one.left_out = one.left_out or by_time or one.number in left
        if late := tuple(one.number for one in missing if not one.left_out):
            raise NotWhole(late)
        row.state, row.open_link, row.finished_at = UploadState.FINISHED.value, None, self._clock()

    def _take(self, slots: ExitStack, upload: str, folder: Path, rows: dict[int, _Row], piece: Piece, frames: Frames) -> tuple[_Held | None, Taken, bool]:
        if piece.file not in rows:
            rows.update(self._rows(upload, piece.file, FORESEEN))
        row = rows.get(piece.file)
        if row is None or piece.at + piece.length > row.size:
            return None, Taken(piece.file, Outcome.UNKNOWN, row.held if row else 0, False), False
        slot = Slot(folder / row.id)
        try:
            slots.enter_context(slot)
            if row.held or not row.size or slot.size():  # another request may have moved it before we had the lock; an empty file was not
                row = self._rows(upload, piece.file, 1).get(piece.file) or row
            return self._write(slot, row, piece, frames)
        except InUse:
            return None, Taken(piece.file, Outcome.BUSY, row.held, bool(row.sha256)), False
        except NoRoom:
            return None, Taken(piece.file, Outcome.FULL, row.held, bool(row.sha256)), False

    @staticmethod
    def _write(slot: Slot, row: _Row, piece: Piece, frames: Frames) -> tuple[_Held | None, Taken, bool]:
        def say(outcome: Outcome, held: int = row.held, whole: bool = bool(row.sha256)) -> Taken:
            return Taken(piece.file, outcome, held, whole)

        end = piece.at + piece.length
        if end <= row.held and (piece.length or row.sha256):
            same = slot.digest(piece.at, piece.length) == piece.sha256
            return None, say(Outcome.AGAIN if same else Outcome.DIFFERS), False
        if piece.at != row.held:
            return None, say(Outcome.ORDER), False
        if not slot.write(frames.read, at=piece.at, length=piece.length, sha256=piece.sha256, began=row.held > 0):
            return None, say(Outcome.DAMAGED), False
        if end < row.size:
            return _Held(slot, piece, row, end, ""), say(Outcome.HELD, end), piece.at == 0
        sha256 = piece.sha256 if piece.at == 0 else slot.digest(0, row.size)
        if row.announced and sha256 != row.announced:
            return _Held(slot, piece, row, 0, ""), say(Outcome.CHANGED, 0), piece.at == 0
        return _Held(slot, piece, row, end, sha256), say(Outcome.HELD, end, True), piece.at == 0

    def _record(self, upload: str, done: list[_Held], promised: Callable[[Session], None]) -> None:
        try:
            with self._db.transaction() as session:
                promised(session)
                self._open(session, upload).active_at = self._clock()
                changed = [{"number_": one.piece.file, "held": one.held, "sha256": one.sha256} for one in done]
                session.connection().execute(_TABLE.update().where(_TABLE.c.upload == upload, _TABLE.c.number == bindparam("number_")), changed)
        except OperationalError as error:  # the database's own disk is full, or it is gone: nothing was promised
            raise NoRoom from error

    def _rows(self, upload: str, number: int, count: int) -> dict[int, _Row]:
        """Of this file and those after it: a sender goes through them in their order."""
        of = _TABLE.c
        asked = select(of.number, of.id, of.size, of.held, of.announced, of.sha256).where(of.upload == upload, of.number >= number, of.number < number + count)
        with self._db.reading() as session:
            return {at: _Row(*rest) for at, *rest in session.connection().execute(asked)}

    def _open(self, session: Session, upload: str) -> UploadRow:
        row = session.get(UploadRow, upload, with_for_update=True, populate_existing=True)
        if row is None or row.state != UploadState.OPEN.value:
            raise NoSuchUpload(upload)
        return row

    def _check_room(self, session: Session, link: str, upload: str) -> None:
        of = UploadFileRow
        mine = select(func.count(), func.coalesce(func.sum(of.size), 0)).join(UploadRow, UploadRow.id == of.upload).where(UploadRow.link == link, of.left_out.is_(False))
        files, size = session.execute(mine).one()
        if files > self._limits.files:
            raise TooMuch("files")
        if size > self._limits.bytes:
            raise TooMuch("bytes")
        still = session.scalar(select(func.coalesce(func.sum(of.size - of.held), 0)).where(of.upload == upload, of.left_out.is_(False))) or 0
        if int(still) + self._limits.spare > free_bytes(self._spool.folder(upload)):
            raise NoRoom


def _flushed(done: Iterable[_Held], flushes: Iterable[Future[None]]) -> None:
    """:raises NoRoom: and whatever else a flush said: nothing of this body is kept."""
    try:
        for one in flushes:
            one.result()
    except (NoRoom, NotSafe):
        for held in done:
            held.slot.cut(held.before.held)
        raise
