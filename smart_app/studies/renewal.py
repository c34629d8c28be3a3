"""A second look at a source beside what it answered before: what it adds, and what it may not take back. Pure.

Watching never earns a word and never takes one away by itself: the time, state and faults that the strip shows stay those of
the question a person asked. New doubt (a withheld row, a cap) is added at once; doubt is never removed here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from smart_app.archives.types import Answer, Candidate, SourceState, StudyRecord
from smart_app.studies import dates
from smart_app.studies.strip import is_whole


@dataclass(frozen=True)
class Arrival:
    """A study that an earlier look at its source did not show."""

    uid: str
    source: str
    within_seconds: int | None
    """At most this long ago it was not there; None: not known."""
    study_seconds: int | None
    """Since its own date and time, where they are given with a zone."""


def renewed(before: Answer, fresh: Answer) -> Answer:
    """`before` with what `fresh` found. A whole answer is the source's list now; one in part only adds."""
    if fresh.purpose is not None:
        return replace(before, purpose=fresh.purpose, withheld=max(before.withheld, fresh.withheld))
    studies = {} if is_whole(fresh) else {study.uid: study for study in before.studies}
    studies |= {study.uid: study for study in fresh.studies}
    disputed = tuple(dict.fromkeys((*before.withheld_studies, *fresh.withheld_studies)))
    for uid in disputed:
        studies.pop(uid, None)
    state = before.state
    if state in (SourceState.OK, SourceState.EMPTY):
        state = SourceState.OK if studies else SourceState.EMPTY
    return replace(
        before, state=state, studies=tuple(studies.values()), withheld_studies=disputed, withheld=max(before.withheld, fresh.withheld),
        candidates=_candidates(before, fresh),
        unreadable=max(before.unreadable, fresh.unreadable), more_exist=before.more_exist or fresh.more_exist,
        not_approved=tuple(dict.fromkeys((*before.not_approved, *fresh.not_approved))),
    )  # fmt: skip


def _candidates(before: Answer, fresh: Answer) -> tuple[Candidate, ...]:
    """Whoever waited for a person still does, and a record that is no longer certain waits from now on: its rows are gone already."""
    return tuple({(one.patient_id, one.name, one.birth_date, one.sex): one for one in (*before.candidates, *fresh.candidates)}.values())


def arrivals(known: Iterable[str], after: Answer, looked_before: datetime | None, now: datetime) -> tuple[Arrival, ...]:
    """Studies of `after` that nobody had named before."""
    seen = frozenset(known)
    within = None if looked_before is None else max(0, round((now - looked_before).total_seconds()))
    return tuple(Arrival(study.uid, after.source, within, _since(study, now)) for study in after.studies if study.uid not in seen)


def _since(study: StudyRecord, now: datetime) -> int | None:
    if dates.day_of(study.date) is None or not study.time or not study.offset:
        return None
    try:
        seconds = (now - datetime.fromisoformat(f"{study.date}T{study.time}{study.offset}")).total_seconds()
    except ValueError:
        return None
    return round(seconds) if seconds >= 0 else None
