"""Reads from one FHIR base with what proves us there, most often the launch's bearer token: single reads, and searches page by page.

The token goes nowhere but inside that base: ids are checked before they stand in a path, and a page link is followed
only when its origin and leading path segments are the base's. FHIR R4 "RESTful API", SMART App Launch 2.2 "Access FHIR API".
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin

from launch.session import TokenProvider
from smart_app.errors import Fault, NotApproved, OutboundError, Side, TimedOut, TooLarge
from smart_app.outbound import Outbound, Reply
from smart_app.outbound.addresses import parse

ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
TYPE = re.compile(r"[A-Z][A-Za-z]{2,40}")
RETRIES = 2


@dataclass(frozen=True)
class FhirLimits:
    """Seconds, bytes and counts of one question, all its pages together."""

    deadline: float = 15
    page_bytes: int = 16_000_000
    total_bytes: int = 64_000_000
    pages: int = 50
    entries: int = 5000
    retries: int = RETRIES
    """Times that the same question is put again when the server asks for it with Retry-After."""


class Proof(Protocol):
    """How a FHIR server is convinced. Its headers go inside the client's base and nowhere else."""

    def headers(self) -> Mapping[str, str]:
        """For a first try. :raises LaunchError: the session has ended."""
        ...

    def renewed(self, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        """Worth one more try after a 401, or None."""
        ...


@dataclass(frozen=True)
class Bearer:
    """A bearer token from its provider."""

    tokens: TokenProvider

    def headers(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.tokens.access_token()}"}

    def renewed(self, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        return {"Authorization": f"Bearer {self.tokens.refreshed(rejected['Authorization'].removeprefix('Bearer '))}"}


class FhirRefused(OutboundError):
    """401 after a fresh token, or 403: the EHR did not grant it."""

    status = 403
    fault = Fault("refused", Side.EHR, "The EHR refused our question.", "The EHR team can allow it.", False, 502)


class FhirMissing(OutboundError):
    """404 or 410: no such resource, or a type this server does not have."""

    status = 404
    fault = Fault("missing", Side.EHR, "The EHR does not have what was asked for.", "The EHR team can look into it.", False, 502)


class FhirFailed(OutboundError):
    """Any other status, or an answer that is not the FHIR JSON asked for. `status` is 0 for the latter."""

    fault = Fault("failed", Side.EHR, "The EHR answered with a fault of its own.", "Try again, or tell the EHR team.", True, 502)

    def __init__(self, status: int = 0) -> None:
        self.status = status
        super().__init__()


@dataclass(frozen=True)
class Page:
    """One page's raw `entry` values, unjudged. `ended` says why there is no next page although one was announced."""

    entries: tuple[Any, ...]
    ended: str = ""
    """Empty, or `foreign-link`, `repeated`, `too-many`: the answer may then be incomplete."""
    foreign: str = ""
    """With `foreign-link`: the address that was not called. Never show more than its origin."""


class FhirClient:
    """One launch at one EHR. Cheap to make; thread-safe as far as its collaborators are."""

    def __init__(
        self,
        outbound: Outbound,
        lane: str,
        base: str,
        tokens: TokenProvider | None,
        limits: FhirLimits | None = None,
        *,
        proof: Proof | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`proof` stands in for `tokens` at a server that wants something else, or nothing."""
        self._outbound = outbound
        self._lane = lane
        self.base = base.rstrip("/")
        self._proof: Proof | None = Bearer(tokens) if tokens is not None else proof
        self._limits = limits or FhirLimits()
        self._sleep = sleep

    def read(self, resource: str, resource_id: str, *, deadline: float | None = None) -> dict[str, Any]:
        """`resource_id`'s JSON object, of that type and id.

        :raises OutboundError: as `Outbound.request`, or FhirRefused, FhirMissing, FhirFailed.
        :raises LaunchError: the session has ended.
        """
        if not ID.fullmatch(resource_id) or resource_id in (".", "..") or not TYPE.fullmatch(resource):
            raise FhirMissing
        end = time.monotonic() + (deadline or self._limits.deadline)
        found, _ = self._get(f"{self.base}/{resource}/{resource_id}", end, self._limits.page_bytes)
        if found.get("resourceType") != resource or found.get("id") != resource_id:
            raise FhirFailed
        return found

    def search(self, resource: str, params: Sequence[tuple[str, str]], *, deadline: float | None = None) -> Iterator[Page]:
        """Each page as it comes, all within one deadline. Errors as `read`; those of a later page come after the earlier pages."""
        limits, end = self._limits, time.monotonic() + (deadline or self._limits.deadline)
        url = f"{self.base}/{resource}?{urlencode(params)}"
        visited, seen, left, count = {url}, set[str](), limits.total_bytes, 0
        for number in range(limits.pages):
            if left <= 0:
                raise TooLarge
            bundle, size = self._get(url, end, min(limits.page_bytes, left))
            if bundle.get("resourceType") != "Bundle":
                raise FhirFailed
            left -= size
            entries = tuple(bundle["entry"]) if isinstance(bundle.get("entry"), list) else ()
            marks = {_mark(entry) for entry in entries}
            stale = number > 0 and bool(marks) and marks <= seen
            seen |= marks
            count += len(entries)
            announced = _next(bundle)
            if announced is None:
                yield Page(() if stale else entries)
                return
            try:
                following = urljoin(url, announced)
            except ValueError:
                following = ""  # no address at all, so none of ours
            if not self.holds(following):
                yield Page(entries, "foreign-link", following)
                return
            following = following.partition("#")[0]
            if stale or following in visited:
                yield Page(() if stale else entries, "repeated")
                return
            if count >= limits.entries or number == limits.pages - 1:
                yield Page(entries, "too-many")
                return
            yield Page(entries)
            visited.add(following)
            url = following

    def holds(self, url: str) -> bool:
        """Whether `url` lies inside this FHIR base: same origin, and the base's path segments lead its path."""
        try:
            base, target = parse(self.base), parse(url.partition("#")[0])
        except ValueError:
            return False
        path = target.path.partition("?")[0]
        return target.origin == base.origin and (path == base.path or path.startswith(base.path + "/"))

    def fetch(self, url: str, accept: str, *, deadline: float, max_bytes: int) -> Reply:
        """A document inside this base, in whatever form it comes; its status is 200. Errors as `read`.

        :raises NotApproved: `url` lies elsewhere.
        """
        if not self.holds(url):
            raise NotApproved
        reply = self._reply(url, time.monotonic() + deadline, max_bytes, accept)
        _refuse(reply)
        return reply

    def _get(self, url: str, end: float, max_bytes: int) -> tuple[dict[str, Any], int]:
        reply = self._reply(url, end, max_bytes)
        return _resource(reply), len(reply.body)

    def _reply(self, url: str, end: float, max_bytes: int, accept: str = "application/fhir+json") -> Reply:
        proof = dict(self._proof.headers()) if self._proof is not None else {}
        refreshed, retries = False, 0
        while True:
            remaining = end - time.monotonic()
            if remaining <= 0:
                raise TimedOut
            reply = self._outbound.request(
                self._lane, "GET", url, headers={"Accept": accept, **proof}, deadline=remaining, max_bytes=max_bytes,
            )  # fmt: skip
            if reply.status == 401 and not refreshed and self._proof is not None:
                refreshed = True
                renewed = self._proof.renewed(proof)
                if renewed is not None:
                    proof = dict(renewed)
                    continue
            wait = _retry_after(reply) if reply.status in (429, 503) and retries < self._limits.retries else None
            if wait is not None and wait < end - time.monotonic():
                retries += 1
                self._sleep(wait)
                continue
            return reply


def _refuse(reply: Reply) -> None:
    if reply.status in (401, 403):
        raise FhirRefused
    if reply.status in (404, 410):
        raise FhirMissing
    if reply.status != 200:
        raise FhirFailed(reply.status)


def _resource(reply: Reply) -> dict[str, Any]:
    _refuse(reply)
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise FhirFailed from None
    if not isinstance(found, dict):
        raise FhirFailed
    return found


def _next(bundle: Mapping[str, Any]) -> str | None:
    links = bundle.get("link")
    for link in links if isinstance(links, list) else []:
        if isinstance(link, Mapping) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return None


def _mark(entry: object) -> str:
    """What makes an entry itself, for telling a repeated page."""
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    if isinstance(resource, Mapping) and resource.get("id") is not None:
        return f"{resource.get('resourceType')}/{resource['id']}"
    return json.dumps(entry, sort_keys=True, default=str)[:2000]


def _retry_after(reply: Reply) -> float | None:
    """Seconds to wait, when the server gave a sane number of them (Argonaut imaging: 503 + Retry-After, same request again)."""
    text = (reply.headers.get("Retry-After") or "").strip()
    return float(text) if text.isdigit() and len(text) <= 3 and int(text) <= 30 else None
