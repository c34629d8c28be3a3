"""P4 to P7: the bytes of a series through the gateway, beside the archive itself and nginx. No browser."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench.launching import Launched, launched
from bench.places import Places
from bench.samples import Samples
from bench.study import LoadStudy
from bench.wire import AS_STORED, WHOLE_SERIES, Place, frames, once

FRAME = 512 * 512 * 2
IDLE = 1.3
"""Longer than Orthanc keeps an idle connection (1 s): what follows starts from nothing, for us as for the direct way."""
DICOM_JSON = "application/dicom+json"


def measure(places: Places, samples: Samples, rounds: int, far_rounds: int, firsts: int) -> None:
    """`rounds` at 0 ms, `far_rounds` at 40 ms, `firsts` single frames of each kind."""
    near, far = places.near, places.far
    direct, distant = Place(places.orthanc), Place(places.orthanc_far)
    nginx, cached = Place(places.nginx), Place(places.nginx_cache)
    frames(cached, near.frames, FRAME)
    for _ in range(rounds):
        samples.add("frames direct", frames(direct, near.frames, FRAME))
        samples.add("frames nginx", frames(nginx, near.frames, FRAME))
        samples.add("frames nginx cache", frames(cached, near.frames, FRAME))
        ours = _opened(places, near)
        samples.add("frames gateway", frames(ours.gateway(near), near.frames, FRAME))
        samples.add("frames gateway again", frames(ours.gateway(near), near.frames, FRAME))
        samples.add("series gateway", _series(_opened(places, near).gateway(near), near))
        samples.add("series direct", _series(direct, near))
    for _ in range(far_rounds):
        samples.add("frames direct far", frames(distant, far.frames, FRAME))
        samples.add("frames gateway far", frames(_opened(places, far).gateway(far), far.frames, FRAME))
        samples.add("series gateway far", _series(_opened(places, far).gateway(far), far))
        samples.add("series direct far", _series(distant, far))
    _first_frames(places, samples, firsts)


def _series(place: Place, load: LoadStudy) -> float:
    return once(place, load.path, WHOLE_SERIES, FRAME * load.slices)


def _opened(places: Places, load: LoadStudy) -> Launched:
    """A new launch that has read the metadata, as a viewer does before its first frame. Its pixels have not been asked for."""
    ours = launched(places.plan)
    once(ours.gateway(load), f"{load.path}/metadata", DICOM_JSON, 1000)
    return ours


def _first_frames(places: Places, samples: Samples, count: int) -> None:
    opened = {"": (_opened(places, places.near), places.near, places.orthanc), " far": (_opened(places, places.far), places.far, places.orthanc_far)}
    for at in range(count):
        for name, (ours, load, base) in opened.items():
            path = load.frames[(at * 37) % load.slices]
            for kind, place in (("direct", Place(base)), ("gateway", ours.gateway(load))):
                samples.add(f"first frame {kind}{name}", _rested(lambda path=path, place=place: once(place, path, AS_STORED, FRAME)))


def _rested(measure: Callable[[], float]) -> float:
    time.sleep(IDLE)
    return measure()
