"""Ends this process when the one that started it is gone: the other end of its standard input closes then."""

from __future__ import annotations

import os
import signal
import threading


def end_with_parent() -> None:
    """Watch standard input from a thread; at its end, ask this process to terminate."""
    threading.Thread(target=_watch, name="parent", daemon=True).start()


def _watch() -> None:
    try:
        while os.read(0, 1024):
            continue
    except OSError:
        return
    os.kill(os.getpid(), signal.SIGTERM)
