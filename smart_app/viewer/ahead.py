"""Which series are fetched before anybody asks: the first images of a study that is opened, then the next likely one.

Little, late and stoppable: two studies at a time in a process, one series after another, none for a launch that has ended
or has opened something else meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from smart_app.viewer.asking import Ask
from smart_app.viewer.following import Following
from smart_app.viewer.volume import Volume

STUDIES = 2
NEXT = 1
PAUSE = 2.0
PATIENCE = 120.0
LAUNCHES = 1000


class Ahead:
    """One a process. `is_live` says whether a launch has not ended."""

    def __init__(self, following: Following, is_live: Callable[[str], bool]) -> None:
        self._following, self._is_live = following, is_live
        self._room = threading.BoundedSemaphore(STUDIES)
        self._opened: OrderedDict[str, object] = OrderedDict()
        self._lock = threading.Lock()

    def opened(self, ask: Ask, series: Sequence[str]) -> None:
        """A study was opened whose `series` hold images, the first one looked at first. Returns at once."""
        if not series:
            return
        this = object()
        with self._lock:
            self._opened[ask.handle] = this
            self._opened.move_to_end(ask.handle)
            while len(self._opened) > LAUNCHES:
                self._opened.popitem(last=False)
        first = self._following.ahead(ask, series[0])
        if first is not None and len(series) > 1 and self._room.acquire(blocking=False):
            threading.Thread(target=self._go_on, args=(ask, first, series[1 : 1 + NEXT], this), name="ahead", daemon=True).start()

    def _go_on(self, ask: Ask, before: Volume, series: Sequence[str], this: object) -> None:
        try:
            for uid in series:
                if not _ended(before):
                    return
                time.sleep(PAUSE)
                with self._lock:
                    superseded = self._opened.get(ask.handle) is not this
                if superseded or not self._is_live(ask.handle):
                    return
                found = self._following.ahead(ask, uid)
                if found is None:
                    return
                before = found
        finally:
            self._room.release()


def _ended(volume: Volume) -> bool:
    """Waits for the end of a retrieval; whether it came in time."""
    until = time.monotonic() + PATIENCE
    while volume.end is None and time.monotonic() < until:
        volume.refresh()
        if not volume.alive():
            volume.refresh()
            break
        time.sleep(0.25)
    return volume.end is not None
