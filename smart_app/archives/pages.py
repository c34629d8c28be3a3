"""Pages of one search at one archive, in its dialect: request lines, credentials, retries, and what proves the end.

Paging trusts no server further than its dialect says. Where only an empty page ends a list, a second question goes out
together with the first (the same list from its second row on): if it brings the rest of the first page and nothing else,
no page was cut, and no further round trip is needed. Returned URLs are never called.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin

from launch.errors import LaunchError
from smart_app.archives.dialects import Include, Paging
from smart_app.archives.dicom_json import CHARSET, NotJson, parse
from smart_app.archives.registry import ConfiguredArchive, LaunchToken, origin_shown, place_of
from smart_app.archives.types import SourceState
from smart_app.errors import Fault, OutboundError, Side, TimedOut, TooLarge
from smart_app.outbound import Outbound, Reply

MAX_PAGES = 100
RETRIES = 2
AT_ONCE = 0.01
"""Seconds that a first page waits for its proof, since the two usually come together."""


class Answered(OutboundError):
    """The archive answered with a status or content that is no list. `fault` says which."""

    def __init__(self, state: SourceState, fault: Fault, origins: tuple[str, ...] = (), *, status: int = 0) -> None:
        self.state = state
        self.origins = origins
        self.status = status
        super().__init__(fault)


REFUSED = Fault("refused", Side.SETUP, "It refused our question.", "Their side or our set-up: the image desk can sort it out.", False, 502)
FAILED = Fault("failed", Side.ARCHIVE, "It answered with a fault of its own.", "Try again, or phone their image library.", True, 502)
OVERLOADED = Fault("overloaded", Side.ARCHIVE, "It asked us to come back later.", "Try again in a minute.", True, 503)
NOT_A_LIST = Fault("not-a-list", Side.ARCHIVE, "It sent something that is not a list of studies.", "The image desk can look into its set-up.", True, 502)
REDIRECTED = Fault("redirected", Side.SETUP, "It sent us on to another address, and nothing was asked there.",
                   "The image desk can have the address approved.", False, 502)  # fmt: skip


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    warned: bool
    """The archive says that this is not all."""
    number: int = 0
    proven: bool = False
    """There is nothing after this page."""


class Pages:
    """One archive, one launch, one deadline (`end`, on the monotonic clock)."""

    def __init__(self, outbound: Outbound, archive: ConfiguredArchive, launch: LaunchToken | None, end: float, sleep: Callable[[float], None]) -> None:
        self._outbound = outbound
        self._archive = archive
        self._launch = launch
        self._end = end
        self._sleep = sleep

    def read(
        self, url: str, params: Sequence[tuple[str, str]], wanted: Sequence[str], known: Callable[[], int], names: Callable[[list[Any]], set[str]]
    ) -> Iterator[Page]:
        """Pages until the end is proven, a page adds nothing to `known()`, or a bound is reached.

        :param wanted: tags beyond the archive's default; `names`: the UIDs of the rows of a page.
        :raises OutboundError, LaunchError: a page was not given.
        """
        dialect = self._archive.dialect
        size = min(self._archive.limits.page_size, dialect.page_cap or self._archive.limits.page_size)
        self._archive.authorization(self._launch)  # once, before two questions want it at the same time
        ahead = self._ahead(self._address(url, params, wanted, size, 1)) if dialect.paging is Paging.EMPTY else None
        offset = 0
        for number in range(MAX_PAGES):
            page = self._page(self._address(url, params, wanted, size, offset))
            ends = not page.rows or dialect.paging is Paging.ONE or (dialect.paging is Paging.SHORT and len(page.rows) < size and not page.warned)
            before = known()
            if number == 0 and ahead is not None and not ends and len(page.rows) < size:
                # Told at once, while the proof may still be on its way.
                ends = ahead.proves(names(page.rows), len(page.rows), AT_ONCE)
                yield Page(page.rows, page.warned, number, ends)
                ends = ends or ahead.proves(names(page.rows), len(page.rows), self._end - time.monotonic())
            elif page.rows or page.warned:
                yield Page(page.rows, page.warned, number, ends)
            if ends or (number > 0 and known() == before):
                return
            offset += len(page.rows)

    def one(self, url: str) -> Page:
        """One page by its address. :raises OutboundError, LaunchError: it was not given."""
        return self._page(url)

    def _ahead(self, address: str) -> _Ahead:
        ahead = _Ahead()
        context = contextvars.copy_context()

        def look() -> None:
            try:
                # A question that can be done without: it takes no seat that another one waits for.
                ahead.tell(self._page(address, patience=0))
            except (OutboundError, LaunchError):
                ahead.tell(None)  # the page itself says what is wrong, or the next one does

        threading.Thread(target=context.run, args=(look,), name="ahead", daemon=True).start()
        return ahead

    def _address(self, url: str, params: Sequence[tuple[str, str]], wanted: Sequence[str], size: int, offset: int) -> str:
        dialect = self._archive.dialect
        listed = [("includefield", tag) for tag in wanted] if dialect.include is Include.LISTED else []
        paging = [("limit", str(size)), ("offset", str(offset))]
        found = f"{url}?{urlencode([*params, *listed, *paging])}"
        if dialect.include is Include.ALL or (listed and len(found) > dialect.max_url):
            found = f"{url}?{urlencode([*params, ('includefield', 'all'), *paging])}"
        return found

    def _page(self, url: str, patience: float | None = None) -> Page:
        archive = self._archive
        credential = archive.authorization(self._launch)
        reauthenticated, retries = False, 0
        while True:
            remaining = self._end - time.monotonic()
            if remaining <= 0:
                raise TimedOut()
            reply = self._outbound.request(
                archive.lane, "GET", url, headers={"Accept": archive.dialect.search_accept, **credential}, deadline=remaining,
                max_bytes=archive.limits.search_bytes, patience=remaining if patience is None else patience,
            )  # fmt: skip
            if reply.status == 401 and not reauthenticated:
                reauthenticated = True
                renewed = archive.authorization_after_401(self._launch, credential)
                if renewed is not None:
                    credential = renewed
                    continue
            if reply.status in (429, 503) and retries < RETRIES and patience is None:
                wait = _retry_after(reply)
                if wait is not None and wait < self._end - time.monotonic():
                    retries += 1
                    self._sleep(wait)
                    continue
            return _page_of(reply, archive, url)


class _Ahead:
    """The list from its second row on, asked at the same time as its first page."""

    def __init__(self) -> None:
        self._there = threading.Event()
        self._page: Page | None = None

    def tell(self, page: Page | None) -> None:
        self._page = page
        self._there.set()

    def proves(self, first: set[str], count: int, seconds: float) -> bool:
        """Whether the first page, of `count` rows named `first`, is all. A server that cuts pages would have gone one row further."""
        if not self._there.wait(max(0.0, seconds)) or self._page is None or self._page.warned:
            return False
        rows = self._page.rows
        return len(first) == count and len(rows) == count - 1 and _uids(rows) <= first


def _uids(rows: list[Any]) -> set[str]:
    """Study or series UIDs, whichever the rows are of; a nameless row has a name that nothing else has."""
    return {uid_in(row) or f"nameless {at}" for at, row in enumerate(rows)}


def uid_in(row: Any) -> str:
    """The series UID of a series' row, the study UID of a study's; empty when it has none."""
    for tag in ("0020000E", "0020000D"):
        element = row.get(tag) if isinstance(row, dict) else None
        values = element.get("Value") if isinstance(element, dict) else None
        if isinstance(values, list) and len(values) == 1 and isinstance(values[0], str):
            return values[0]
    return ""


def _page_of(reply: Reply, archive: ConfiguredArchive, url: str) -> Page:
    warned = bool(reply.headers.get("Warning"))
    if reply.status == 204:
        return Page([], warned)
    if reply.status in (401, 403, 407):
        raise Answered(SourceState.REFUSED, REFUSED, status=reply.status)
    if reply.status == 413:
        raise TooLarge()
    if 300 <= reply.status < 400:
        try:
            target = urljoin(url, reply.headers.get("Location") or "")
        except ValueError:
            target = ""
        place, home = place_of(target.partition("?")[0]), place_of(archive.qido_base)
        elsewhere = place is None or home is None or place[0] != home[0]
        raise Answered(SourceState.NOT_APPROVED if elsewhere else SourceState.FAILED, REDIRECTED, (origin_shown(target),) if elsewhere else (), status=reply.status)
    if reply.status in (429, 503):
        raise Answered(SourceState.FAILED, OVERLOADED, status=reply.status)
    if reply.status not in (200, 206):
        raise Answered(SourceState.FAILED, FAILED, status=reply.status)
    kind = reply.headers.get("Content-Type") or ""
    if archive.dialect.charset and not CHARSET.search(kind):
        kind = f"{kind}; charset={archive.dialect.charset}"
    try:
        rows = parse(reply.body, kind)
    except NotJson:
        raise Answered(SourceState.FAILED, NOT_A_LIST) from None
    if not isinstance(rows, list):
        raise Answered(SourceState.FAILED, NOT_A_LIST)
    return Page(rows, warned or reply.status == 206)


def _retry_after(reply: Reply) -> float | None:
    """Seconds to wait, when the server gave a sane number of them; a date or an absurd value counts as no answer."""
    text = (reply.headers.get("Retry-After") or "").strip()
    return float(text) if text.isdigit() and len(text) <= 3 and int(text) <= 30 else None
