"""A process of the product that dies by SIGKILL at one step: `python -m tests.kill.victim [--at MODULE:NAME POINT NTH] STORY FILE`.

It is the product as it stands; only the one function is wrapped, here, before it is used. Without `--at` it lives. The kill tests
have it forked by `nursery`; those that take a process's disk away start it alone.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from tests.kill import stories
from tests.kill.steps import Point


class FaultPoint:
    """Kills this process at one point of the n-th call of one function."""

    def __init__(self, seam: str, point: Point, nth: int) -> None:
        self._point, self._left = point, nth
        self._inside = threading.local()
        self._lock = threading.Lock()
        module, _, path = seam.partition(":")
        owner: Any = importlib.import_module(module)
        *outer, name = path.split(".")
        for part in outer:
            owner = getattr(owner, part)
        original = getattr(owner, name)
        setattr(owner, name, self._wrapped(original))
        if not outer:
            _replace_everywhere(original, getattr(owner, name))
        if point in (Point.COMMIT, Point.COMMITTED):
            self._watch_commits()

    def _wrapped(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            self._at(Point.ENTER)
            outer = getattr(self._inside, "deep", 0)
            self._inside.deep = outer + 1
            try:
                answer = original(*args, **kwargs)
            finally:
                self._inside.deep = outer
            self._at(Point.LEAVE)
            return answer

        return call

    def _watch_commits(self) -> None:
        original = DefaultDialect.do_commit

        def do_commit(dialect: DefaultDialect, connection: Any) -> None:
            inside = getattr(self._inside, "deep", 0)
            if inside:
                self._at(Point.COMMIT)
            original(dialect, connection)
            if inside:
                self._at(Point.COMMITTED)

        DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]

    def _at(self, point: Point) -> None:
        if point is not self._point:
            return
        with self._lock:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
                signal.pause()


def _replace_everywhere(original: Any, wrapped: Any) -> None:
    """A function of a module may have been imported by name before it was wrapped."""
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is original:
                setattr(module, name, wrapped)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--at", nargs=3, metavar=("SEAM", "POINT", "NTH"))
    parser.add_argument("story")
    parser.add_argument("config")
    options = parser.parse_args(arguments)
    if options.at:
        seam, point, nth = options.at
        FaultPoint(seam, Point(point), int(nth))
    stories.ROLES[options.story](options.config)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
