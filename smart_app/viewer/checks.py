"""Which instances this launch may see pixels of: those whose metadata named the held study and patient.

Metadata answers are judged here on their way to the browser; frames and pictures, which name nobody, wait until their
instance has been judged. One upstream question a series at a time, whoever asks (safety.md F8).
"""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections import OrderedDict, defaultdict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import structlog

from smart_app.archives.dicom_json import is_uid
from smart_app.archives.wado import NOT_THERE, WRONG_CONTENT, ArchiveFault, Place
from smart_app.errors import AppError, TimedOut
from smart_app.holdings.store import Holdings
from smart_app.viewer.asking import Ask
from smart_app.viewer.reads import WITHHELD, Reads, Withheld
from smart_app.viewer.rewriting import BulkTokens, NotMetadata, Rewriter, entries, named
from smart_app.viewer.shelf import Shelf
from smart_app.viewer.upstream import Upstream

log = structlog.get_logger("priors.viewer")

KEEP_SECONDS = 120.0
KEEP_BYTES = 32_000_000
KEEP_SERIES = 4096
SINGLES = 2
"""So many instances of a series are checked one by one, which is quick, before the whole series is asked for."""

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Judged:
    """A metadata answer after judgement: gzip of the DICOM JSON, and what it held. `instances` are in order of number."""

    status: int
    body: bytes = field(repr=False)
    series: dict[str, tuple[str, ...]]
    withheld: int

    @property
    def count(self) -> int:
        return sum(len(instances) for instances in self.series.values())


