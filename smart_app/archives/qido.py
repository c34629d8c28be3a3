"""QIDO-RS search (PS3.18 10.6): a patient's studies, and the series of one study, each row checked before it is believed.

A row that names another patient, or none, is withheld. Paging trusts no server: it ends when a page adds nothing new,
at a bound, or at the deadline, and says when there may be more. Returned URLs are never called.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urljoin

from launch.errors import LaunchError
from smart_app.archives.dicom_json import NotJson, parse
from smart_app.archives.records import Found, judge, series_from, usable
from smart_app.archives.registry import ConfiguredArchive, LaunchToken, origin_shown, place_of
from smart_app.archives.types import Answer, PatientId, SeriesRecord, SourceState
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault, NotApproved, OutboundError, Side, TimedOut, TooLarge
from smart_app.outbound import Outbound, Reply

STUDY_FIELDS = ("00080020", "00080030", "00080050", "00080056", "00080061", "00080201", "00081030", "00100010", "00100020", "00100021",
                "00100030", "00100040", "0020000D", "00201206", "00201208", "00180015")  # fmt: skip
PATIENT_FIELDS = ("00100010", "00100020", "00100021", "00100030", "00100040")
SERIES_FIELDS = ("00080060", "0008103E", "00180015", "00200011", "00201209")
MAX_IDS = 4
"""Identifiers of one namespace asked with; a chart with more is told as 'may be incomplete'."""
MAX_PAGES = 100
MAX_SERIES = 2000
RETRIES = 2


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
UNUSABLE_ID = Fault("unusable-identifier", Side.EHR, "The chart's identifier for it cannot be used in a search.", "The EHR team can look at it.", False, 502)


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
        found, failure = Found(), None
        for identifier in ids[:MAX_IDS]:
            try:
                try:
                    self._one_patient(archive, identifier, tuple(ids), launch, end, found, STUDY_FIELDS)
                except Answered as error:
                    if error.status != 400 or found.rows:
                        raise
                    # Some servers refuse a search for one field they do not know. What names the patient is still asked for.
                    self._one_patient(archive, identifier, tuple(ids), launch, end, found, PATIENT_FIELDS)
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
                record = series_from(dataset, study_uid)
                if record is not None:
                    seen.add(record.uid)
                    found.setdefault(record.uid, record)
            if len(found) >= MAX_SERIES:
                break
        return tuple(sorted(found.values(), key=lambda record: (record.number is None, record.number or 0, record.uid)))

    def _one_patient(
        self,
        archive: ConfiguredArchive,
        identifier: PatientId,
        accepted: tuple[PatientId, ...],
        launch: LaunchToken | None,
        end: float,
        found: Found,
        wanted: Sequence[str],
    ) -> None:
        if not usable(identifier.value):
            raise Answered(SourceState.NO_IDENTIFIER, UNUSABLE_ID)
        params = [("PatientID", identifier.value), *(("includefield", tag) for tag in wanted)]
        url = f"{archive.qido_base}/studies"
        start = found.rows
        for number, rows, partial in self._pages(archive, url, params, launch, end, lambda: len(found.studies) + len(found.withheld)):
            before = len(found.studies) + len(found.withheld)
            fresh = Found(studies=found.studies, withheld=found.withheld)
            for dataset in rows:
                judge(dataset, archive, accepted, fresh)
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

    def page(self, archive: ConfiguredArchive, url: str, launch: LaunchToken | None, end: float) -> tuple[list[Any], bool]:
        """(rows, the archive says it is not all) of one search by URL. :raises OutboundError, LaunchError:"""
        return self._page(archive, url, launch, end)

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


def _rows(reply: Reply, archive: ConfiguredArchive, url: str) -> tuple[list[Any], bool]:
    warned = bool(reply.headers.get("Warning"))
    if reply.status == 204:
        return [], warned
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
    try:
        rows = parse(reply.body, reply.headers.get("Content-Type") or "")
    except NotJson:
        raise Answered(SourceState.FAILED, NOT_A_LIST) from None
    if not isinstance(rows, list):
        raise Answered(SourceState.FAILED, NOT_A_LIST)
    return rows, warned or reply.status == 206


def _with_state(answer: Answer, found: Found, failure: OutboundError | LaunchError | None) -> Answer:
    if failure is not None:
        code = failure.fault.code if isinstance(failure, AppError) else failure.code
        origins, status = (failure.origins, failure.status) if isinstance(failure, Answered) else ((), 0)
        if found.studies:
            return replace(answer, state=SourceState.PARTIAL, more_exist=True, fault_code=code, not_approved=origins, http=status)
        return replace(answer, state=state_of(failure), fault_code=code, not_approved=origins, http=status)
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


def _notes(found: Found) -> tuple[str, ...]:
    if not found.strange_origins:
        return ()
    named = ", ".join(list(found.strange_origins)[:3])
    return (f"It names {named} as the place of its images. That address is not approved here, so the approved one is used instead.",)


def _retry_after(reply: Reply) -> float | None:
    """Seconds to wait, when the server gave a sane number of them; a date or an absurd value counts as no answer."""
    text = (reply.headers.get("Retry-After") or "").strip()
    return float(text) if text.isdigit() and len(text) <= 3 and int(text) <= 30 else None
