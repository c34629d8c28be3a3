"""FHIR resources that others may write: conditional create, versioned update, search by identifier, transaction. In memory, behind one lock.

FHIR R4 "RESTful API". Used by the demo partner for all it has, and by the demo EHR for what apps write into a chart.
"""

from __future__ import annotations

import copy
import re
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

Resource = dict[str, Any]
TAG = re.compile(r'(?:W/)?"([^"]+)"')


class Conflict(Exception):
    """`status` is 404, 409 or 412."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status, self.words = status, words


class Shelf:
    """`counts` how often each type was really made: what a test asks after replies were lost."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = tuple(kinds)
        self.lock = threading.RLock()
        self._held: dict[str, dict[str, Resource]] = {kind: {} for kind in kinds}

    def all(self, kind: str) -> tuple[Resource, ...]:
        with self.lock:
            return tuple(copy.deepcopy(list(self._held[kind].values())))

    def read(self, kind: str, id: str) -> Resource | None:
        with self.lock:
            found = self._held.get(kind, {}).get(id)
            return copy.deepcopy(found)

    def by_identifier(self, kind: str, wanted: str) -> tuple[Resource, ...]:
        system, _, value = wanted.rpartition("|")
        return tuple(one for one in self.all(kind) if any((not system or name.get("system") == system) and name.get("value") == value for name in one.get("identifier", ())))

    def create(self, resource: Mapping[str, Any], condition: str | None) -> tuple[Resource, bool]:
        """The resource as it lies there, and whether it is new. `condition` is If-None-Exist."""
        with self.lock:
            kind = str(resource["resourceType"])
            name, _, value = unquote(condition or "").partition("=")
            if name == "identifier" and (found := self.by_identifier(kind, value)):
                if len(found) > 1:
                    raise Conflict(412, "several match")
                return found[0], False
            made = copy.deepcopy(dict(resource)) | {"id": uuid.uuid4().hex[:12]}
            return self._keep(made, "1"), True

    def update(self, kind: str, id: str, resource: Mapping[str, Any], if_match: str) -> Resource:
        with self.lock:
            there = self._held[kind].get(id)
            if there is None:
                raise Conflict(404, "no such resource")
            tag = TAG.fullmatch(if_match)
            if if_match and (tag is None or tag[1] != there["meta"]["versionId"]):
                raise Conflict(412, "another version")
            return self._keep(copy.deepcopy(dict(resource)) | {"id": id}, str(int(there["meta"]["versionId"]) + 1))

    def transaction(self, bundle: Mapping[str, Any]) -> list[tuple[Resource, bool]]:
        """All entries, or none; references by full URL become references to what was made."""
        with self.lock:
            before = copy.deepcopy(self._held)
            try:
                return self._transact(bundle)
            except (Conflict, KeyError, TypeError):
                self._held = before
                raise

    def _transact(self, bundle: Mapping[str, Any]) -> list[tuple[Resource, bool]]:
        done: list[tuple[Resource, bool]] = []
        known: dict[str, str] = {}
        for entry in bundle["entry"]:
            resource = _pointed(entry["resource"], known)
            made, is_new = self.create(resource, entry["request"].get("ifNoneExist"))
            known[entry["fullUrl"]] = f"{made['resourceType']}/{made['id']}"
            done.append((made, is_new))
        return done

    def _keep(self, resource: Resource, version: str) -> Resource:
        resource["meta"] = {**resource.get("meta", {}), "versionId": version, "lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds")}
        self._held[resource["resourceType"]][resource["id"]] = resource
        return copy.deepcopy(resource)


def _pointed(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: known.get(one, one) if name == "reference" and isinstance(one, str) else _pointed(one, known) for name, one in value.items()}
    return [_pointed(one, known) for one in value] if isinstance(value, list) else value
