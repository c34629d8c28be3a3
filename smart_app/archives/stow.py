"""STOW-RS to one configured archive (PS3.18 10.5), streamed from disk, and what it says of every single object.

Owns the request, the credential's one renewal and the reading of the answer. An object named neither as stored nor as
failed is `unknown`, and so is every object of a request whose answer was lost: nobody may guess. Proves nothing by
itself: what counts is reading back. Sees neither Flask nor tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from smart_app.archives.dicom_json import NotJson, is_uid, parse
from smart_app.archives.multipart import PartWriter, media_type
from smart_app.archives.registry import ConfiguredArchive
from smart_app.archives.wado import FAILED, JSON, OVERLOADED, REDIRECTED, REFUSED, ArchiveFault
from smart_app.errors import OutboundError
from smart_app.outbound import Reply

CHUNK = 1 << 18
ANSWER_BYTES = 16_000_000
PART = {"Content-Type": "application/dicom"}
SOP_INSTANCE, FAILURE, WARNING = "00081155", "00081197", "00081196"
STORED, FAILED_ONES = "00081199", "00081198"
OTHER_FAILURES = "0008119A"


class Told(StrEnum):
    """What the archive said of one object."""

    STORED = "stored"
    WARNED = "warned"
    """Stored, with a warning: coerced, or elements discarded."""
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outcome:
    told: Told
    code: int = 0
    """Failure or warning reason (PS3.18 table 10.5.1.1); 0: none was given."""


UNKNOWN = Outcome(Told.UNKNOWN)


@dataclass(frozen=True)
class ToSend:
    instance: str
    """SOP Instance UID."""
    path: Path


class Caller(Protocol):
    """What we need of `Outbound`."""

    def request(
        self, lane: str, method: str, url: str, *, headers: Mapping[str, str] = ..., body: bytes | Iterable[bytes] | None = ..., deadline: float, max_bytes: int,
        patience: float | None = ..., first_byte: float | None = ...,
    ) -> Reply: ...  # fmt: skip


class Stow:
    """Thread-safe; holds nothing of a patient."""

    def __init__(self, outbound: Caller) -> None:
        self._outbound = outbound

    def send(self, archive: ConfiguredArchive, study: str, objects: Sequence[ToSend]) -> dict[str, Outcome]:
        """Send these objects of one study in one request; what is said of each, by SOP Instance UID.

        A lost, broken or unreadable answer leaves them unknown.

        :raises ArchiveFault: it refused the whole request before looking at it (401, 403, 413, 429, 503 and the like).
        :raises OutboundError: nothing was sent: not approved, busy, paused.
        """
        if not is_uid(study):
            raise ValueError("not a UID")
        url = f"{archive.settings.stow_base}/studies/{study}"
        sent = archive.authorization()
        for attempt in (1, 2):
            try:
                reply = self._post(archive, url, sent, objects)
            except OutboundError as error:
                if error.fault.code in NOTHING_SENT:
                    raise
                return {one.instance: UNKNOWN for one in objects}
            renewed = archive.authorization_after_401(None, sent) if reply.status == 401 and attempt == 1 else None
            if renewed is None:
                break
            sent = renewed
        if reply.status not in (200, 202, 409) and not _describes(reply):
            raise _fault(reply.status)
        return _outcomes(reply, [one.instance for one in objects])

    def _post(self, archive: ConfiguredArchive, url: str, credential: Mapping[str, str], objects: Sequence[ToSend]) -> Reply:
        writer, ruler = PartWriter(), PartWriter()  # boundaries are of one length, so the second can measure for the first
        size = sum(len(ruler.head(PART)) + one.path.stat().st_size for one in objects) + len(ruler.tail())
        headers = {"Accept": JSON, "Content-Type": writer.content_type("application/dicom"), "Content-Length": str(size), **credential}
        limits = archive.limits
        return self._outbound.request(
            archive.lane, "POST", url, headers=headers, body=_body(writer, objects), deadline=limits.retrieve, max_bytes=ANSWER_BYTES,
            patience=limits.metadata, first_byte=limits.metadata * 4,
        )  # fmt: skip


NOTHING_SENT = frozenset({"not-approved", "busy", "paused", "token-silent", "token-refused", "token-faulty"})


def _body(writer: PartWriter, objects: Sequence[ToSend]) -> Iterator[bytes]:
    for one in objects:
        yield writer.head(PART)
        with one.path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    yield writer.tail()


def _describes(reply: Reply) -> bool:
    """Some archives answer 400 or 500 and still say what became of each object."""
    body = _parsed(reply)
    return body is not None and bool({STORED, FAILED_ONES} & body.keys())


def _parsed(reply: Reply) -> dict[str, Any] | None:
    if media_type(reply.headers.get("Content-Type") or "").name not in (JSON, "application/json"):
        return None
    try:
        found = parse(reply.body, "")
    except NotJson:
        return None
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, dict) else None


def _outcomes(reply: Reply, instances: Sequence[str]) -> dict[str, Outcome]:
    """Per object; one that is named both ways has failed, and one that nobody sent is not looked at."""
    body = _parsed(reply) or {}
    found: dict[str, Outcome] = {}
    for row in _items(body.get(STORED)):
        code = _number(row, WARNING)
        found[_text(row, SOP_INSTANCE)] = Outcome(Told.WARNED if code else Told.STORED, code)
    for sequence in (FAILED_ONES, OTHER_FAILURES):
        for row in _items(body.get(sequence)):
            found[_text(row, SOP_INSTANCE)] = Outcome(Told.FAILED, _number(row, FAILURE))
    return {instance: found.get(instance, UNKNOWN) for instance in instances}


def _items(element: object) -> list[Mapping[str, Any]]:
    values = element.get("Value") if isinstance(element, Mapping) else None
    return [one for one in values if isinstance(one, Mapping)] if isinstance(values, list) else []


def _value(row: Mapping[str, Any], tag: str) -> object:
    element = row.get(tag)
    values = element.get("Value") if isinstance(element, Mapping) else None
    return values[0] if isinstance(values, list) and values else None


def _text(row: Mapping[str, Any], tag: str) -> str:
    value = _value(row, tag)
    return value.rstrip("\0 ") if isinstance(value, str) else ""


def _number(row: Mapping[str, Any], tag: str) -> int:
    value = _value(row, tag)
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _fault(status: int) -> ArchiveFault:
    if status in (401, 403, 407):
        return ArchiveFault(REFUSED, status=status)
    if status in (429, 503):
        return ArchiveFault(OVERLOADED, status=status)
    return ArchiveFault(REDIRECTED if 300 <= status < 400 else FAILED, status=status)
