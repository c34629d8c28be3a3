"""The private folder in which series that were fetched lie for a while: bounded in bytes and age, swept at start, off at 0 bytes.

Owns names, claims, eviction and removal; shared by all workers through the file system alone. Decides nothing about who
may see what: names are keyed digests of whatever they are made of, and what is found is judged by the gateway.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from smart_app.viewer.volume import DATA, INDEX, LOCK, Unusable, Volume
from smart_app.viewer.writing import Writer

log = structlog.get_logger("priors.viewer")

FILLING, NEW, GONE, LISTED = ".filling", ".new", ".gone", ".listed"
LISTED_SECONDS = 120.0
OPEN_VOLUMES = 64
USED_EVERY = 10.0
NEW_SECONDS = 60.0


def discard(root: Path) -> None:
    """Keeping was switched off: what was kept before goes too."""
    shutil.rmtree(root, ignore_errors=True)


@dataclass(frozen=True)
class _Lying:
    folder: Path
    bytes: int
    used: float


class Shelf:
    """One a process. Nothing here ever fails a request: what cannot be kept is not kept."""

    def __init__(self, root: Path, key: bytes, *, most: int, seconds: float, now: Callable[[], float] = time.time, serves: bool = True) -> None:
        """Takes the folder into use; the first process that `serves` empties it. :raises OSError: it cannot be used."""
        self._root, self._key, self._most, self._seconds, self._now = root, key, most, seconds, now
        self._lock = threading.Lock()
        self._volumes: OrderedDict[str, Volume] = OrderedDict()
        self._used: dict[str, float] = {}
        self._sweeper: threading.Thread | None = None
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        root.chmod(0o700)
        if not serves:
            return
        self._alive = os.open(root / "alive", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._empty()
        except BlockingIOError:
            self.sweep()
        fcntl.flock(self._alive, fcntl.LOCK_SH)

    def name(self, *parts: str) -> str:
        """An opaque name; length-prefixed, so that parts cannot run together."""
        joined = "".join(f"{len(part)}:{part}" for part in parts)
        return hmac.new(self._key, joined.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def find(self, name: str) -> Volume | None:
        """The volume of this name, kept or being filled by somebody alive; None: there is none."""
        with self._lock:
            known = self._volumes.get(name)
        if known is not None and self._is_current(name, known):
            self._touch(name)
            return known
        for folder, live in ((self._root / name, False), (self._root / (name + FILLING), True)):
            found = self._opened(folder, live=live)
            if found is not None:
                with self._lock:
                    self._volumes[name] = found
                    self._volumes.move_to_end(name)
                    while len(self._volumes) > OPEN_VOLUMES:
                        self._volumes.popitem(last=False)
                return found
        with self._lock:
            self._volumes.pop(name, None)
        return None

    def begin(self, name: str) -> Writer | None:
        """The right to fill this volume; None: somebody else does, or nothing can be written here."""
        made = self._root / (secrets.token_hex(16) + NEW)
        filling = self._root / (name + FILLING)
        try:
            self.sweep()
            made.mkdir(mode=0o700)
            writer = Writer(made, self._key, most=self._most // 2, grown=self.sweep, closed=lambda folder, keep: self._put_away(name, folder, keep))
        except OSError as error:
            log.warning("frame_cache_unwritable", kind=type(error).__name__)
            self._remove(made)
            return None
        try:
            made.rename(filling)  # refused when there is one: a filling volume is never an empty folder
        except OSError:
            writer.leave()
            return None
        writer.moved(filling)
        self._watch()
        return writer

    def drop(self, name: str) -> None:
        """What is kept under this name is of no use any more."""
        self._remove(self._root / name)

    def list(self, name: str, instances: Iterable[str]) -> None:
        """For two minutes, and for all workers: these are all instances of a series, as one launch was told."""
        with contextlib.suppress(OSError):
            made = self._root / (secrets.token_hex(16) + NEW)
            with open(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                json.dump(list(instances), file)
            made.rename(self._root / (name + LISTED))
            self._watch()

    def listed(self, name: str) -> tuple[str, ...] | None:
        file = self._root / (name + LISTED)
        try:
            if self._now() - file.stat().st_mtime > LISTED_SECONDS:
                return None
            return tuple(str(uid) for uid in json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def sweep(self) -> None:
        """Take away what is too old, what dead processes left, and then the longest unused until the rest fits."""
        lying: list[_Lying] = []
        for path in self._paths():
            with contextlib.suppress(OSError):
                now, changed = self._now(), path.stat().st_mtime
                if path.suffix == GONE or (path.suffix == NEW and now - changed > NEW_SECONDS) or (path.suffix == LISTED and now - changed > LISTED_SECONDS):
                    _delete(path)
                elif path.suffix in (NEW, LISTED):
                    continue
                elif path.suffix == FILLING:
                    if _is_dead(path):
                        self._remove(path)
                    else:
                        lying.append(_Lying(path, _size(path), now))
                elif now - (path / INDEX).stat().st_mtime > self._seconds:
                    self._remove(path)
                else:
                    lying.append(_Lying(path, _size(path), changed))
        total = sum(one.bytes for one in lying)
        for one in sorted(lying, key=lambda each: each.used):
            if total <= self._most:
                break
            if one.folder.suffix != FILLING:
                self._remove(one.folder)
                total -= one.bytes

    def _paths(self) -> Iterator[Path]:
        with contextlib.suppress(OSError):
            yield from (path for path in list(self._root.iterdir()) if path.name != "alive")

    def _empty(self) -> None:
        for path in self._paths():
            _delete(path)

    def _opened(self, folder: Path, *, live: bool) -> Volume | None:
        try:
            if not live and self._now() - (folder / INDEX).stat().st_mtime > self._seconds:
                return None
            volume = Volume(folder, self._key, live=live)
            if not live or volume.end is not None or volume.alive():
                return volume if volume.end is None or volume.end.how == "whole" else None
        except Unusable:
            log.warning("frame_cache_unusable")
        except OSError:
            return None
        self._remove(folder)
        return None

    def _is_current(self, name: str, volume: Volume) -> bool:
        if volume.live and volume.end is None:
            volume.refresh()
            if volume.end is None:
                return volume.alive()
        for folder in (self._root / name, self._root / (name + FILLING)):
            with contextlib.suppress(OSError):
                found = (folder / INDEX).stat()
                if found.st_ino == volume.inode and volume.is_whole and self._now() - found.st_mtime <= self._seconds:
                    volume.moved(folder)
                    return True
        return False

    def _touch(self, name: str) -> None:
        """The folder's own time is its last use, for all workers."""
        now = time.monotonic()
        if now - self._used.get(name, 0.0) > USED_EVERY:
            if len(self._used) > 1000:
                self._used.clear()
            self._used[name] = now
            with contextlib.suppress(OSError):
                os.utime(self._root / name)

    def _put_away(self, name: str, folder: Path, keep: bool) -> None:
        if not keep:
            self._remove(folder)
            return
        home = self._root / name
        self._remove(home)
        try:
            folder.rename(home)
        except OSError:
            self._remove(folder)
        self.sweep()

    def _remove(self, path: Path) -> None:
        """Out of sight at once, then from the disk; those who read it still can."""
        gone = self._root / (secrets.token_hex(16) + GONE)
        with contextlib.suppress(OSError):
            path.rename(gone)
            _delete(gone)

    def _watch(self) -> None:
        """While something lies here, this process looks at its age, whether or not anybody asks."""
        with self._lock:
            if self._sweeper is None or not self._sweeper.is_alive():
                self._sweeper = threading.Thread(target=self._keep_watch, name="shelf", daemon=True)
                self._sweeper.start()

    def _keep_watch(self) -> None:
        while any(self._paths()):
            time.sleep(min(60.0, max(0.5, self._seconds / 4)))
            self.sweep()


def _is_dead(filling: Path) -> bool:
    descriptor = os.open(filling / LOCK, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _size(folder: Path) -> int:
    return (folder / DATA).stat().st_blocks * 512


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
