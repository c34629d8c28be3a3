"""Is a case's imaging ready? For each kind that is asked for: the best study there is, and what stands against it; from these one verdict. Pure.

`Ready` is earned: each kind is here in full and not old, every source answered for this patient, the history was read, and no record waits to be
compared. Whatever is not known makes it less, never more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from smart_app.preop.rules import Asked, Want
from smart_app.preop.types import Case, Note, Said
from smart_app.studies.rows import StudyRow


class State(StrEnum):
    HERE = "here"
    OLD = "old"
    UNDATED = "undated"
    PART = "part"
    UNCOUNTED = "uncounted"
    NEWER = "newer"
    """One is here in full, and a newer one is known that is not."""
    ASKED = "asked"
    LATE = "late"
    """Asked for, and it did not come in time or was declined."""
    KNOWN = "known"
    NONE = "none"
    """Every source answered, none has one."""
    UNSURE = "unsure"
    """None was found, and not every source answered."""


SHOWN = frozenset({"study", "known", "requested", "ordered"})
MISSING = frozenset({State.LATE, State.KNOWN, State.NONE, State.UNSURE})
MARKS = {
    State.HERE: ("ok", "ok"), State.OLD: ("clock", "warn"), State.UNDATED: ("clock", "warn"), State.PART: ("part", "warn"), State.UNCOUNTED: ("part", "warn"), State.NEWER: ("part", "warn"),
    State.ASKED: ("send", "acc"), State.LATE: ("urg", "bad"), State.KNOWN: ("none", "bad"), State.NONE: ("none", "bad"), State.UNSURE: ("warn", "bad"),
}  # fmt: skip
WORDS = {
    State.OLD: "old", State.UNDATED: "without a date", State.PART: "in part", State.UNCOUNTED: "not counted", State.NEWER: "newer elsewhere", State.ASKED: "on its way",
    State.LATE: "asked in vain", State.KNOWN: "known, not here", State.NONE: "missing", State.UNSURE: "not found",
}  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """One kind of imaging of one case."""

    want: Want
    state: State
    words: str
    row: StudyRow | None = None
    """What it speaks of; None: there is nothing."""

    @property
    def mark(self) -> str:
        return MARKS[self.state][0]

    @property
    def tone(self) -> str:
        return MARKS[self.state][1]

    @property
    def opens(self) -> bool:
        return self.row is not None and self.row.archive is not None and self.row.kind == "study"


class Verdict(StrEnum):
    READY = "Ready"
    LOOK = "Look first"
    RISK = "At risk"
    SIGNED = "Signed off"
    CANCELLED = "Cancelled"
    ASKING = "Looking"


@dataclass(frozen=True)
class Known:
    """What is known of a patient's imaging at one moment."""

    rows: tuple[StudyRow, ...]
    silent: tuple[str, ...] = ()
    """Sources that did not answer in full for this patient, by name."""
    waiting: int = 0
    """Records elsewhere that may be this patient's, and wait for a person."""
    hidden: int = 0
    """Studies that this user is not shown."""
    history: bool = True
    """Whether the history was read: without it a rule may be missing."""
    seen: Mapping[str, str] | None = None
    """Study UID → who has opened it, in words."""
    sources: int = 0


@dataclass(frozen=True)
class Readiness:
    verdict: Verdict
    reason: str
    findings: tuple[Finding, ...] = ()
    because: str = ""
    may_sign: bool = False
    """Whether somebody may say that the imaging is ready. Going on without is always a decision of a person."""

    @property
    def short(self) -> tuple[str, ...]:
        """Titles of what somebody goes on without."""
        return tuple(one.want.kind.title for one in self.findings if one.state is not State.HERE)


def assess(case: Case, asked: Asked, known: Known | None, signed: Note | None, now: datetime) -> Readiness:
    """:param known: None: nobody has looked yet. :param signed: what the team decided last, if that stands."""
    if case.is_off:
        return Readiness(Verdict.CANCELLED, "by the EHR")
    if case.problem:
        return Readiness(Verdict.RISK, case.problem, because=asked.because)
    if known is None:
        return Readiness(Verdict.ASKING, "sources are being asked", because=asked.because)
    findings = tuple(finding(want, known, now.astimezone().date()) for want in asked.wants)
    verdict, reason = _verdict(case, asked, known, findings, now)
    may_sign = verdict in (Verdict.READY, Verdict.LOOK)
    if signed is not None and signed.said in (Said.READY, Said.WITHOUT):
        if signed.procedure == case.title and not (signed.said is Said.READY and verdict is Verdict.RISK):
            return Readiness(Verdict.SIGNED, _signed(signed), findings, asked.because, may_sign)
        reason = f"{reason}; signed off earlier, and it has changed since"
        verdict = Verdict.LOOK if verdict is Verdict.READY else verdict
    return Readiness(verdict, reason, findings, asked.because, may_sign)


