"""Every received file gets its verdict here: read in a child process, checked, told in fixed words. Pure of the database; asked again, it says the same.

One child reads many files. When one of them ends it, that file (or that member of a zip) is refused, a new child takes over
behind it, and the rest goes on: one bad file never costs a good one.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from smart_app.intake.answers import Begun, Ended, Verdict
from smart_app.intake.archives_of_files import Budget
from smart_app.intake.doubles import told_apart
from smart_app.intake.reader_process import ENDED, MEMORY, NONSENSE, SLOW, Gone, ReaderProcess
from smart_app.intake.reasons import REASONS
from smart_app.intake.types import Kind, Screened
from smart_app.spool.disk import WholeDisk
from smart_app.spool.types import ReceivedFile, Upload

MOST_DEATHS = 5
"""So many members of one zip may end the child; then the rest of that zip is refused, too."""
CAUSES = {ENDED: "reader-ended", NONSENSE: "reader-ended", SLOW: "takes-too-long", MEMORY: "needs-memory"}
FILES_A_CHILD = 2_000
OURS = frozenset({errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ESTALE})
"""Faults of this machine, which no file is blamed for."""
FENCES = ("limits", "files", "calls")

logger = logging.getLogger(__name__)
__all__ = ["REASONS", "Screening"]


class Screening:
    """:param workspace: the private folder of an upload for what is taken out and made (`Spool.workspace`).
    :param read: a hook for a scanner of harmful programs: given a received file, its word for what it found, or empty.
    """

    def __init__(self, workspace: Callable[[Upload], Path], scan: Callable[[Path], str] | None = None, budget: Budget | None = None) -> None:
        self._workspace, self._scan, self._budget = workspace, scan, budget or Budget()

    def screen(self, upload: Upload) -> tuple[Screened, ...]:
        """The verdicts on all files, in the order they were received, members behind their zip.

        :raises OSError: the workspace has no room, a received file is gone, or no reader starts. :raises NoRoom: :raises NotSafe: what was taken out is not on
        the disk. Nothing is said of any file then.
        """
        return told_apart(self.verdicts(upload))

    def verdicts(self, upload: Upload) -> tuple[Screened, ...]:
        """Each file on its own: doubles are not told apart yet."""
        workspace = self._workspace(upload)
        with WholeDisk(workspace) as disk:
            with _Children(workspace) as children:
                run = _Run(upload, workspace, children, replace(self._budget), self._scan)
                found = tuple(screened for file in upload.files for screened in run.file(file))
            if any(one.path is not None and one.path.parent == workspace for one in found):
                disk.flush()  # what was taken out is as safe as what was received, before anybody writes down that it is there
        return found


class _Children:
    """At most one child at a time: started when needed, replaced when it is gone or has read its share."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace
        self._child: ReaderProcess | None = None
        self._read = 0
        self.answered = 0
        """Verdicts that the present child has given. None: whatever ends it is not what it had read before."""

    def __enter__(self) -> _Children:
        return self

    def __exit__(self, *_: object) -> None:
        self.give_up()

    def one(self) -> ReaderProcess:
        if self._read >= FILES_A_CHILD:
            self.give_up()
        if self._child is None:
            self._child, self._read, self.answered = ReaderProcess(self._workspace), 0, 0
            missing = [name for name in FENCES if name not in self._child.fences]
            if missing:
                logger.warning("files are screened without: %s (this kernel does not offer it)", ", ".join(missing))
        self._read += 1
        return self._child

    def give_up(self) -> None:
        if self._child is not None:
            self._child.close()
        self._child = None


class _Run:
    """One upload's files, one after another, under one budget."""

    def __init__(self, upload: Upload, workspace: Path, children: _Children, budget: Budget, scan: Callable[[Path], str] | None) -> None:
        self._upload, self._workspace, self._children, self._budget, self._scan = upload, workspace, children, budget, scan

    def file(self, file: ReceivedFile) -> Iterator[Screened]:
        if self._scan is not None and self._scan(file.path):
            yield Screened(file.id, "", Kind.REFUSED, "malware", file.sha256, file.size)
            return
        prefix = hashlib.sha256(file.id.encode()).hexdigest()[:24]
        answered = deaths = 0
        while True:
            fatal = ""
            try:
                for said in self._asked(file, prefix, answered):
                    if isinstance(said, Begun):
                        fatal = said.member
                    elif isinstance(said, Verdict):
                        if said.number != answered:
                            raise Gone(NONSENSE)
                        screened = self._screened(file, said)
                        answered, fatal = answered + 1, ""
                        self._children.answered += 1
                        yield screened
                return
            except Gone as gone:
                was_fresh = self._children.answered == 0
                self._children.give_up()
                if not was_fresh and gone.cause in (ENDED, MEMORY):
                    continue  # it may have died of what it had read before: a fresh one decides
                deaths += 1
                reason = CAUSES[gone.cause]
                logger.warning("screening: file %s cost its reader (%s)", file.id, gone)
                yield Screened(file.id, fatal, Kind.REFUSED, reason, file.sha256 if answered == 0 else "", file.size if answered == 0 else 0)
                if answered == 0 or deaths >= MOST_DEATHS:
                    if answered:
                        yield Screened(file.id, "and the rest of it", Kind.REFUSED, reason)
                    return
                answered += 1

    def _asked(self, file: ReceivedFile, prefix: str, answered: int) -> Iterator[Verdict | Begun | Ended]:
        child = self._children.one()
        task: dict[str, Any] = {
            "prefix": prefix, "upload": self._upload.id, "received": self._upload.begun_at.strftime("%Y%m%d%H%M%S"),
            "answered": answered, "bytes": self._budget.bytes, "files": self._budget.files, "fresh": self._children.answered == 0,
        }  # fmt: skip
        descriptor = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            for said in child.examine(task, descriptor):
                if isinstance(said, Ended):
                    if said.bytes > self._budget.bytes or said.files > self._budget.files:
                        raise Gone(NONSENSE)
                    self._budget = Budget(said.bytes, said.files)
                    if said.is_worn:
                        self._children.give_up()
                yield said
        finally:
            os.close(descriptor)

    def _screened(self, file: ReceivedFile, said: Verdict) -> Screened:
        path, sha256, size = None, "", said.size
        if said.made:
            path = self._workspace / said.made
            sha256, size = _digest(path)
        elif said.number == 0:
            sha256, size = file.sha256, file.size
            path = file.path if said.kind is Kind.DICOM else None
        elif said.kind is Kind.DICOM:
            raise Gone(NONSENSE)
        return Screened(file.id, said.member, said.kind, said.reason, sha256, size, path, said.header, said.decodes)


def _digest(path: Path) -> tuple[str, int]:
    """:raises Gone: the child names a file that is not there, or no file. :raises OSError: our disk does not give it."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as made:
            return hashlib.file_digest(made, "sha256").hexdigest(), os.fstat(made.fileno()).st_size
    except OSError as error:
        if error.errno in OURS:
            raise
        raise Gone(NONSENSE) from None
