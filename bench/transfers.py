"""P4 to P7: the bytes of a series through the gateway, beside the archive itself and nginx. No browser.

With 1 and with 4 workers, each beside its own direct runs. "Cold": a launch that has read the series' metadata, as the
viewer does, while nothing of its pixels is kept or on its way. "Kept": another launch, when the series lies on the shelf.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.launching import launched
from bench.places import Places
from bench.samples import Samples
from bench.study import LoadStudy
from bench.wire import AS_STORED, WHOLE_SERIES, Place, frames, once

FRAME = 512 * 512 * 2
WORKERS = (1, 4)
IDLE = 1.3
"""Longer than Orthanc keeps an idle connection (1 s): what follows starts from nothing, for us as for the direct way."""
DICOM_JSON = "application/dicom+json"


def measure(places: Places, samples: Samples, rounds: int, far_rounds: int, firsts: int) -> None:
    """`rounds` at 0 ms, `far_rounds` at 40 ms, `firsts` single frames of each kind; all of it for each number of workers."""
    frames(Place(places.nginx_cache), places.near.frames, FRAME)
    for workers in WORKERS:
        places.priors.serve(workers)
        for _ in range(2 * workers):  # each worker has done all of it once
            warm = _cold(places, places.near)
            _series(warm, places.near)
            frames(warm, places.near.frames[:30], FRAME)
            _opened(places, places.far)
        _bench(places, samples, f" {workers}w", rounds, far_rounds, firsts)


def _bench(places: Places, samples: Samples, by: str, rounds: int, far_rounds: int, firsts: int) -> None:
    near, far = places.near, places.far
    direct, distant = Place(places.orthanc), Place(places.orthanc_far)
    for _ in range(rounds):
        samples.add(f"frames direct{by}", frames(direct, near.frames, FRAME))
        samples.add(f"frames nginx{by}", frames(Place(places.nginx), near.frames, FRAME))
        samples.add(f"frames nginx cache{by}", frames(Place(places.nginx_cache), near.frames, FRAME))
        samples.add(f"frames gateway{by}", frames(_cold(places, near), near.frames, FRAME))
        samples.add(f"series direct{by}", _series(direct, near))
        samples.add(f"series gateway{by}", _series(_cold(places, near), near))
        samples.add(f"series gateway kept{by}", _series(_opened(places, near), near))
        samples.add(f"frames gateway kept{by}", frames(_opened(places, near), near.frames, FRAME))
    for _ in range(far_rounds):
        samples.add(f"frames direct far{by}", frames(distant, far.frames, FRAME))
        samples.add(f"series gateway far{by}", _series(_cold(places, far), far))
        samples.add(f"frames gateway far{by}", frames(_cold(places, far), far.frames, FRAME))
        samples.add(f"series direct far{by}", _series(distant, far))
    _first_frames(places, samples, by, firsts)


def _series(place: Place, load: LoadStudy) -> float:
    return once(place, load.path, WHOLE_SERIES, FRAME * load.slices)


def _opened(places: Places, load: LoadStudy) -> Place:
    """A new launch that has read the metadata, as a viewer does before its first frame."""
    ours = launched(places.plan).gateway(load)
    once(ours, f"{load.path}/metadata", DICOM_JSON, 1000)
    return ours


def _cold(places: Places, load: LoadStudy) -> Place:
    """The same, with nothing of it kept."""
    ours = launched(places.plan).gateway(load)
    places.priors.forget()
    once(ours, f"{load.path}/metadata", DICOM_JSON, 1000)
    return ours


def _first_frames(places: Places, samples: Samples, by: str, count: int) -> None:
    """Over a new connection: from rest with nothing kept; of a study that is being opened; and of a series that is kept."""
    for name, load, base in (("", places.near, places.orthanc), (" far", places.far, places.orthanc_far)):
        for at in range(count):
            path, other = load.frames[(at * 37) % load.slices], load.frames[(at * 37 + 1) % load.slices]
            cold = _cold(places, load)
            once(cold, other, AS_STORED, FRAME)  # the audit record of this launch is written
            for kind, place in (("direct", Place(base)), ("gateway", cold)):
                samples.add(f"first frame {kind}{name}{by}", _rested(lambda path=path, place=place: once(place, path, AS_STORED, FRAME)))
            samples.add(f"first frame opened{name}{by}", _first_opened(places, load))
        kept = _opened(places, load)
        _series(kept, load)
        frames(kept, load.frames[:60], FRAME)  # each worker has looked at it once
        for at in range(count * 4):
            path = load.frames[(at * 37) % load.slices]
            for kind, place in (("direct", Place(base)), ("gateway", kept)):
                time.sleep(0.1)
                samples.add(f"frame kept {kind}{name}{by}", once(place, path, AS_STORED, FRAME))


def _first_opened(places: Places, load: LoadStudy) -> float:
    """The first image of the series, when its outline and its own metadata have been read, over a new connection."""
    ours = launched(places.plan)
    places.priors.forget()
    time.sleep(IDLE)
    once(Place(f"{ours.app}/l/{ours.handle}", ours.headers), f"/outline/{load.archive}/{load.study}", "application/json", 100)
    first = load.frames[0]
    once(ours.gateway(load), first.replace("/frames/1", "/metadata"), DICOM_JSON, 100)
    return once(ours.gateway(load), first, AS_STORED, FRAME)


def _rested(measure: Callable[[], float]) -> float:
    time.sleep(IDLE)
    return measure()
