"""WADO-RS retrieval from one configured archive (PS3.18 10.4): metadata, parts, pictures, and QIDO inside one study.

Owns the request lines, the credential's one renewal, the retreat from `transfer-syntax=*`, and what each status means.
Paths are built from checked UIDs under the configured base; no returned URL is ever called. Judges no patient: that is
the gateway's. Sees neither Flask nor tables.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from smart_app.archives.dicom_json import NotJson, is_uid, parse
from smart_app.archives.multipart import MediaType, MultipartFault, Part, PartReader, boundary_of, media_type
from smart_app.archives.registry import ConfiguredArchive, LaunchToken
from smart_app.errors import Cut, Fault, OutboundError, Side
from smart_app.outbound import Reply, StreamedReply

JSON = "application/dicom+json"
CHUNK = 1 << 18
RETRY_AFTER = re.compile(r"[0-9]{1,4}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT")
DOCUMENTS = frozenset({"text/html", "application/xhtml+xml", "text/plain", "application/json", "application/xml", "text/xml"})

NOT_THERE = Fault("not-there", Side.ARCHIVE, "It does not have this image any more.", "Open the study again, or phone their image library.", False, 404)
REFUSED = Fault("refused", Side.SETUP, "It refused our question.", "Their side or our set-up: the image desk can sort it out.", False, 502)
FAILED = Fault("failed", Side.ARCHIVE, "It answered with a fault of its own.", "Try again, or phone their image library.", True, 502)
OVERLOADED = Fault("overloaded", Side.ARCHIVE, "It asked us to come back later.", "Try again in a minute.", True, 503)
REDIRECTED = Fault("redirected", Side.SETUP, "It sent us on to another address, and nothing was asked there.",
                   "The image desk can have the address approved.", False, 502)  # fmt: skip
WRONG_CONTENT = Fault("wrong-content", Side.ARCHIVE, "It sent something that is not what was asked for.",
                      "Try again, or phone their image library.", True, 502)  # fmt: skip
DAMAGED = Fault("damaged", Side.ARCHIVE, "It sent this image damaged.", "Try again, or phone their image library.", True, 502)
CANNOT_SEND = Fault("cannot-send", Side.ARCHIVE, "It cannot send the image in this form.", "Ask for it in another form.", False, 406)


class ArchiveFault(OutboundError):
    """The archive answered, but not with what was asked for. `retry_after` is its own word, when it gave one; `status` its HTTP status."""

    def __init__(self, fault: Fault, retry_after: str | None = None, status: int = 0) -> None:
        self.retry_after = retry_after
        self.status = status
        super().__init__(fault)


@dataclass(frozen=True)
class Listed:
    """Rows of a search. `partial`: the archive said, or a bound of ours means, that there may be more. `notes`: what else to say of them."""

    rows: list[Any]
    partial: bool
    notes: tuple[str, ...] = ()


class Caller(Protocol):
    """What we need of `Outbound`."""

    def request(
        self, lane: str, method: str, url: str, *, headers: Mapping[str, str] = ..., body: bytes | None = ..., deadline: float, max_bytes: int
    ) -> Reply: ...

    def stream(self, lane: str, method: str, url: str, *, headers: Mapping[str, str] = ..., body: bytes | None = ..., deadline: float) -> StreamedReply: ...


@dataclass(frozen=True)
class Place:
    """A resource of one archive: the study, and perhaps a series and an instance in it. UIDs are checked here."""

    study: str
    series: str | None = None
    instance: str | None = None

    def __post_init__(self) -> None:
        if not all(uid is None or is_uid(uid) for uid in (self.study, self.series, self.instance)):
            raise ValueError("not a UID")

    @property
    def path(self) -> str:
        return (
            f"/studies/{self.study}"
            + (f"/series/{self.series}" if self.series else "")
            + (f"/instances/{self.instance}" if self.instance else "")
        )


@dataclass(frozen=True)
class Form:
    """The form in which pixels are asked for: the type of each part, and a transfer syntax (`*`: as stored)."""

    type: str
    syntax: str | None = None

    def accept(self, syntax: str | None) -> str:
        return f'multipart/related; type="{self.type}"' + (f"; transfer-syntax={syntax}" if syntax else "")


@dataclass(frozen=True)
class Picture:
    type: str
    body: bytes


class Retrieved:
    """A streamed answer as parts. Close it, whatever happens.

    Iterating raises ArchiveFault or an OutboundError when the body is not whole.
    """

    def __init__(self, reply: StreamedReply, expected: str, max_part: int) -> None:
        self._reply = reply
        self.status = reply.status
        self._outer = media_type(reply.headers.get("Content-Type") or "")
        self._expected = expected
        self._max_part = max_part

    def parts(self) -> Iterator[tuple[MediaType, Part]]:
        """(media type, part), in order. A part without a type has the announced one."""
        chunks = self._reply.chunks(CHUNK)
        outer = self._outer
        announced = media_type(outer.params.get("type", self._expected) if outer.name == "multipart/related" else outer.name)
        syntax = outer.params.get("transfer-syntax") or announced.params.get("transfer-syntax")
        try:
            if outer.name == "multipart/related":
                for part in PartReader(chunks, boundary_of(outer), max_part=self._max_part):
                    own = part.headers.get("content-type")
                    part.chunks = _whole_or_damaged(part.chunks)
                    yield _with_syntax(media_type(own) if own else announced, syntax), part
            elif outer.name and outer.name not in DOCUMENTS and not outer.name.startswith("multipart/"):
                # One object in one body, although parts were asked for: as good as one part.
                length = self._reply.headers.get("Content-Length") or ""
                yield _with_syntax(outer, syntax), Part({}, int(length) if length.isdecimal() else None, chunks)
            else:
                raise ArchiveFault(WRONG_CONTENT)
        except MultipartFault as fault:
            raise ArchiveFault(DAMAGED) from fault

    def close(self) -> None:
        self._reply.close()


class Wado:
    """Asks one archive one thing at a time. Thread-safe; holds nothing of a launch.

    All methods raise OutboundError: ArchiveFault for what the archive answered, the others for what the network did.
    """

    def __init__(self, outbound: Caller, quickest: dict[str, float] | None = None) -> None:
        self._outbound = outbound
        self._lock = threading.Lock()
        self._never_as_stored: set[tuple[str, str | None]] = set()
        self._quickest = quickest if quickest is not None else {}

    def distance(self, archive: ConfiguredArchive) -> float | None:
        """Seconds of its quickest answer yet to this process: about a round trip. None: it has not been asked."""
        return self._quickest.get(archive.key)

    def metadata(self, archive: ConfiguredArchive, launch: LaunchToken | None, place: Place) -> tuple[int, bytes]:
        """(200 or 206, DICOM JSON as sent) of every instance at `place`."""
        return self._json(archive, launch, f"{archive.wado_base}{place.path}/metadata", archive.limits.metadata, archive.limits.metadata_bytes)

    def rows(
        self, archive: ConfiguredArchive, launch: LaunchToken | None, place: Place, level: str, fields: Sequence[str] = (), number: int | None = None
    ) -> Listed:
        """QIDO rows of the `series` or `instances` below `place`, page by page until one adds nothing new.

        With `number`, the archive is asked for instances of that Instance Number; one that sends others too is read to its end.
        """
        key = {"series": "0020000E", "instances": "00080018"}[level]
        narrow = [("InstanceNumber", str(number))] if number is not None else []
        found: dict[str, Any] = {}
        offset, partial = 0, False
        while True:
            limit = min(1000, archive.dialect.page_cap or 1000)
            query = urlencode([*narrow, ("limit", str(limit)), ("offset", str(offset)), *(("includefield", tag) for tag in fields)])
            url = f"{archive.qido_base}{place.path}/{level}?{query}"
            status, body = self._json(archive, launch, url, archive.limits.search, archive.limits.search_bytes)
            partial |= status == 206
            rows = _list(body) if body else []
            before = len(found)
            for row in rows:
                uid = _first(row, key)
                if is_uid(uid):
                    found.setdefault(str(uid), row)
                else:
                    partial = True  # a row that nobody can name is one that is missing
            offset += len(rows)
            narrowed = narrow and all(str(_first(row, "00200013")) == str(number) for row in rows)
            # An archive may cap its pages at any size: only one that adds nothing says that there is no more.
            if len(found) == before or narrowed:
                break
            if len(found) >= archive.limits.max_rows * 4:
                partial = True
                break
        return Listed(list(found.values()), partial)

    def numbered(self, archive: ConfiguredArchive, launch: LaunchToken | None, place: Place, number: int) -> str | None:
        """The UID of the one instance of the series at `place` with this Instance Number; None when there is no such one."""
        query = urlencode({"InstanceNumber": number, "limit": 2})
        _, body = self._json(archive, launch, f"{archive.qido_base}{place.path}/instances?{query}", archive.limits.search, archive.limits.search_bytes)
        rows = _list(body) if body else []
        uids = {uid for row in rows if is_uid(uid := _first(row, "00080018")) and str(_first(row, "00200013")) == str(number)}
        return str(uids.pop()) if len(uids) == 1 else None

    def parts(
        self, archive: ConfiguredArchive, launch: LaunchToken | None, place: Place, form: Form, *, frames: str | None = None
    ) -> Retrieved:
        """The instances at `place`, or `frames` ("1,2") of the one instance, as they come."""
        url = f"{archive.wado_base}{place.path}" + (f"/frames/{frames}" if frames else "")
        limits = archive.limits
        deadline = limits.frame if frames else limits.retrieve
        syntax = form.syntax
        plain_only = (archive.key, place.series)
        if syntax == "*" and (not archive.dialect.any_transfer_syntax or plain_only in self._never_as_stored):
            syntax = None
        reply = self._stream(archive, launch, url, form.accept(syntax), deadline)
        if syntax == "*" and reply.status in (400, 406, 500):
            # Some archives do not know `*`, or cannot send certain stored forms as they are (Orthanc: big endian, deflated).
            reply.close()
            reply = self._stream(archive, launch, url, form.accept(None), deadline)
            if reply.status == 200:
                with self._lock:
                    if len(self._never_as_stored) > 1000:
                        self._never_as_stored.clear()
                    self._never_as_stored.add(plain_only)
        if reply.status not in (200, 206):
            reply.close()
            raise _fault(reply.status, reply.headers)
        return Retrieved(reply, form.type, limits.instance_bytes)

    def picture(
        self, archive: ConfiguredArchive, launch: LaunchToken | None, place: Place, accept: str, query: Mapping[str, str], *, frame: str | None = None
    ) -> Picture:
        """A JPEG or PNG drawn by the archive. Whole, and by its first bytes what it says it is."""
        if not archive.dialect.rendered:
            raise ArchiveFault(CANNOT_SEND)
        url = f"{archive.wado_base}{place.path}" + (f"/frames/{frame}" if frame else "") + "/rendered"
        if query:
            url += "?" + urlencode(query, safe=",")
        reply = self._request(archive, launch, url, accept, archive.limits.frame, archive.limits.metadata_bytes)
        if reply.status != 200:
            raise _fault(reply.status, reply.headers)
        kind = {b"\xff\xd8\xff": "image/jpeg", b"\x89PN": "image/png"}.get(reply.body[:3])
        if kind is None or media_type(reply.headers.get("Content-Type") or "").name != kind:
            raise ArchiveFault(WRONG_CONTENT)
        if kind == "image/jpeg" and b"\xff\xd9" not in reply.body[-64:]:
            raise Cut
        return Picture(kind, reply.body)

    def bulk(self, archive: ConfiguredArchive, launch: LaunchToken | None, path: str) -> Retrieved:
        """A bulk value under the archive's own base; `path` was taken from its metadata and begins with a slash."""
        accept = 'multipart/related; type="application/octet-stream", */*;q=0.5'
        reply = self._stream(archive, launch, f"{archive.wado_base}{path}", accept, archive.limits.retrieve)
        if reply.status != 200:
            reply.close()
            raise _fault(reply.status, reply.headers)
        return Retrieved(reply, "application/octet-stream", archive.limits.instance_bytes)

    def _json(self, archive: ConfiguredArchive, launch: LaunchToken | None, url: str, deadline: float, cap: int) -> tuple[int, bytes]:
        reply = self._request(archive, launch, url, JSON, deadline, cap)
        if reply.status == 204:
            return 200, b""
        if reply.status in (400, 406, 415):
            raise ArchiveFault(FAILED, status=reply.status)  # JSON is asked for: there is no other form to ask for it in
        if reply.status not in (200, 206):
            raise _fault(reply.status, reply.headers)
        if media_type(reply.headers.get("Content-Type") or "").name not in (JSON, "application/json", "application/dicom") or not reply.body.strip():
            raise ArchiveFault(WRONG_CONTENT)
        # PS3.18 8.3.4.4: with a Warning the archive says itself that there is more.
        return 206 if reply.headers.get("Warning") else reply.status, reply.body

    def _request(self, archive: ConfiguredArchive, launch: LaunchToken | None, url: str, accept: str, deadline: float, cap: int) -> Reply:
        sent = archive.authorization(launch)
        for attempt in (1, 2):
            since = time.monotonic()
            reply = self._outbound.request(archive.lane, "GET", url, headers={"Accept": accept, **sent}, deadline=deadline, max_bytes=cap)
            self._answered(archive, since)
            renewed = archive.authorization_after_401(launch, sent) if reply.status == 401 and attempt == 1 else None
            if renewed is None:
                return reply
            sent = renewed
        return reply

    def _stream(self, archive: ConfiguredArchive, launch: LaunchToken | None, url: str, accept: str, deadline: float) -> StreamedReply:
        sent = archive.authorization(launch)
        for attempt in (1, 2):
            since = time.monotonic()
            reply = self._outbound.stream(archive.lane, "GET", url, headers={"Accept": accept, **sent}, deadline=deadline)
            self._answered(archive, since)
            try:
                renewed = archive.authorization_after_401(launch, sent) if reply.status == 401 and attempt == 1 else None
            except BaseException:
                reply.close()
                raise
            if renewed is None:
                return reply
            reply.close()
            sent = renewed
        return reply

    def _answered(self, archive: ConfiguredArchive, since: float) -> None:
        taken = time.monotonic() - since
        self._quickest[archive.key] = min(taken, self._quickest.get(archive.key, taken))


