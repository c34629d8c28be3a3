"""What stands beside the sources' answers in one asking of a list: requests for the patient's images, and where stored studies came from.

An asking has a step for each answer, most of them within the same second. Both are read at its first step, again once they are older than a
moment, and always at the last: what was stored while the list was open is told where it is from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from launch.context import LaunchContext
from smart_app.image_requests.types import ImageRequest
from smart_app.studies.received import Origin

Asked = Callable[[LaunchContext], Sequence[ImageRequest]]
Origins = Callable[[LaunchContext], Mapping[str, Origin]]
MOMENT = 0.5


@dataclass(frozen=True)
class Beside:
    requests: Sequence[ImageRequest]
    origins: Mapping[str, Origin]
    """By Study Instance UID."""


class Reading:
    """One an asking; not shared between threads."""

    def __init__(self, ctx: LaunchContext, asked: Asked, origins: Origins, steady: Callable[[], float] = time.monotonic) -> None:
        self._ctx, self._asked, self._origins, self._steady = ctx, asked, origins, steady
        self._read: Beside | None = None
        self._good_until = 0.0

    def now(self, *, is_last: bool) -> Beside:
        """:param is_last: nobody is waited for any more: what is told now stays on the screen."""
        if self._read is None or is_last or self._steady() >= self._good_until:
            self._read = Beside(self._asked(self._ctx), self._origins(self._ctx))
            self._good_until = self._steady() + MOMENT
        return self._read
