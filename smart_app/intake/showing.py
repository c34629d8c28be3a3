"""What the review page says, put together from an item and all that came with it. Pure of the web; every sentence is for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smart_app.archives.types import PatientId
from smart_app.identity.comparison import MONTHS, Comparison, Verdict
from smart_app.identity.match import day_of
from smart_app.intake.arrival import PERSON_SAID
from smart_app.intake.coercion import CannotCoerce, Shown, change_for, shown
from smart_app.intake.deciding import compare
from smart_app.intake.received import OPEN, Named, Received, Standing
from smart_app.intake.types import ItemState, Level

STATES = {
    ItemState.IN_REVIEW: "To review", ItemState.SECOND_PERSON: "Waits for a second person", ItemState.SET_ASIDE: "Set aside: another person’s", ItemState.STORING: "Being stored",
    ItemState.STORED: "In the archive, read back", ItemState.STORED_IN_PART: "In the archive in part", ItemState.NOT_USABLE: "Not usable", ItemState.NOT_FOR_US: "For another specialist",
    ItemState.LEFT: "Left, not kept", ItemState.WITHDRAWN: "Taken out of every view", ItemState.EXPIRED: "Gone: its time was over",
}  # fmt: skip
STANDINGS = {
    Standing.CERTAIN: ("ok", "Certain, one person may store"), Standing.BELOW: ("ask", "Not certain, two people must agree"),
    Standing.BIRTH_DATE: ("bad", "Other birth date, two people and a reason"), Standing.TAKEN_OUT: ("bad", "Was taken out of view, two people and a reason"), Standing.OTHER: ("bad", "Another person, can’t be stored here"),
    Standing.UNLINKED: ("ask", "Nobody has said whose it is"),
}  # fmt: skip
WHY = {
    "birth-date": "The birth date differs.", "sex": "The sex differs.", "name": "The name differs.", "suffix": "One is Jr, the other Sr.", "identifier": "Two numbers of one hospital.",
    "taken-out": "A reviewer took this very study out of every view.", "no-identifier": "The files carry no number that this hospital knows.", "nothing-said": "The files do not say enough of whose they are.", "mixed": "Its images do not all name the same person.",
    "silent": "Birth date or sex is missing.", "deprecated": "The chart is not in use any more.", PERSON_SAID: "A reviewer said that it is another person’s.", "not-alike": "Nothing speaks for it.",
}  # fmt: skip
HALTS = {
    "changed": "The chart has changed", "replaced": "This chart was merged into another", "inactive": "This chart is not in use any more", "gone": "The EHR does not have this chart any more",
    "unread": "Nobody has looked at the chart lately", "ehr-silent": "Waits for the EHR", "ehr-refused": "Waits for the EHR",
}  # fmt: skip
MARKS = {Level.GOOD: ("ok", "ok"), Level.CARE: ("warn", "warn"), Level.BAD: ("part", "bad")}
SAME_MARK = {Verdict.SAME: ("ok", "ok"), Verdict.DIFFERENT: ("bad", "bad"), Verdict.CARE: ("warn", "warn")}
WORST = (Standing.OTHER, Standing.UNLINKED, Standing.TAKEN_OUT, Standing.BIRTH_DATE, Standing.BELOW, Standing.CERTAIN)


@dataclass(frozen=True)
class Beside:
    """One person that the files name, beside the chart's."""

    comparison: Comparison
    studies: int
    """How many of the studies name them so."""


@dataclass(frozen=True)
class Tab:
    """One person of a delivery, as the others' tabs are told."""

    item: str
    """The first of their studies."""
    whose: str
    studies: int
    is_here: bool
    is_aside: bool


@dataclass(frozen=True)
class Sheet:
    """The page of one delivery, as far as it is about one person."""

    item: Received
    studies: tuple[Received, ...]
    """Those shown: of this patient, or the others'."""
    ours: tuple[Received, ...]
    others: tuple[Received, ...]
    beside: tuple[Beside, ...]
    changes: tuple[Shown, ...]
    standing: Standing
    tabs: tuple[Tab, ...]
    """One for each person that the delivery seems to hold, where there are several."""

    @property
    def pending(self) -> tuple[Received, ...]:
        return tuple(one for one in self.studies if one.state in OPEN)

    @property
    def is_ours(self) -> bool:
        return self.item.state is not ItemState.SET_ASIDE

    @property
    def needs_reason(self) -> bool:
        return any(one.needs_reason for one in self.pending)

    @property
    def waits_for_second(self) -> bool:
        return any(one.state is ItemState.SECOND_PERSON for one in self.pending)


