"""P8: the list stream over the chart and three archives (0, 40 and 40 ms), beside each archive's own answer."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from bench.launching import launched
from bench.places import Places
from bench.samples import Samples
from bench.study import PATIENT, LoadStudy
from bench.wire import Place, once
from sandbox import world
from smart_app.archives.qido import STUDY_FIELDS


def measure(places: Places, samples: Samples, rounds: int) -> None:
    """Each round: every archive's answer to the very question Priors asks it, over a new connection, then a new launch's list."""
    for _ in range(rounds):
        time.sleep(1.2)
        samples.add("list archive near", _asked(places.orthanc, places.near))
        samples.add("list archive far", max(_asked(places.orthanc_far, load) for load in (places.far, places.small)))
        ours = launched(places.plan)
        samples.add("list first rows", min(ours.seen.values()))
        samples.add("list last rows", max(ours.seen.values()))
        samples.add("list done", ours.done)


def _asked(base: str, load: LoadStudy) -> float:
    patient = world.patient(PATIENT).identifiers[world.archive(load.archive).identifier_system]
    query = urlencode([("PatientID", patient), *(("includefield", tag) for tag in STUDY_FIELDS), ("limit", "100"), ("offset", "0")])
    return once(Place(base), f"/studies?{query}", "application/dicom+json", 100)
