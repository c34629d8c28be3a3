"""QIDO-RS search (PS3.18 10.6): a patient's studies, and the series of one study, each row checked before it is believed.

A row that names another patient, or none, is withheld. How pages are asked for and what ends them is in `pages`; what is
read is told before it is proven to be all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from launch.errors import LaunchError
from smart_app.archives.pages import MAX_PAGES, Answered, Pages, uid_in
from smart_app.archives.records import Found, judge, series_from, usable
from smart_app.archives.registry import ConfiguredArchive, LaunchToken
from smart_app.archives.types import Answer, PatientId, SeriesRecord, SourceState
from smart_app.clock import Clock
from smart_app.errors import TOKEN_REFUSED, AppError, Fault, NotApproved, NotLetIn, OutboundError, Paused, Side, TimedOut, TooLarge
from smart_app.outbound import Outbound

STUDY_FIELDS = ("00080020", "00080030", "00080050", "00080056", "00080061", "00080201", "00081030", "00100010", "00100020", "00100021",
                "00100030", "00100040", "0020000D", "00201206", "00201208", "00180015")  # fmt: skip
PATIENT_FIELDS = ("00100010", "00100020", "00100021", "00100030", "00100040")
SERIES_FIELDS = ("00080060", "0008103E", "00180015", "00200011", "00201209")
MAX_IDS = 4
"""Identifiers of one namespace asked with; a chart with more is told as 'may be incomplete'."""
MAX_SERIES = 2000

UNUSABLE_ID = Fault("unusable-identifier", Side.EHR, "The chart's identifier for it cannot be used in a search.", "The EHR team can look at it.", False, 502)


class Qido:
    """Asks one archive one question at a time; thread-safe, holds nothing of a launch."""

    def __init__(self, outbound: Outbound, clock: Clock, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._outbound = outbound
        self._clock = clock
        self._sleep = sleep

    def studies(
        self, archive: ConfiguredArchive, ids: Sequence[PatientId], launch: LaunchToken | None, deadline: float, tell: Callable[[Answer], None] | None = None
    ) -> Answer:
        """All studies of the patient known there by any of `ids`, within `deadline` seconds. Never raises for a remote fault.

        With several identifiers each is asked; what one could not answer makes the whole 'may be incomplete'.
        :param tell: is given what has been read so far, whenever it is not known yet whether there is more.
        """
        asked_at = self._clock()
        end = time.monotonic() + min(deadline, archive.limits.search)
        pages = Pages(self._outbound, archive, launch, end, self._sleep)
        found, failure = Found(), None

        def answer() -> Answer:
            return Answer(
                source=archive.key, name=archive.name, organization=archive.organization, state=SourceState.OK, asked_at=asked_at,
                answered_at=self._clock(), studies=tuple(found.studies.values()), withheld=len(found.withheld) + found.withheld_without_uid,
                withheld_studies=tuple(found.withheld), unreadable=found.unreadable, more_exist=found.more_exist or len(ids) > MAX_IDS,
                notes=_notes(found, archive),
            )  # fmt: skip

        def so_far() -> None:
            if tell is not None and found.studies:
                tell(replace(answer(), state=SourceState.ASKING))

        for identifier in ids[:MAX_IDS]:
            try:
                try:
                    self._one_patient(pages, archive, identifier, tuple(ids), found, STUDY_FIELDS, so_far)
                except Answered as error:
                    if error.status != 400 or found.rows:
                        raise
                    # Some servers refuse a search for one field they do not know. What names the patient is still asked for.
                    self._one_patient(pages, archive, identifier, tuple(ids), found, PATIENT_FIELDS, so_far)
            except (OutboundError, LaunchError) as error:
                failure = error
        return _with_state(answer(), found, failure)

    def series(self, archive: ConfiguredArchive, study_uid: str, launch: LaunchToken | None, deadline: float) -> tuple[SeriesRecord, ...]:
        """The series of one study, by number. A row of another study is dropped.

        :raises OutboundError: the archive did not give a list.
        """
        end = time.monotonic() + min(deadline, archive.limits.search)
        found: dict[str, SeriesRecord] = {}
        url = f"{archive.qido_base}/studies/{quote(study_uid, safe='')}/series"
        pages = Pages(self._outbound, archive, launch, end, self._sleep)
        for page in pages.read(url, [], SERIES_FIELDS, lambda: len(found), _names):
            for dataset in page.rows:
                record = series_from(dataset, study_uid)
                if record is not None:
                    found.setdefault(record.uid, record)
            if len(found) >= MAX_SERIES:
                break
        return tuple(sorted(found.values(), key=lambda record: (record.number is None, record.number or 0, record.uid)))

    def page(self, archive: ConfiguredArchive, url: str, launch: LaunchToken | None, end: float) -> tuple[list[Any], bool]:
        """(rows, the archive says it is not all) of one search by URL. :raises OutboundError, LaunchError:"""
        page = Pages(self._outbound, archive, launch, end, self._sleep).one(url)
        return page.rows, page.warned

    def _one_patient(
        self,
        pages: Pages,
        archive: ConfiguredArchive,
        identifier: PatientId,
        accepted: tuple[PatientId, ...],
        found: Found,
        wanted: Sequence[str],
        so_far: Callable[[], None],
    ) -> None:
        if not usable(identifier.value):
            raise Answered(SourceState.NO_IDENTIFIER, UNUSABLE_ID)
        start, dialect, warned = found.rows, archive.dialect, False
        for page in pages.read(
            f"{archive.qido_base}/studies", [("PatientID", identifier.value)], wanted, lambda: len(found.studies) + len(found.withheld), _names
        ):
            before = len(found.studies) + len(found.withheld)
            fresh = Found(studies=found.studies, withheld=found.withheld)
            for dataset in page.rows:
                judge(dataset, archive, accepted, fresh)
            repeated = page.number > 0 and len(found.studies) + len(found.withheld) == before
            if not repeated:
                # A page that only repeats earlier rows must not count its nameless rows twice.
                found.unreadable += fresh.unreadable
                found.withheld_without_uid += fresh.withheld_without_uid
                found.strange_origins.update(fresh.strange_origins)
            # Where a Warning only announces the next page, the last word on it is the last page's.
            warned = page.warned if dialect.warning_goes_on else warned or page.warned
            cut = (repeated and len(page.rows) == archive.limits.page_size) or (page.proven and len(page.rows) == dialect.page_cap)
            found.more_exist |= cut or page.number == MAX_PAGES - 1
            if found.rows - start >= archive.limits.max_rows:
                found.more_exist = True
                return
            if not page.proven:
                so_far()
        found.more_exist |= warned


def _with_state(answer: Answer, found: Found, failure: OutboundError | LaunchError | None) -> Answer:
    if failure is not None:
        code = failure.fault.code if isinstance(failure, AppError) else failure.code
        origins, status = (failure.origins, failure.status) if isinstance(failure, Answered) else ((), 0)
        answer = replace(answer, notes=(*answer.notes, *notes_of(failure)), fault_code=code, not_approved=origins, http=status)
        if found.studies:
            return replace(answer, state=SourceState.PARTIAL, more_exist=True)
        return replace(answer, state=state_of(failure))
    if answer.more_exist or answer.withheld or answer.unreadable:
        return replace(answer, state=SourceState.PARTIAL)
    return replace(answer, state=SourceState.OK if answer.studies else SourceState.EMPTY)


def state_of(error: Exception) -> SourceState:
    """The state that a failed call puts its source in."""
    if isinstance(error, Answered):
        return error.state
    if isinstance(error, TimedOut):
        return SourceState.TIMEOUT
    if isinstance(error, NotLetIn) and error.fault is TOKEN_REFUSED:
        return SourceState.REFUSED
    if isinstance(error, TooLarge):
        return SourceState.TOO_LARGE
    if isinstance(error, NotApproved):
        return SourceState.NOT_APPROVED
    return SourceState.FAILED


def notes_of(error: Exception) -> tuple[str, ...]:
    """What a failed call has to say beyond its code."""
    if not isinstance(error, Paused):
        return ()
    times = f"{error.failures} times in a row" if error.failures > 1 else "the last time"
    return (f"It did not answer {times}, so it was not asked now. It is asked again in {max(1, round(error.again))} s.",)


def _notes(found: Found, archive: ConfiguredArchive) -> tuple[str, ...]:
    if not found.strange_origins or archive.dialect.retrieve_elsewhere:
        return ()
    named = ", ".join(list(found.strange_origins)[:3])
    return (f"It names {named} as the place of its images. That address is not approved here, so the approved one is used instead.",)


def _names(rows: list[Any]) -> set[str]:
    return {uid for row in rows if (uid := uid_in(row))}
