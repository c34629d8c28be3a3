"""Which studies matter for what is being looked at now, and why, in words. Pure. The rules are the tables here and in `terms`.

A level is how close a study comes: same part by the same means first, a neighbouring region last. It decides an order and
is never shown; what is shown is the reason. A study that fits no rule is not called irrelevant: nothing is said of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from smart_app.studies import dates
from smart_app.studies.rows import StudyRow
from smart_app.studies.terms.anatomy import CONTAINS, NEIGHBOURS, PAIRED, REGION, WHOLE
from smart_app.studies.terms.modalities import RELATED, SAME, SPOKEN

LEVELS: Mapping[tuple[str, str], int] = {
    ("site", "same"): 1, ("site", "any"): 1, ("site", "related"): 2, ("site", "other"): 3,
    ("other side", "same"): 4, ("other side", "any"): 4, ("other side", "related"): 4,
    ("part", "same"): 5, ("part", "any"): 5, ("part", "related"): 5,
    ("whole", "same"): 6, ("whole", "related"): 6, ("whole", "any"): 6, ("whole", "other"): 6,
    ("near", "same"): 7, ("near", "related"): 7, ("near", "any"): 7, ("near", "other"): 7,
}  # fmt: skip
"""(how its anatomy relates, how its modality relates) -> level. A pair that is not here is not relevant; for whole body and neighbours the tables of
kinds have their say before."""

COMPARABLE = 2
"""Up to this level a study can be laid beside the current one: of these the newest and the oldest are named."""
NAMED = 3
"""With fewer to compare, which is the newest and which the oldest is seen at a glance."""
FAR = 999_999


@dataclass(frozen=True)
class Purpose:
    """What studies are compared with: an order, a visit, an appointment, or a study that is being read."""

    words: str
    """`CT head, ordered today`."""
    sites: tuple[str, ...]
    side: str = ""
    modality: str = ""
    """Empty: any kind is equally welcome, as for a visit."""
    day: date | None = None
    title: str = ""
    uid: str | None = None
    """The study being read: it is not its own prior."""

    @property
    def regions(self) -> frozenset[str]:
        return frozenset(REGION[site] for site in self.sites)


@dataclass(frozen=True)
class Relevance:
    key: str
    """Ascending: most relevant first, then nearest in time."""
    sentence: str


def reading(row: StudyRow) -> Purpose:
    """The purpose of someone who reads this study."""
    words = f"{row.title}, {row.when if row.when.startswith(('today', 'yesterday')) else row.date}"
    return Purpose(words, row.sites, row.side, row.modality, dates.day_of(row.iso_date), row.title, row.uid)


def relevant(purpose: Purpose, rows: Iterable[StudyRow]) -> dict[str, Relevance]:
    """By Study Instance UID; rows of which nothing is to be said are not in it."""
    levels: dict[str, tuple[int, StudyRow]] = {}
    found: dict[str, Relevance] = {}
    for row in rows:
        said = relation(purpose, row)
        if said is not None:
            levels[row.uid] = (said[0], row)
            found[row.uid] = Relevance(f"{said[0]}{_distance(purpose, row):06d}", said[1])
    comparable = sorted(
        (day, uid) for uid, (level, row) in levels.items()
        if level <= COMPARABLE and (day := dates.day_of(row.iso_date)) is not None and purpose.day is not None and day < purpose.day
    )  # fmt: skip
    if len(comparable) >= NAMED:
        for (_, uid), words in ((comparable[-1], "the most recent"), (comparable[0], "the oldest")):
            found[uid] = replace(found[uid], sentence=f"{found[uid].sentence}, {words}")
    return found


def relation(purpose: Purpose, row: StudyRow) -> tuple[int, str] | None:
    """(level, sentence) of one study; None when no rule fits, or when it is the study being read."""
    if row.uid == purpose.uid or not purpose.sites or row.kind == "ordered":  # what is still to be done is no prior
        return None
    kin, words = _kin(purpose, row)
    way = _way(purpose, row)
    level = LEVELS.get((kin, way))
    if level is None:
        return None
    if kin == "site" and way == "same" and _plain(purpose.title) == _plain(row.title):
        parts = ["Same exam"]
    else:
        parts = [words, *([SPOKEN.get(row.modality, row.modality)] if row.modality else [])]
    return level, ", ".join([*parts, _time(purpose, row)])


def _kin(purpose: Purpose, row: StudyRow) -> tuple[str, str]:
    """How the anatomy relates, and the words for it; an empty kin when it does not."""
    # A row that only the chart speaks of has regions alone.
    ours, theirs = set(purpose.sites), set(row.sites or row.regions)
    shared = (ours & theirs) | {site for site in theirs for held in ours & CONTAINS if REGION[site] == held} | {
        site for site in ours for held in theirs & CONTAINS if REGION[site] == held
    }  # fmt: skip
    opposite = {purpose.side, row.side} == {"L", "R"}
    if shared and not (opposite and shared <= PAIRED):
        return "site", "Same region"
    if shared:
        return "other side", f"Same region, other side ({'left' if row.side == 'L' else 'right'})"
    common = [region for region in row.regions if region in purpose.regions]
    if common and not opposite:
        return "part", f"{common[0]}, another part"
    if WHOLE in row.regions and row.modality in RELATED[WHOLE]:
        return "whole", WHOLE
    for region in purpose.regions:
        for neighbour in NEIGHBOURS.get(region, ()):
            if neighbour in row.regions and row.modality in RELATED[neighbour]:
                return "near", f"{neighbour}, next to the {region.lower()}"
    return "", ""


def _way(purpose: Purpose, row: StudyRow) -> str:
    wanted = SAME.get(purpose.modality, purpose.modality)
    if not wanted:
        return "any"
    if row.modality == wanted:
        return "same"
    kindred = [RELATED[region] for region in purpose.regions if region in RELATED]
    return "related" if any(wanted in family and row.modality in family for family in kindred) else "other"


def _distance(purpose: Purpose, row: StudyRow) -> int:
    day = dates.day_of(row.iso_date)
    return min(abs((purpose.day - day).days), FAR - 1) if purpose.day is not None and day is not None else FAR


def _time(purpose: Purpose, row: StudyRow) -> str:
    day = dates.day_of(row.iso_date)
    if day is None or purpose.day is None:
        return f"in {row.date}" if row.iso_date else "date unknown"
    if day == purpose.day:
        return "same day"
    earlier, later = sorted((day, purpose.day))
    return f"{dates.between(earlier, later)} {'before' if day < purpose.day else 'after'}"


def _plain(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", title.lower()).strip()
