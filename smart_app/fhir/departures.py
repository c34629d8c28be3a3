"""Where a single Patient departs from strict R4, by field path: what an EHR team can be told. Never a value, never a refusal.

The strict model only judges here. What the app shows is read from the raw JSON, since strictness would hide data.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any

from fhirclient.models.fhirabstractbase import FHIRValidationError
from fhirclient.models.patient import Patient

PATH = re.compile(r"[A-Za-z0-9_.]{1,80}")
MOST = 20

# Its models log values of the fields they object to.
logging.getLogger("fhirclient").setLevel(logging.CRITICAL)


def departures_of(patient: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of the fields that R4 would not have, such as `name` or `identifier.0.value`; empty for a faithful resource."""
    try:
        Patient(dict(patient))
    except FHIRValidationError as error:
        return tuple(sorted(set(_paths(error, ""))))[:MOST]
    except Exception:
        return ("resource",)  # a model that stumbles over strange JSON has departed too
    return ()


def _paths(error: FHIRValidationError, above: str) -> list[str]:
    found: list[str] = []
    for inner in error.errors:
        path = getattr(inner, "path", None)
        if isinstance(inner, FHIRValidationError) and isinstance(path, str) and PATH.fullmatch(path):
            here = f"{above}.{path}" if above else path
            found += _paths(inner, here) or [here]
        else:
            found.append(above or "resource")
    return found
