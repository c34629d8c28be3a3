"""What was received, for those who work with it: whole files of an upload, a private folder beside them, and their end.

`taking` is how bytes come in. Everything lies in one private folder (0700), by names that are ours alone. safety.md E3.
"""

from __future__ import annotations

import hashlib
import hmac
import shutil
from datetime import datetime
from pathlib import Path
from typing import IO

from sqlalchemy import case, event, func, select
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from smart_app.spool.disk import flush_folder
from smart_app.spool.models import UploadFileRow, UploadRow
from smart_app.spool.types import Progress, ReceivedFile, Standing, Upload, UploadState


class NoSuchUpload(Exception):
    pass


class Spool:
    """One a process; safe for threads."""

    def __init__(self, db: Database, keyring: Keyring, clock: Clock, root: Path, *, tenant: str) -> None:
        self._db, self._keyring, self._clock, self.tenant = db, keyring, clock, tenant
        self._key = keyring.derive("spool", keyring.lasting)  # an upload that goes on after a key was rotated finds its files
        self.root = root

    def folder(self, upload: str) -> Path:
        """Where the received files of an upload lie; made when it is not there."""
        folder = self.root / upload / "in"
        if not folder.is_dir():
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in (folder.parent, folder):
                path.mkdir(mode=0o700, exist_ok=True)
        return folder

    def flush_names(self, upload: str) -> None:
        """The names of its files, and of every folder above them that is ours: one that was made and not flushed goes in a crash with all that is in it.

        :raises NoRoom: :raises NotSafe:
        """
        folder = self.root / upload / "in"
        for path in (folder, folder.parent, self.root, self.root.parent):
            flush_folder(path)

    def upload(self, id: str) -> Upload:
        """With all files that are whole. :raises NoSuchUpload:"""
        with self._db.reading() as session:
            row = session.get(UploadRow, id)
            if row is None or row.tenant != self.tenant:
                raise NoSuchUpload(id)
            files = session.scalars(select(UploadFileRow).where(UploadFileRow.upload == id).order_by(UploadFileRow.number))
            return self._read(row, tuple(self._file(one) for one in files if one.sha256))

    def open_of(self, link: str) -> Upload | None:
        """The upload that still takes files by this link, without its files."""
        with self._db.reading() as session:
            row = session.scalar(select(UploadRow).where(UploadRow.open_link == link))
            return self._read(row, ()) if row is not None else None

    def of_link(self, link: str) -> tuple[Upload, ...]:
        """All uploads of a link without their files, the newest first."""
        with self._db.reading() as session:
            return tuple(self._read(row, ()) for row in session.scalars(select(UploadRow).where(UploadRow.link == link).order_by(UploadRow.begun_at.desc())))

    def coming(self, session: Session, request: str) -> frozenset[str]:
        """Uploads for a request that have bytes and are not over, or are over and kept."""
        of = UploadRow
        has_bytes = select(UploadFileRow.upload).where(UploadFileRow.upload == of.id, (UploadFileRow.held > 0) | (UploadFileRow.sha256 != "")).exists()
        is_open, is_kept = (of.state == UploadState.OPEN.value) & has_bytes, of.state == UploadState.FINISHED.value
        return frozenset(session.scalars(select(of.id).where(of.tenant == self.tenant, of.request == request, is_open | is_kept)))

    def active_at(self, upload: str) -> datetime:
        """When something was last received for it."""
        with self._db.reading() as session:
            return session.get_one(UploadRow, upload).active_at

    def progress(self, upload: str) -> Progress:
        with self._db.reading() as session:
            return progress_of(session, upload)

    def standing(self, upload: str) -> tuple[Standing, ...]:
        with self._db.reading() as session:
            rows = session.scalars(select(UploadFileRow).where(UploadFileRow.upload == upload).order_by(UploadFileRow.number))
            return tuple(standing_of(row) for row in rows)

    def read(self, file: ReceivedFile) -> IO[bytes]:
        return file.path.open("rb")

    def workspace(self, upload: Upload) -> Path:
        """A private folder for what is made of an upload; goes with it."""
        self.folder(upload.id)
        path = self.root / upload.id / "work"
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def remove(self, session: Session, upload: Upload) -> None:
        """Its bytes go once the caller's transaction is through; that there was an upload stays known."""
        row = session.get_one(UploadRow, upload.id)
        row.state, row.open_link = UploadState.REMOVED.value, None
        event.listen(session, "after_commit", lambda _: shutil.rmtree(self.root / upload.id, ignore_errors=True), once=True)

    def sweep(self) -> int:
        """Remove what a crash left of removed uploads; how many folders went. Only what a row calls removed: any other folder may be somebody's images."""
        there = [path for path in self.root.iterdir() if path.is_dir()] if self.root.is_dir() else []
        gone = 0
        with self._db.reading() as session:
            for path in there:
                row = session.get(UploadRow, path.name)
                if row is not None and row.state == UploadState.REMOVED.value:
                    shutil.rmtree(path, ignore_errors=True)
                    gone += 1
        return gone

    def seal_name(self, id: str, name: str) -> bytes:
        return self._keyring.seal(name.encode("utf-8", "replace"), place=f"upload_files.name:{id}")

    def seal_sender(self, id: str, sender: str) -> bytes:
        return self._keyring.seal(sender.encode("utf-8", "replace"), place=f"uploads.sender:{id}")

    def identity(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def _read(self, row: UploadRow, files: tuple[ReceivedFile, ...]) -> Upload:
        sender = self._keyring.open(row.sender, place=f"uploads.sender:{row.id}").decode()
        return Upload(
            row.id, row.tenant, row.link, Purpose(row.purpose), row.request, UploadState(row.state), sender, row.begun_at, row.finished_at, files
        )

    def _file(self, row: UploadFileRow) -> ReceivedFile:
        name = self._keyring.open(row.name, place=f"upload_files.name:{row.id}").decode()
        return ReceivedFile(row.id, row.upload, name, row.size, row.sha256, self.root / row.upload / "in" / row.id)


def progress_of(session: Session, upload: str) -> Progress:
    """Files that the sender has left out count nowhere."""
    of = UploadFileRow
    counted = select(
        func.count(), func.coalesce(func.sum(case((of.sha256 != "", 1), else_=0)), 0), func.coalesce(func.sum(of.size), 0), func.coalesce(func.sum(of.held), 0)
    ).where(of.upload == upload, of.left_out.is_(False))
    files, whole, size, held = session.execute(counted).one()
    return Progress(int(files), int(whole), int(size), int(held))


def standing_of(row: UploadFileRow) -> Standing:
    return Standing(row.number, row.held, bool(row.sha256), row.left_out)
