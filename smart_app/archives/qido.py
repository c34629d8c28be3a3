"""QIDO-RS search (PS3.18 10.6): a patient's studies, and the series of one study, each row checked before it is believed.

A row that names another patient, or none, is withheld. Paging trusts no server: it ends when a page adds nothing new,
at a bound, or at the deadline, and says when there may be more. Returned URLs are never called.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from launch.errors import LaunchError
from smart_app.archives.dicom_json import NotJson, Row, is_uid, parse
from smart_app.archives.registry import ConfiguredArchive, LaunchToken, origin_shown, place_of
from smart_app.archives.types import Answer, PatientId, SeriesRecord, SourceState, StudyRecord
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault, NotApproved, OutboundError, Side, TimedOut, TooLarge
from smart_app.outbound import Outbound, Reply

STUDY_FIELDS = ("00080020", "00080030", "00080050", "00080056", "00080061", "00080201", "00081030", "00100020", "00100021",
                "0020000D", "00201206", "00201208", "00180015")  # fmt: skip
SERIES_FIELDS = ("00080060", "0008103E", "00180015", "00200011", "00201209")
MAX_IDS = 4
"""Identifiers of one namespace asked with; a chart with more is told as 'may be incomplete'."""
MAX_PAGES = 100
MAX_SERIES = 2000
RETRIES = 2
WILDCARDS = frozenset("*?\\")


class Answered(OutboundError):
    """The archive answered with a status or content that is no list. `fault` says which."""

    def __init__(self, state: SourceState, fault: Fault, origins: tuple[str, ...] = ()) -> None:
        self.state = state
        self.origins = origins
        super().__init__(fault)


REFUSED = Fault("refused", Side.SETUP, "It refused our question.", "Their side or our set-up: the image desk can sort it out.", False, 502)
FAILED = Fault("failed", Side.ARCHIVE, "It answered with a fault of its own.", "Try again, or phone their image library.", True, 502)
OVERLOADED = Fault("overloaded", Side.ARCHIVE, "It asked us to come back later.", "Try again in a minute.", True, 503)
NOT_A_LIST = Fault("not-a-list", Side.ARCHIVE, "It sent something that is not a list of studies.", "The image desk can look into its set-up.", True, 502)
REDIRECTED = Fault("redirected", Side.SETUP, "It sent us on to another address, and nothing was asked there.",
                   "The image desk can have the address approved.", False, 502)  # fmt: skip
UNUSABLE_ID = Fault("unusable-identifier", Side.EHR, "The chart's identifier for it cannot be used in a search.", "The EHR team can look at it.", False, 502)


@dataclass
class _Found:
    """What has been read so far of one answer."""

    studies: dict[str, StudyRecord] = field(default_factory=dict)
    withheld: dict[str, None] = field(default_factory=dict)
    withheld_without_uid: int = 0
    unreadable: int = 0
    more_exist: bool = False
    strange_origins: dict[str, None] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return len(self.studies) + len(self.withheld) + self.withheld_without_uid + self.unreadable


class Qido:
    """Asks one archive one question at a time; thread-safe, holds nothing of a launch."""

    def __init__(self, outbound: Outbound, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._outbound = outbound
        self._clock = clock
        self._sleep = sleep

    def studies(self, archive: ConfiguredArchive, ids: Sequence[PatientId], launch: LaunchToken | None, deadline: float) -> Answer:
        """All studies of the patient known there by any of `ids`, within `deadline` seconds. Never raises for a remote fault.

        With several identifiers each is asked; what one could not answer makes the whole 'may be incomplete'.
        """
        asked_at = self._clock()
        end = time.monotonic() + min(deadline, archive.limits.search)
        found, failure = _Found(), None
        for identifier in ids[:MAX_IDS]:
            try:
                self._one_patient(archive, identifier, tuple(ids), launch, end, found)
            except (OutboundError, LaunchError) as error:
                failure = error
        answer = Answer(
            source=archive.key, name=archive.name, organization=archive.organization, state=SourceState.OK, asked_at=asked_at,
            answered_at=self._clock(), studies=tuple(found.studies.values()), withheld=len(found.withheld) + found.withheld_without_uid,
            withheld_studies=tuple(found.withheld), unreadable=found.unreadable, more_exist=found.more_exist or len(ids) > MAX_IDS,
            notes=_notes(found),
        )  # fmt: skip
        return _with_state(answer, found, failure)

    def series(self, archive: ConfiguredArchive, study_uid: str, launch: LaunchToken | None, deadline: float) -> tuple[SeriesRecord, ...]:
        """The series of one study, by number. A row of another study is dropped.

        :raises OutboundError: the archive did not give a list.
        """
        end = time.monotonic() + min(deadline, archive.limits.search)
        found: dict[str, SeriesRecord] = {}
        url = f"{archive.qido_base}/studies/{quote(study_uid, safe='')}/series"
        seen: set[str] = set()
        for _number, rows, _partial in self._pages(archive, url, [("includefield", tag) for tag in SERIES_FIELDS], launch, end, lambda: len(seen)):
            for dataset in rows:
                record = _series(dataset, study_uid)
                if record is not None:
                    seen.add(record.uid)
                    found.setdefault(record.uid, record)
            if len(found) >= MAX_SERIES:
                break
        return tuple(sorted(found.values(), key=lambda record: (record.number is None, record.number or 0, record.uid)))

    def _one_patient(
        self, archive: ConfiguredArchive, identifier: PatientId, accepted: tuple[PatientId, ...], launch: LaunchToken | None, end: float, found: _Found
    ) -> None:
        if not usable(identifier.value):
            raise Answered(SourceState.NO_IDENTIFIER, UNUSABLE_ID)
        params = [("PatientID", identifier.value), *(("includefield", tag) for tag in STUDY_FIELDS)]
        url = f"{archive.qido_base}/studies"
        start = found.rows
        for number, rows, partial in self._pages(archive, url, params, launch, end, lambda: len(found.studies) + len(found.withheld)):
            before = len(found.studies) + len(found.withheld)
            fresh = _Found(studies=found.studies, withheld=found.withheld)
            for dataset in rows:
                _judge(dataset, archive, accepted, fresh)
            repeated = number > 0 and len(found.studies) + len(found.withheld) == before
            if not repeated:
                # A page that only repeats earlier rows must not count its nameless rows twice.
                found.unreadable += fresh.unreadable
                found.withheld_without_uid += fresh.withheld_without_uid
                found.strange_origins.update(fresh.strange_origins)
            found.more_exist |= partial or (repeated and len(rows) == archive.limits.page_size)
            if found.rows - start >= archive.limits.max_rows:
                found.more_exist = True
                return
            if number == MAX_PAGES - 1:
                found.more_exist = True

    def _pages(
        self, archive: ConfiguredArchive, url: str, params: Sequence[tuple[str, str]], launch: LaunchToken | None, end: float, known: Callable[[], int]
    ) -> Iterator[tuple[int, list[Any], bool]]:
        """(page number, rows, the archive says it is not all), until a page is empty or adds nothing to `known()`."""
        offset = 0
        for number in range(MAX_PAGES):
            page = [*params, ("limit", str(archive.limits.page_size)), ("offset", str(offset))]
            rows, partial = self._page(archive, f"{url}?{urlencode(page)}", launch, end)
            before = known()
            if rows or partial:
                yield number, rows, partial
            if not rows or (number > 0 and known() == before):
                return
            offset += len(rows)

    def _page(self, archive: ConfiguredArchive, url: str, launch: LaunchToken | None, end: float) -> tuple[list[Any], bool]:
        credential = archive.authorization(launch)
        reauthenticated, retries = False, 0
        while True:
            remaining = end - time.monotonic()
            if remaining <= 0:
                raise TimedOut()
            reply = self._outbound.request(
                archive.lane, "GET", url, headers={"Accept": "application/dicom+json", **credential}, deadline=remaining,
                max_bytes=archive.limits.search_bytes,
            )  # fmt: skip
            if reply.status == 401 and not reauthenticated:
                reauthenticated = True
                renewed = archive.authorization_after_401(launch, credential)
                if renewed is not None:
                    credential = renewed
                    continue
            if reply.status in (429, 503) and retries < RETRIES:
                wait = _retry_after(reply)
                if wait is not None and wait < end - time.monotonic():
                    retries += 1
                    self._sleep(wait)
                    continue
            return _rows(reply, archive, url)


def usable(value: str) -> bool:
    """Whether a Patient ID may stand in a search: a wildcard or control character would ask for somebody else."""
    return 0 < len(value) <= 64 and value.isprintable() and not WILDCARDS & set(value)


def _rows(reply: Reply, archive: ConfiguredArchive, url: str) -> tuple[list[Any], bool]:
    warned = bool(reply.headers.get("Warning"))
    if reply.status == 204:
        return [], warned
    if reply.status in (401, 403, 407):
        raise Answered(SourceState.REFUSED, REFUSED)
    if reply.status == 413:
        raise TooLarge()
    if 300 <= reply.status < 400:
        try:
            target = urljoin(url, reply.headers.get("Location") or "")
        except ValueError:
            target = ""
        place, home = place_of(target.partition("?")[0]), place_of(archive.qido_base)
        elsewhere = place is None or home is None or place[0] != home[0]
        raise Answered(SourceState.NOT_APPROVED if elsewhere else SourceState.FAILED, REDIRECTED, (origin_shown(target),) if elsewhere else ())
    if reply.status in (429, 503):
        raise Answered(SourceState.FAILED, OVERLOADED)
    if reply.status not in (200, 206):
        raise Answered(SourceState.FAILED, FAILED)
    try:
        rows = parse(reply.body, reply.headers.get("Content-Type") or "")
    except NotJson:
        raise Answered(SourceState.FAILED, NOT_A_LIST) from None
    if not isinstance(rows, list):
        raise Answered(SourceState.FAILED, NOT_A_LIST)
    return rows, warned or reply.status == 206


def _judge(dataset: object, archive: ConfiguredArchive, accepted: tuple[PatientId, ...], found: _Found) -> None:
    """Sort one row into kept, withheld or unreadable. Only equality of (id, issuer) with one asked for keeps it."""
    if not isinstance(dataset, Mapping):
        found.unreadable += 1
        return
    row = Row(dataset)
    _, uid = row.exact("0020000D")
    id_readable, value = row.exact("00100020")
    issuer_readable, issuer = row.exact("00100021")
    named = PatientId(value, issuer or archive.issuer) if value and id_readable and issuer_readable else None
    if named is None or named not in accepted:
        if uid and is_uid(uid):
            found.withheld[uid] = None
            found.studies.pop(uid, None)  # one study under two patients: nobody's, until a person sorts it out
        else:
            found.withheld_without_uid += 1
        return
    if not uid or not is_uid(uid):
        found.unreadable += 1
        return
    if uid not in found.withheld and uid not in found.studies:
        found.studies[uid] = _study(row, uid, named, archive)
    retrieve = row.text("00081190", "retrieve")
    if retrieve and _host(retrieve) not in (None, _host(archive.wado_base), _host(archive.qido_base)):
        found.strange_origins[origin_shown(retrieve)] = None


def _study(row: Row, uid: str, patient: PatientId, archive: ConfiguredArchive) -> StudyRecord:
    record = StudyRecord(
        uid=uid, source=archive.key, organization=archive.organization, archive=archive.key, patient_id=patient,
        date=row.date("00080020"), time=row.time("00080030"), offset=row.offset("00080201"),
        modalities=tuple(dict.fromkeys(code.upper()[:16] for code in row.texts("00080061", "modality"))),
        description=row.text("00081030", "description"), body_parts=row.texts("00180015", "body part"),
        accession=row.text("00080050", "accession number"), series_count=row.count("00201206", "number of series"),
        image_count=row.count("00201208", "number of images"), availability=row.text("00080056", "availability"),
    )  # fmt: skip
    return replace(record, faults=tuple(row.faults))


def _series(dataset: object, study_uid: str) -> SeriesRecord | None:
    if not isinstance(dataset, Mapping):
        return None
    row = Row(dataset)
    _, uid = row.exact("0020000E")
    readable, study = row.exact("0020000D")
    if not uid or not is_uid(uid) or not readable or (study is not None and study != study_uid):
        return None
    modality = row.text("00080060", "modality")
    record = SeriesRecord(
        uid=uid, study_uid=study_uid, number=row.count("00200011", "number"), modality=modality.upper()[:16] if modality else None,
        description=row.text("0008103E", "description"), image_count=row.count("00201209", "number of images"),
        body_part=row.text("00180015", "body part"),
    )  # fmt: skip
    return replace(record, faults=tuple(row.faults))


def _with_state(answer: Answer, found: _Found, failure: OutboundError | LaunchError | None) -> Answer:
    if failure is not None:
        code = failure.fault.code if isinstance(failure, AppError) else failure.code
        origins = failure.origins if isinstance(failure, Answered) else ()
        if found.studies:
            return replace(answer, state=SourceState.PARTIAL, more_exist=True, fault_code=code, not_approved=origins)
        return replace(answer, state=state_of(failure), fault_code=code, not_approved=origins)
    if answer.more_exist or answer.withheld or answer.unreadable:
        return replace(answer, state=SourceState.PARTIAL)
    return replace(answer, state=SourceState.OK if answer.studies else SourceState.EMPTY)


def state_of(error: Exception) -> SourceState:
    """The state that a failed call puts its source in."""
    if isinstance(error, Answered):
        return error.state
    if isinstance(error, TimedOut):
        return SourceState.TIMEOUT
    if isinstance(error, TooLarge):
        return SourceState.TOO_LARGE
    if isinstance(error, NotApproved):
        return SourceState.NOT_APPROVED
    return SourceState.FAILED


def _notes(found: _Found) -> tuple[str, ...]:
    if not found.strange_origins:
        return ()
    named = ", ".join(list(found.strange_origins)[:3])
    return (f"It names {named} as the place of its images. That address is not approved here, so the approved one is used instead.",)


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None


def _retry_after(reply: Reply) -> float | None:
    """Seconds to wait, when the server gave a sane number of them; a date or an absurd value counts as no answer."""
    text = (reply.headers.get("Retry-After") or "").strip()
    return float(text) if text.isdigit() and len(text) <= 3 and int(text) <= 30 else None