def sheet(item: Received, every: Sequence[Received], namespaces: Mapping[str, str], number: PatientId | None) -> Sheet:
    every = sorted(sorted(every, key=lambda one: (one.summary.title, one.id)), key=lambda one: one.summary.date, reverse=True)  # newest first, as in the chart
    ours = tuple(one for one in every if one.state is not ItemState.SET_ASIDE)
    others = tuple(one for one in every if one.state is ItemState.SET_ASIDE)
    # Of one delivery that nobody asked for, each study has its own patient, or none yet: only this one's are shown and ticked together.
    studies = others if item.state is ItemState.SET_ASIDE else tuple(one for one in ours if one.id == item.id or (item.subject and one.subject == item.subject))
    patient = item.content.patient
    persons: dict[Named, int] = {}
    for one in studies:
        for named in one.summary.persons:
            persons[named] = persons.get(named, 0) + 1
    beside = tuple(Beside(compare(patient, named, namespaces), count) for named, count in list(persons.items())[:6]) if patient is not None else ()
    worst = min((one.standing for one in studies), key=WORST.index, default=Standing.UNLINKED)
    return Sheet(item, studies, ours, others, beside, _changes(item, number, persons), worst, _tabs(item, studies, ours, others))


def _tabs(item: Received, shown: Sequence[Received], ours: Sequence[Received], others: Sequence[Received]) -> tuple[Tab, ...]:
    """With a request: its patient, and everybody else. Without one, each patient that somebody linked, and each person that the files name."""
    groups: dict[object, list[Received]] = {}
    for one in ours:
        groups.setdefault(item.request or one.subject or one.summary.persons, []).append(one)
    if others:
        groups["aside"] = list(others)
    if len(groups) < 2:
        return ()
    here = {one.id for one in shown}
    return tuple(
        Tab(of[0].id, _whose(item, of[0]), len(of), any(one.id in here for one in of), key == "aside") for key, of in groups.items()
    )


def _whose(item: Received, of: Received) -> str:
    """Beside a patient's banner nobody else is named."""
    if of.state is ItemState.SET_ASIDE or (item.content.patient is not None and of.content.patient != item.content.patient):
        return "Another person"
    return of.content.patient.name if of.content.patient is not None else named(of)


def named(of: Received) -> str:
    """Whom the files name, as they are spoken of: `SMITH, JOHN`."""
    said = [one.said.name or "" for one in of.summary.persons]
    return (", ".join(part for part in said[0].split("=")[0].split("^")[:2] if part.strip()) if said else "") or "Nobody named"


def whose(of: Received) -> str:
    """What stands on its images: every name and birth date of its files."""
    found = [f"{(one.said.name or 'No name').split('=')[0].replace('^', ' ').strip()}, born {day(one.said.birth_date) if one.said.birth_date else 'unknown'}" for one in of.summary.persons]
    return "On the files: " + "; ".join(found[:3]) if found else "The files name nobody"


def _changes(item: Received, number: PatientId | None, persons: Mapping[Named, int]) -> tuple[Shown, ...]:
    patient = item.content.patient
    if patient is None or number is None or item.state is ItemState.SET_ASIDE:
        return ()
    try:
        change = change_for(patient, number, source=item.content.sender, at=item.updated_at)
    except CannotCoerce:
        return ()
    found: dict[Shown, None] = {}
    for named in persons:
        said = {
            "PatientID": named.patient_id.value if named.patient_id else "", "IssuerOfPatientID": named.patient_id.issuer if named.patient_id else "",
            "PatientName": named.said.name or "", "PatientBirthDate": (named.said.birth_date or "").replace("-", ""), "PatientSex": named.said.sex or "",
        }  # fmt: skip
        found.update(dict.fromkeys(shown(change, said)))
    return tuple(found)


def day(iso: str | None) -> str:
    """`4 Mar 2026`, as far as it is given."""
    known = day_of(iso or "")
    if known is None:
        return iso or "no date"
    year, month, of = (*known.split("-"), "", "")[:3]
    return " ".join(part for part in (str(int(of)) if of else "", MONTHS[int(month) - 1] if month else "", year) if part)


def lasting(span: timedelta) -> str:
    """`3 min`, `5 h`, `2 d`"""
    minutes = int(span.total_seconds() // 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


def clock(at: datetime) -> str:
    here = at.astimezone()
    return f"{here:%-d %b %H:%M}"
