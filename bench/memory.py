"""P9: how much a worker grows while a gigabyte of images passes through it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.launching import launched
from bench.places import Places
from bench.samples import Samples
from bench.transfers import FRAME, WORKERS
from bench.wire import WHOLE_SERIES, frames, once

GIGABYTE = 1_000_000_000


def measure(places: Places, samples: Samples) -> None:
    """With 1 and with 4 workers."""
    for workers in WORKERS:
        places.priors.serve(workers)
        _relayed(places, samples, f" {workers}w")


def _relayed(places: Places, samples: Samples, by: str) -> None:
    """Series answers two at a time, then frames over 6 connections, until 1 GB has passed; the largest worker counts.

    Every second round nothing is kept, so that both what passes and what is kept is part of it.
    """
    near = places.near
    ours = launched(places.plan).gateway(near)
    frames(ours, near.frames[:60], FRAME)  # each worker has relayed something before it is called idle
    time.sleep(1)
    idle = {worker: _resident(worker) for worker in places.workers()}
    peak = dict(idle)
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            for worker in idle:
                peak[worker] = max(peak[worker], _resident(worker))

    watcher = threading.Thread(target=watch)
    watcher.start()
    passed, size = 0, near.slices * FRAME
    try:
        with ThreadPoolExecutor(2) as both:
            while passed < GIGABYTE:
                if passed // (3 * size) % 2 == 0:
                    places.priors.forget()
                list(both.map(lambda _: once(ours, near.path, WHOLE_SERIES, size), range(2)))
                frames(ours, near.frames, FRAME)
                passed += 3 * size
    finally:
        stop.set()
        watcher.join()
    samples.add(f"worker idle MiB{by}", max(idle.values()))
    samples.add(f"worker growth MiB{by}", max(peak[worker] - idle[worker] for worker in idle))
    samples.add(f"worker growth GB{by}", passed / 1e9)


def _resident(process: int) -> float:
    """MiB."""
    text = Path(f"/proc/{process}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0]) / 1024