def _whole_or_damaged(chunks: Iterator[bytes]) -> Iterator[bytes]:
    try:
        yield from chunks
    except MultipartFault as fault:
        raise ArchiveFault(DAMAGED) from fault


def _fault(status: int, headers: Mapping[str, str]) -> ArchiveFault:
    if status in (404, 410):
        return ArchiveFault(NOT_THERE, status=status)
    if status in (401, 403, 407):
        return ArchiveFault(REFUSED)
    if status in (429, 503):
        given = (headers.get("Retry-After") or "").strip()
        return ArchiveFault(OVERLOADED, given if RETRY_AFTER.fullmatch(given) else None)
    if status in (400, 406, 415):
        return ArchiveFault(CANNOT_SEND, status=status)
    if 300 <= status < 400:
        return ArchiveFault(REDIRECTED)
    return ArchiveFault(FAILED, status=status)


def _list(body: bytes) -> list[Any]:
    try:
        rows = parse(body, "")
    except NotJson:
        raise ArchiveFault(WRONG_CONTENT) from None
    if not isinstance(rows, list):
        raise ArchiveFault(WRONG_CONTENT)
    return rows


def _first(row: object, tag: str) -> object:
    element = row.get(tag) if isinstance(row, Mapping) else None
    values = element.get("Value") if isinstance(element, Mapping) else None
    return values[0] if isinstance(values, list) and values else None


def _with_syntax(kind: MediaType, syntax: str | None) -> MediaType:
    """Only what may pass on: the type, and a transfer syntax that is a UID."""
    own = kind.params.get("transfer-syntax", syntax)
    return MediaType(kind.name, {"transfer-syntax": own} if is_uid(own) and own else {})
