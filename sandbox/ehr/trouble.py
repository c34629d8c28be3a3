"""What a demo viewer can break on the Faults page, and how it is told to the system concerned.

The archives run in processes of their own, so they are told over their control route; this EHR's faults are at hand.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sandbox.faults import Faults

SEARCH = "search-*"


@dataclass(frozen=True)
class Kind:
    """One way to break a system: the button's word, what it does, and the faults it means."""

    key: str
    label: str
    effect: str
    faults: tuple[Mapping[str, Any], ...]


KINDS = (
    Kind("slow", "Slow", "answers searches after 8 seconds", ({"endpoint": SEARCH, "kind": "slow", "seconds": 8.0},)),
    Kind("down", "Down", "answers 503 to everything", ({"endpoint": "*", "kind": "status", "status": 503, "retry_after": "30"},)),
    Kind("refuses", "Refuses", "answers 401 to searches", ({"endpoint": SEARCH, "kind": "status", "status": 401},)),
    Kind("garbage", "Garbage", "answers searches with half a JSON", ({"endpoint": SEARCH, "kind": "garbage"},)),
    Kind("wrong-patient", "Wrong patient", "slips a stranger's entry into its answer", ({"endpoint": SEARCH, "kind": "wrong-patient"},)),
)


@dataclass(frozen=True)
class System:
    key: str
    name: str
    what: str
    state: str
    """Key of the kind in force, `well`, or `unreachable`."""


class Troubles:
    """Reads and sets the faults of this EHR and of the archives (key to name and origin)."""

    kinds = KINDS

    def __init__(self, faults: Faults, archives: Mapping[str, tuple[str, str]]) -> None:
        self._faults, self._archives = faults, archives

    def systems(self) -> tuple[System, ...]:
        own = [{"endpoint": one.endpoint, "kind": one.kind, "status": one.status} for one in self._faults.pending()]
        ehr = System("ehr", "This EHR", "FHIR ImagingStudy search", _state(own))
        return (ehr, *(self._archive(key, name, origin) for key, (name, origin) in self._archives.items()))

    def apply(self, system: str, kind: str) -> None:
        """Make one system misbehave; kind `well` heals it. Unknown names change nothing."""
        chosen = next((one.faults for one in KINDS if one.key == kind), () if kind == "well" else None)
        if chosen is None:
            return
        if system == "ehr":
            self._faults.clear()
            for one in chosen:
                self._faults.add(**{**one, "endpoint": "*-ImagingStudy"})
        elif system in self._archives:
            origin = self._archives[system][1]
            _call(origin, "DELETE")
            _call(origin, "POST", list(chosen))

    def _archive(self, key: str, name: str, origin: str) -> System:
        pending = _call(origin, "GET")
        return System(key, name, f"DICOMweb archive, {urlsplit(origin).netloc}", "unreachable" if pending is None else _state(pending))


def _state(pending: Sequence[Mapping[str, Any]]) -> str:
    if not pending:
        return "well"
    now = pending[0]
    for kind in KINDS:
        meant = kind.faults[0]
        if meant["kind"] == now["kind"] and meant.get("status", now.get("status")) == now.get("status"):
            return kind.key
    return "other"


def _call(origin: str, method: str, content: list[Any] | None = None) -> list[Any] | None:
    parts = urlsplit(origin)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=2)
    try:
        connection.request(
            method, "/_sandbox/faults", json.dumps(content) if content is not None else None, {"Content-Type": "application/json"}
        )
        answer = json.loads(connection.getresponse().read())
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return answer if isinstance(answer, list) else None