class Checks:
    def __init__(self, upstream: Upstream, holdings: Holdings, reads: Reads, tokens: BulkTokens, *, public_url: str, shelf: Shelf | None = None) -> None:
        self._upstream = upstream
        self._holdings = holdings
        self._reads = reads
        self._tokens = tokens
        self._public_url = public_url.rstrip("/")
        self._shelf = shelf
        self._lock = threading.Lock()
        self._flights: dict[Key, Future[Judged]] = {}
        self._answers: OrderedDict[Key, tuple[float, Judged]] = OrderedDict()
        self._checked: OrderedDict[Key, frozenset[str]] = OrderedDict()
        self._singles: OrderedDict[Key, int] = OrderedDict()
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="warm")

    def gateway_base(self, ask: Ask) -> str:
        return f"{self._public_url}/l/{ask.handle}/dicomweb/{ask.archive.key}"

    def metadata(self, ask: Ask, place: Place) -> Judged:
        """Judged metadata of a study, series or instance. A series just judged is not asked for again.

        :raises OutboundError: the archive did not give it. :raises AuditUnavailable:
        """
        if place.series and not place.instance:
            return self._series(ask, place.series)
        return self._judge(ask, place)

    def warm(self, ask: Ask, series: str) -> None:
        """Begin to check a series, in the background: the viewer's own question will join this one."""

        def work() -> None:
            try:
                self._series(ask, series)
            except Exception as error:  # whoever needs the series asks again, and is told
                log.info("warming_failed", archive=ask.archive.key, kind=type(error).__name__)

        self._pool.submit(work)

    def ensure(self, ask: Ask, series: str, instance: str) -> None:
        """Return only if this very instance has been judged to be what it is asked for as.

        :raises AppError: 404 when it is withheld or not there. :raises OutboundError: it could not be judged.
        """
        key = (ask.handle, ask.archive.key, ask.study, series)
        if instance in self._known(key):
            return
        stored = self._holdings.checked(*key)
        if stored:
            self._remember(key, stored)
        if instance in stored:
            return
        with self._lock:
            judged = self._fresh(key)
            if judged is not None and instance in judged.series.get(series, ()):
                return  # its series was judged since the lines above
            single = judged is not None or self._singles.get(key, 0) < SINGLES
            if single and judged is None:
                self._singles[key] = self._singles.get(key, 0) + 1
                while len(self._singles) > KEEP_SERIES:
                    self._singles.popitem(last=False)
        found = self._judge(ask, Place(ask.study, series, instance)) if single else self._series(ask, series)
        if instance not in found.series.get(series, ()):
            raise AppError(WITHHELD) if found.withheld else ArchiveFault(NOT_THERE)

    def order(self, ask: Ask, series: str) -> tuple[str, ...]:
        """The series' judged instances by number."""
        return self._series(ask, series).series.get(series, ())

    def order_if_known(self, ask: Ask, series: str) -> tuple[str, ...] | None:
        """As `order`, but asks nobody."""
        with self._lock:
            judged = self._fresh((ask.handle, ask.archive.key, ask.study, series))
        return None if judged is None else judged.series.get(series, ())

    def listed(self, ask: Ask, series: str) -> tuple[str, ...] | None:
        """All instances of the series, by number, as this launch was told within two minutes, in whichever worker.

        None: it has not asked, the archive called its answer a part, or one was withheld. Asks nobody.
        """
        key = (ask.handle, ask.archive.key, ask.study, series)
        with self._lock:
            judged = self._fresh(key)
        if judged is not None:
            return judged.series.get(series, ()) if not judged.withheld else None
        return self._shelf.listed(self._shelf.name("listed", *key)) if self._shelf is not None else None

    def count(self, ask: Ask, series: str) -> int:
        """How many instances of the series have been judged, as far as this worker knows."""
        return len(self._known((ask.handle, ask.archive.key, ask.study, series)))

    def _series(self, ask: Ask, series: str) -> Judged:
        key = (ask.handle, ask.archive.key, ask.study, series)
        with self._lock:
            judged = self._fresh(key)
            if judged is not None:
                return judged
            flight = self._flights.get(key)
            mine = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
        if not mine:
            try:
                return flight.result(timeout=ask.archive.limits.metadata)
            except TimeoutError:
                raise TimedOut from None
        try:
            judged = self._judge(ask, Place(ask.study, series))
        except BaseException as error:
            with self._lock:
                del self._flights[key]
            flight.set_exception(error)
            raise
        if self._shelf is not None and judged.status == 200 and not judged.withheld:
            self._shelf.list(self._shelf.name("listed", *key), judged.series.get(series, ()))
        with self._lock:
            if judged.status == 200:  # what the archive itself calls a part is asked for again
                self._keep(key, judged)
            del self._flights[key]
        flight.set_result(judged)
        return judged

    def _judge(self, ask: Ask, place: Place) -> Judged:
        status, body = self._upstream.of(ask).metadata(place)
        rewriter = Rewriter(self._tokens, ask.handle, ask.archive.key, ask.archive.wado_base, self.gateway_base(ask))
        squeeze = zlib.compressobj(1, zlib.DEFLATED, 31)
        pieces = [squeeze.compress(b"[")]
        order: dict[str, list[tuple[int, str]]] = defaultdict(list)
        seen: set[str] = set()
        withheld: list[Withheld] = []
        try:
            for entry in entries(body):
                if not isinstance(entry, dict):
                    withheld.append(Withheld(place.series or "", "", "unreadable"))
                    continue
                name = named(entry, ask.archive.issuer)
                if objection := name.objection(place, ask.patients, ask.expected):
                    withheld.append(Withheld(_uid(name.series), _uid(name.instance), objection))
                    continue
                if name.instance in seen:
                    continue
                seen.add(name.instance)
                rewriter.entry(entry, Place(name.study, name.series, name.instance))
                lead = b",\n" if order else b"\n"
                order[name.series].append((name.number if name.number is not None else 1 << 40, name.instance))
                pieces.append(squeeze.compress(lead + rewriter.text(entry)))
        except NotMetadata:
            raise ArchiveFault(WRONG_CONTENT) from None
        if withheld:
            self._reads.withheld(ask, withheld)
        pieces.append(squeeze.compress(b"\n]") + squeeze.flush())
        found = {series: tuple(instance for _, instance in sorted(members)) for series, members in order.items()}
        for series, instances in found.items():
            self._holdings.check(ask.handle, ask.archive.key, ask.study, series, frozenset(instances))
            self._remember((ask.handle, ask.archive.key, ask.study, series), frozenset(instances))
        return Judged(status, b"".join(pieces), found, len(withheld))

    def _known(self, key: Key) -> frozenset[str]:
        with self._lock:
            return self._checked.get(key, frozenset())

    def _remember(self, key: Key, instances: frozenset[str]) -> None:
        with self._lock:
            self._checked[key] = self._checked.get(key, frozenset()) | instances
            self._checked.move_to_end(key)
            while len(self._checked) > KEEP_SERIES:
                self._checked.popitem(last=False)

    def _fresh(self, key: Key) -> Judged | None:
        """A recent answer. The lock is held."""
        until, judged = self._answers.get(key, (0.0, None))
        return judged if time.monotonic() < until else None

    def _keep(self, key: Key, judged: Judged) -> None:
        """The lock is held. Answers are patient data: few, and not for long."""
        self._answers.pop(key, None)
        now = time.monotonic()
        for old in [old for old, (until, _) in self._answers.items() if until < now]:
            del self._answers[old]
        self._answers[key] = (now + KEEP_SECONDS, judged)
        while sum(len(kept.body) for _, kept in self._answers.values()) > KEEP_BYTES:
            self._answers.popitem(last=False)


def plain(judged: Judged) -> Judged:
    """For the rare client that does not take gzip."""
    return replace(judged, body=gzip.decompress(judged.body))


def _uid(said: str) -> str:
    return said if is_uid(said) else ""