def finding(want: Want, known: Known, today: date) -> Finding:
    """The best study of one kind. In full and not old comes before newer in part; what is only known comes before what is old."""
    fitting = [row for row in known.rows if row.kind in SHOWN and want.kind.fits(row.modalities or (row.modality,), row.regions, row.title)]
    told = sorted(((_state(row, want, today), row) for row in fitting), key=lambda one: (ORDER.index(one[0]), one[1].kind == "ordered", _reversed(one[1].iso_date)))
    if not told:
        if known.silent or known.waiting or known.hidden:
            return Finding(want, State.UNSURE, f"None found; {_unknown(known)}")
        return Finding(want, State.NONE, f"None in {known.sources} sources, all answered" if known.sources else "None found")
    state, row = told[0]
    newer = [one for other, one in told if other in (State.KNOWN, State.ASKED, State.LATE) and one.iso_date > row.iso_date]
    if state is State.HERE and newer:
        return Finding(want, State.NEWER, f"{_here(row, known)}; newer known, not here: {newer[0].date}, {newer[0].hospital}", row)
    ordered = state is State.KNOWN and row.kind != "ordered" and any(one.kind == "ordered" for _, one in told)
    return Finding(want, state, _words(state, row, known) + (" · a new one is ordered" if ordered else ""), row)


ORDER = (State.HERE, State.PART, State.UNCOUNTED, State.ASKED, State.LATE, State.KNOWN, State.OLD, State.UNDATED)


def _state(row: StudyRow, want: Want, today: date) -> State:
    if row.kind == "study" and row.archive is not None:
        if not row.iso_date:
            return State.UNDATED
        if _is_old(row.iso_date, want.months, today):
            return State.OLD
        return State.HERE if row.count_state == "whole" else State.PART if row.count_state == "part" else State.UNCOUNTED
    if row.iso_date and row.kind != "ordered" and _is_old(row.iso_date, want.months, today):
        return State.OLD
    if row.asked:
        over = all(one.steps == 0 or one.needed.startswith("Overdue") for one in row.asked)
        return State.LATE if over else State.ASKED
    return State.KNOWN


def _is_old(iso: str, months: int, today: date) -> bool:
    """A date that is told in part counts from its first day: it is never taken for newer than it may be."""
    year, month = today.year, today.month - months
    while month < 1:
        year, month = year - 1, month + 12
    limit = date(year, month, min(today.day, 28))
    parts = [int(part) for part in iso.split("-")]
    return date(parts[0], parts[1] if len(parts) > 1 else 1, parts[2] if len(parts) > 2 else 1) < limit


def _verdict(case: Case, asked: Asked, known: Known, findings: Sequence[Finding], now: datetime) -> tuple[Verdict, str]:
    missing = [one for one in findings if one.state in MISSING and not one.want.useful]
    if missing:
        return Verdict.RISK, _left(case.starts_at, now) or _listed(missing)
    doubts = _listed([one for one in findings if one.state is not State.HERE])
    if not asked.rules:
        doubts = "no rule for this procedure"
    unknown = _unknown(known)
    if doubts or unknown:
        return Verdict.LOOK, "; ".join(part for part in (doubts, unknown) if part)
    unseen = sum(one.row is not None and one.row.uid not in (known.seen or {}) for one in findings)
    return Verdict.READY, "all seen" if not unseen else "not seen yet" if unseen == len(findings) else f"{unseen} not seen yet"


def _unknown(known: Known) -> str:
    """What takes every earned word away; empty: nothing."""
    parts = []
    if known.silent:
        parts.append(f"{', '.join(known.silent[:2])}{f' and {len(known.silent) - 2} more' if len(known.silent) > 2 else ''} did not answer in full")
    if known.waiting:
        parts.append(f"{known.waiting} record{'s' if known.waiting > 1 else ''} to confirm")
    if known.hidden:
        parts.append(f"{known.hidden} restricted")
    if not known.history:
        parts.append("the history was not read")
    return "; ".join(parts)


def _words(state: State, row: StudyRow, known: Known) -> str:
    if state is State.HERE:
        return _here(row, known)
    place = " · ".join(part for part in (row.date, row.hospital) if part)
    if state in (State.PART, State.UNCOUNTED):
        return f"{place} · {row.count}"
    if state is State.OLD:
        return f"{place} · {row.when} old" if row.when else f"{place} · old"
    if state is State.UNDATED:
        return f"{place} · its age cannot be told"
    if state in (State.ASKED, State.LATE):
        first = row.asked[0]
        return " · ".join(part for part in (first.last, first.needed) if part)
    return f"{place} · {'ordered, not done yet' if row.kind == 'ordered' else 'known, not here'}"


def _here(row: StudyRow, known: Known) -> str:
    seen = (known.seen or {}).get(row.uid, "")
    report = "no report" if row.report == "No report" else f"report {row.report.lower()}" if row.report else ""
    return " · ".join(part for part in (row.date, row.hospital, row.count, report, f"seen {seen}" if seen else "not seen yet") if part)


def _listed(findings: Collection[Finding]) -> str:
    """`1 in part, 1 old`"""
    counts: dict[str, int] = {}
    for one in findings:
        counts[WORDS[one.state]] = counts.get(WORDS[one.state], 0) + 1
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _left(starts_at: datetime | None, now: datetime) -> str:
    if starts_at is None or starts_at <= now:
        return "" if starts_at is None else "it should have begun"
    minutes = int((starts_at - now).total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min left"


def _signed(note: Note) -> str:
    if note.said is Said.READY:
        return note.name
    left = f" without {', '.join(note.without).lower()}" if note.without else ""
    return f"{note.name},{left}: {note.text}" if note.text else f"{note.name}{left}"


def _reversed(iso: str) -> tuple[int, ...]:
    return tuple(-int(part) for part in iso.split("-")) if iso else ()


def age(born: str, today: date) -> str:
    """`78 y`; empty where the birth date is not told in full."""
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return ""
    return f"{today.year - day.year - ((today.month, today.day) < (day.month, day.day))} y"


