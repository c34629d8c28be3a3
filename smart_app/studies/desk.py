"""What a help desk needs to know of one source, as lines to read out or to copy. Pure; holds nothing of the patient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from smart_app.archives.types import Answer, SourceState
from smart_app.sources.base import Named
from smart_app.studies import dates
from smart_app.studies.rows import SourceChip, Strip
from smart_app.studies.strip import ANSWERED, is_whole

STATES = {
    SourceState.OK: "answered in full", SourceState.EMPTY: "answered in full, holds nothing", SourceState.PARTIAL: "answered in part",
    SourceState.FAILED: "failed", SourceState.REFUSED: "refused", SourceState.TIMEOUT: "no answer in time", SourceState.TOO_LARGE: "answer too large",
    SourceState.NOT_APPROVED: "address not approved, not asked", SourceState.NO_IDENTIFIER: "not asked, no identifier", SourceState.ASKING: "being asked",
}  # fmt: skip

Lines = tuple[tuple[str, str], ...]


def with_desk(strip: Strip, sources: Sequence[Named], answers: Mapping[str, Answer], last: Mapping[str, datetime], now: datetime) -> Strip:
    """The strip whose chips know when their source last answered and what to tell a help desk. `answers`: of those that are not awaited."""
    named = {source.key: source for source in sources}
    return replace(strip, chips=tuple(_chip(chip, named[chip.key], answers.get(chip.key), last.get(chip.key), now) for chip in strip.chips))


def _chip(chip: SourceChip, source: Named, answer: Answer | None, last: datetime | None, now: datetime) -> SourceChip:
    failed = answer is not None and answer.state not in ANSWERED and answer.state is not SourceState.NO_IDENTIFIER
    return replace(chip, last=last_words(last, now) if failed else "", desk=lines_of(source, answer, last, answer is not None and is_whole(answer)))


def lines_of(source: Named, answer: Answer | None, last: datetime | None, whole: bool) -> Lines:
    """(label, value) lines; `last` is when it last answered before now, as far as is known here. `whole`: nothing is missing of `answer`."""
    state = answer.state if answer is not None else SourceState.ASKING
    told = STATES[SourceState.PARTIAL if state.answered_in_full and not whole else state]
    lines = [("Source", f"{source.name} ({source.key})"), ("Kind", source.kind), ("Host", source.host), ("State", told)]
    if answer is not None:
        asked = answer.asked_at if state is not SourceState.NO_IDENTIFIER else None
        took = (answer.answered_at - asked).total_seconds() if asked and answer.answered_at else None
        lines += [("Asked", _moment(asked)), ("Answered", _moment(answer.answered_at) if state in ANSWERED else ""), ("Took", f"{took:.2f} s" if took is not None else "")]
        reasons = [f"{answer.withheld:,} withheld" if answer.withheld else "", f"{answer.unreadable:,} unreadable" if answer.unreadable else "",
                   "more exist" if answer.more_exist else "", *(f"not approved: {origin}" for origin in answer.not_approved)]  # fmt: skip
        lines += [("Fault", answer.fault_code or ""), ("HTTP status", _http(answer.http)), ("Incomplete", ", ".join(filter(None, reasons)))]
    lines += [("Last answered", _moment(last) or "never, as far as is known here")]
    if answer is not None:
        lines.append(("Reference", answer.reference))
    return tuple((label, value) for label, value in lines if value)


def last_words(last: datetime | None, now: datetime) -> str:
    """`It last answered today 07:40.`, `… on 12 May 2026 at 07:40.`; empty when it is not known."""
    if last is None:
        return ""
    here, today = last.astimezone(), now.astimezone().date()
    clock = here.strftime("%H:%M")
    days = (today - here.date()).days
    if days in (0, 1):
        return f"It last answered {('today', 'yesterday')[days]} {clock}."
    return f"It last answered on {dates.in_words(here.date().isoformat())} at {clock}."


def _moment(moment: datetime | None) -> str:
    """With its zone: the desk may be elsewhere."""
    if moment is None:
        return ""
    here = moment.astimezone()
    return f"{dates.in_words(here.date().isoformat())} {here:%H:%M:%S} {here:%z}"


def _http(status: int) -> str:
    return f"{status} ({status // 100}xx)" if status else ""
