"""Writes to one FHIR base so that repeating is harmless: conditional create, versioned update, transaction (FHIR R4 "RESTful API").

Nothing is repeated here: an answer that was lost is raised, and whoever asks again finds what is there first. Who holds what there is
read from the answer's own words (Location, id), and a search by identifier settles what they leave open.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from smart_app.errors import Fault, NotLetIn, OutboundError, Side
from smart_app.fhir.client import FhirClient, FhirFailed, FhirLimits, FhirMissing, FhirRefused, Proof
from smart_app.outbound import Outbound, Reply

JSON = "application/fhir+json"
MAX_ANSWER = 2_000_000
_LOCATION = re.compile(r"(?:^|/)([A-Z][A-Za-z]{2,40})/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?/?$")
_TAG = re.compile(r'(?:W/)?"([A-Za-z0-9.-]{1,64})"')


class Ambiguous(OutboundError):
    """More than one resource there carries our identifier: none is chosen."""

    fault = Fault("ambiguous", Side.EHR, "There is more than one of it there.", "Whoever runs that server has to look.", False, 502)


class ChangedThere(OutboundError):
    """409 or 412: somebody else changed it since it was read."""

    fault = Fault("changed-there", Side.EHR, "It was changed there meanwhile.", "Try again.", True, 502)


class NotTaken(OutboundError):
    """400 or 422, or any other no that repeating will not turn into a yes. `status` is what was answered."""

    fault = Fault("not-taken", Side.EHR, "It was not taken there.", "Whoever runs that server has to look.", False, 502)

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__()


@dataclass(frozen=True)
class Written:
    """Where a resource lies, as far as the answer told."""

    id: str
    version: str = ""
    is_new: bool = False
    """It was made by this very question; otherwise it was there already, or nobody knows."""


class FhirWriter:
    """One base with what proves us there. Cheap to make; thread-safe as far as its collaborators are."""

    def __init__(self, outbound: Outbound, lane: str, base: str, proof: Proof | None, *, deadline: float) -> None:
        self._outbound, self._lane, self.base, self._proof, self._deadline = outbound, lane, base.rstrip("/"), proof, deadline
        self._reader = FhirClient(outbound, lane, base, None, FhirLimits(deadline=deadline, page_bytes=MAX_ANSWER, total_bytes=MAX_ANSWER, pages=3, retries=0), proof=proof)

    def read(self, kind: str, id: str) -> dict[str, Any]:
        return self._reader.read(kind, id)

    def find(self, kind: str, identifier: str) -> Written | None:
        """The one resource with this identifier (`system|value`). :raises Ambiguous: there are several."""
        system, _, value = identifier.rpartition("|")
        found: dict[str, Written] = {}
        for page in self._reader.search(kind, [("identifier", identifier), ("_count", "20")]):
            for entry in page.entries:
                resource = entry.get("resource") if isinstance(entry, Mapping) else None
                if isinstance(resource, Mapping) and resource.get("resourceType") == kind and _carries(resource, system, value) and isinstance(resource.get("id"), str):
                    found[resource["id"]] = Written(resource["id"], _version(resource))
        if len(found) > 1:
            raise Ambiguous
        return next(iter(found.values()), None)

    def create(self, resource: Mapping[str, Any], identifier: str) -> Written:
        """Make it, unless there is one with this identifier; either way where it lies.

        :raises Ambiguous: there are several. :raises NotTaken: :raises OutboundError: it may or may not be there.
        """
        kind = str(resource["resourceType"])
        reply = self._send("POST", f"{self.base}/{kind}", resource, {"If-None-Exist": f"identifier={_escaped(identifier)}"})
        if reply.status == 412:
            raise Ambiguous
        _refuse(reply)
        return replace(_located(reply, kind) or self._found(kind, identifier), is_new=reply.status == 201)

    def update(self, kind: str, id: str, resource: Mapping[str, Any], version: str) -> Written:
        """Put it in place of what is there. `version`: of what was read; empty when that server has none. :raises ChangedThere:"""
        match = {"If-Match": f'W/"{version}"'} if version else {}
        reply = self._send("PUT", f"{self.base}/{kind}/{id}", {**resource, "id": id}, match)
        if reply.status in (409, 412):
            raise ChangedThere
        _refuse(reply)
        return _located(reply, kind) or Written(id)

    def transaction(self, entries: Mapping[str, tuple[Mapping[str, Any], str]]) -> dict[str, Written]:
        """Make all of them or none: by `urn:uuid` full URL, each resource and its identifier; where each lies. Errors as `create`."""
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"], "ifNoneExist": f"identifier={_escaped(identifier)}"}}
                for url, (resource, identifier) in entries.items()
            ],
        }
        reply = self._send("POST", self.base, bundle, {})
        if reply.status == 412:
            raise Ambiguous
        _refuse(reply)
        answers = _entries(reply)
        found = {}
        for at, (url, (resource, identifier)) in enumerate(entries.items()):
            kind = str(resource["resourceType"])
            answer = answers[at] if len(answers) == len(entries) else {}
            place = _at(str(answer.get("location", "")), kind) or self._found(kind, identifier)
            found[url] = replace(place, is_new=str(answer.get("status", "")).startswith("201"))
        return found

    def _found(self, kind: str, identifier: str) -> Written:
        """It was taken, and the answer does not say where it lies. :raises FhirFailed: it cannot be found either."""
        found = self.find(kind, identifier)
        if found is None:
            raise FhirFailed
        return found

    def _send(self, method: str, url: str, resource: Mapping[str, Any], more: Mapping[str, str]) -> Reply:
        end, body = time.monotonic() + self._deadline, json.dumps(resource).encode()
        proof = dict(self._proof.headers()) if self._proof is not None else {}
        headers = {"Accept": JSON, "Content-Type": JSON, "Prefer": "return=representation", **more}

        def ask(given: Mapping[str, str]) -> Reply:
            return self._outbound.request(
                self._lane, method, url, headers={**headers, **given}, body=body, deadline=max(0.1, end - time.monotonic()), max_bytes=MAX_ANSWER
            )

        reply = ask(proof)
        if reply.status == 401 and self._proof is not None and (renewed := self._proof.renewed(proof)) is not None:
            reply = ask(renewed)  # it was refused, not done
        return reply


def will_stay_so(error: OutboundError) -> bool:
    """Whether asking again later cannot help: a person has to look."""
    return isinstance(error, Ambiguous | NotTaken | FhirRefused) or (isinstance(error, NotLetIn) and not error.fault.retryable)


def _refuse(reply: Reply) -> None:
    if reply.status in (401, 403):
        raise FhirRefused
    if reply.status in (404, 410):
        raise FhirMissing
    if reply.status in (409, 429) or reply.status >= 500:
        raise FhirFailed(reply.status)
    if not 200 <= reply.status < 300:
        raise NotTaken(reply.status)


def _located(reply: Reply, kind: str) -> Written | None:
    """From Location, or from the resource that came back."""
    for name in ("Location", "Content-Location"):
        if (found := _at(reply.headers.get(name, ""), kind)) is not None:
            return found
    resource = _object(reply.body)
    if resource.get("resourceType") == kind and isinstance(resource.get("id"), str):
        tag = _TAG.fullmatch((reply.headers.get("ETag") or "").strip())
        return Written(resource["id"], _version(resource) or (tag[1] if tag else ""))
    return None


def _at(location: str, kind: str) -> Written | None:
    match = _LOCATION.search(location.partition("?")[0])
    return Written(match[2], match[3] or "") if match and match[1] == kind else None


def _entries(reply: Reply) -> list[Mapping[str, Any]]:
    entries = _object(reply.body).get("entry")
    responses = [one.get("response") if isinstance(one, Mapping) else None for one in entries] if isinstance(entries, list) else []
    return [one if isinstance(one, Mapping) else {} for one in responses]


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _version(resource: Mapping[str, Any]) -> str:
    meta = resource.get("meta")
    version = meta.get("versionId") if isinstance(meta, Mapping) else None
    return version if isinstance(version, str) and re.fullmatch(r"[A-Za-z0-9.-]{1,64}", version) else ""


def _carries(resource: Mapping[str, Any], system: str, value: str) -> bool:
    given = resource.get("identifier")
    return any(isinstance(one, Mapping) and one.get("system") == system and one.get("value") == value for one in (given if isinstance(given, list) else []))


def _escaped(identifier: str) -> str:
    return quote(identifier, safe=":/|.-_")
