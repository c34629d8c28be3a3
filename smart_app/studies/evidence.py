"""The join of what a chart speaks of with what is held: rows that are 'known, no images', and open orders. Pure.

A piece of evidence is of a listed study if it names its UID, its ImagingStudy or its accession number in the same namespace;
else only if day, modality and region fit and nothing contradicts. What fits nothing is a row of its own, which claims no
more than the sources that answered have told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

from smart_app.archives.types import Answer, EvidenceRecord, StudyRecord
from smart_app.sources.base import CHART, owner
from smart_app.studies import dates
from smart_app.studies.clusters import Cluster, clustered
from smart_app.studies.likeness import Days, exams_differ, in_window, modalities_of, shares_numbers
from smart_app.studies.merge import BOX, NAMES, PRIMARY, REASONS, REPORT_RANK, REPORT_WORDS, reports_whole
from smart_app.studies.regions import regions_of
from smart_app.studies.rows import RowSource, StudyRow
from smart_app.studies.standing import Standing

NOT_STATED = "Hospital not stated"
NAMED_IN = {"report": "a report", "order": "an order marked done", "procedure": "a procedure in the chart", "encounter": "a visit", "document": "an outside document"}
SPEAKING = ("document", "report", "procedure", "encounter", "order")


@dataclass(frozen=True)
class Whose:
    """What the join must know of the launch. `token` makes a row's opaque name for a request from its uid."""

    own: frozenset[str]
    """The chart's own organizations, as `likeness.plain` gives them: their numbers are the local archives'."""
    local: frozenset[str]
    token: Callable[[str], str]
    today: date


def with_evidence(rows: tuple[StudyRow, ...], answers: Iterable[Answer], standing: Standing, whose: Whose) -> tuple[StudyRow, ...]:
    """All rows, newest first: the given ones, marked where nobody has their images, and those that only evidence names."""
    kept = tuple(answers)
    records: dict[str, list[StudyRecord]] = {}
    for record in (record for answer in kept for record in answer.studies):
        records.setdefault(record.uid, []).append(record)
    disputed = {uid for answer in kept if not answer.source.startswith(CHART) for uid in answer.withheld_studies}
    clusters = clustered(one for answer in kept for one in answer.evidence or ())
    reports_read = reports_whole(kept)
    chart = next(((answer.source, answer.name) for answer in kept if answer.evidence is not None), ("", ""))
    source = (owner(chart[0]), chart[1])
    more = [_known(one, standing, whose, disputed, source, reports_read) for one in _unheld(clusters, records, whose)]
    marked = [_marked(row, records.get(row.uid, []), standing, whose, row.uid in disputed) for row in rows]
    found = {row.uid: row for row in (*(row for row in more if row is not None), *marked)}
    return tuple(sorted(found.values(), key=lambda row: (row.sort, row.uid), reverse=True))


@dataclass(frozen=True)
class Listed:
    """A listed study as all its sources tell it."""

    uid: str
    told: tuple[StudyRecord, ...]

    @cached_property
    def title(self) -> str:
        return next((record.description for record in self.told if record.description), "")

    @cached_property
    def modalities(self) -> frozenset[str]:
        return modalities_of(code for record in self.told for code in record.modalities)

    @cached_property
    def regions(self) -> frozenset[str]:
        return frozenset(regions_of((part for record in self.told for part in record.body_parts), self.title))

    def names(self) -> Iterator[str]:
        """What evidence that is of this study for sure may name."""
        yield self.uid
        for record in self.told:
            yield from record.orders
            yield from (name for name in (record.fhir_id, f"number {record.accession}") if name)


def _unheld(clusters: Iterable[Cluster], records: Mapping[str, list[StudyRecord]], whose: Whose) -> Iterator[Cluster]:
    """Clusters that are of no listed study. A study is given by day and region to one piece of each kind only."""
    by_name: dict[str, list[Listed]] = {}
    days: Days[Listed] = Days()
    for study in (Listed(uid, tuple(told)) for uid, told in records.items()):
        for name in set(study.names()):
            by_name.setdefault(name, []).append(study)
        for day in {record.date for record in study.told}:
            days.add(day, study)
    taken: dict[str, set[str]] = {}
    loose: list[Cluster] = []
    for cluster in clusters:
        sure = [study for name in cluster.names for study in by_name.get(name, ()) if surely(cluster, study, name, whose)]
        for study in sure:
            taken.setdefault(study.uid, set()).update(cluster.kinds)
        if not sure:
            loose.append(cluster)
    for cluster in loose:
        near = {study.uid: study for study in days.near(cluster.dating.date)}.values()
        fits = [study for study in near if not taken.get(study.uid, set()) & cluster.kinds and may_be(cluster, study, whose)]
        if fits:
            best = min(fits, key=lambda study: (_far(cluster, study), study.uid))
            taken.setdefault(best.uid, set()).update(cluster.kinds)
        else:
            yield cluster


def surely(cluster: Cluster, study: Listed, name: str, whose: Whose) -> bool:
    """Whether `name`, which both bear, makes the evidence this study's. All names do but a number, which is one hospital's own."""
    if not name.startswith("number "):
        return True
    return any(_same_number(piece, record, cluster.uid is not None, whose) for piece in cluster.pieces for record in study.told)


def _same_number(piece: EvidenceRecord, record: StudyRecord, other_uid: bool, whose: Whose) -> bool:
    """The same accession number, of one hospital. Of two, or under another UID, it is chance unless day and modality agree."""
    if not record.accession or record.accession not in piece.accessions:
        return False
    if not other_uid and shares_numbers(piece.organization, record, whose.own, whose.local):
        return True
    alike = not piece.modalities or bool(modalities_of(piece.modalities) & modalities_of(record.modalities))
    return alike and in_window(piece.date, piece.dated, record.date)


def may_be(cluster: Cluster, study: Listed, whose: Whose) -> bool:
    if cluster.is_open or cluster.uid is not None or not any(in_window(cluster.dating.date, cluster.dating.dated, record.date) for record in study.told):
        return False
    for piece in cluster.pieces:
        for record in study.told:
            if piece.accessions and record.accession and shares_numbers(piece.organization, record, whose.own, whose.local):
                return False  # both numbers are of one hospital, and they differ
    if exams_differ(cluster.title, study.title):
        return False
    return bool(modalities_of(cluster.modalities) & study.modalities and study.regions & set(cluster.regions))


def _far(cluster: Cluster, study: Listed) -> tuple[bool, bool]:
    """Which of several fitting studies comes first: the one called the same, then the one of the very day."""
    titles = {(record.description or "").lower() for record in study.told}
    return cluster.title.lower() not in titles, cluster.dating.date not in {record.date for record in study.told}


def _known(
    cluster: Cluster, standing: Standing, whose: Whose, disputed: set[str], source: tuple[str, str], reports_read: bool
) -> StudyRow | None:
    dating = cluster.dating
    if dating.date and dating.date > whose.today.isoformat()[: len(dating.date)]:
        return None  # planned: there is nothing to look at, and nothing to ask for
    if standing.is_awaited(cluster.organization, whose.own):
        return None  # who most likely has it has not answered: a row now would be gone in a moment
    uid = cluster.uid or "known-" + hashlib.sha256("|".join(sorted(one.reference + "".join(one.accessions) for one in cluster.pieces)).encode()).hexdigest()[:24]
    codes = tuple(dict.fromkeys(BOX.get(code, code) for code in cluster.modalities))
    box = next((code for code in PRIMARY if code in codes), codes[0] if codes else "")
    place = cluster.organization or NOT_STATED
    is_disputed = uid in disputed
    statuses = [one.status or "" for one in cluster.pieces if one.kind == "report"]
    words = {REPORT_WORDS.get(status, "Report") for status in statuses}
    if cluster.is_open:
        count, note = "Ordered, not done", "The order is still open in the chart."
    elif is_disputed:
        count, note = "Withheld", REASONS["disputed"]
    else:
        count, note = standing.word, standing.sentence(named_in(cluster))
    return StudyRow(
        uid=uid,
        archive=None,
        sort=dates.sort_key(dating.date, dating.time),
        date=dates.in_words(dating.date),
        iso_date=dating.date or "",
        when=dates.since(dating.date, dating.time, whose.today),
        modality=box,
        modalities=codes,
        title=cluster.title or f"{NAMES.get(box, box) or 'Imaging'}, not described",
        hospital=place,
        regions=cluster.regions,
        count=count,
        count_state="unknown",
        report="" if cluster.is_open else next((word for word in REPORT_RANK if word in words), "No report" if reports_read else ""),
        sources=(RowSource(*source, place),),
        note=note,
        kind="ordered" if cluster.is_open else "known",
        accession=next((number for one in cluster.told for number in one.accessions), ""),
        request="" if cluster.is_open or is_disputed else f"request?of={whose.token(uid)}",
    )


def named_in(cluster: Cluster) -> str:
    """`Named in the transfer letter and a report`."""
    spoken = sorted(cluster.pieces, key=lambda one: SPEAKING.index(one.kind) if one.kind in SPEAKING else len(SPEAKING))
    words = list(dict.fromkeys(f"the {one.wording}" if one.wording.endswith("letter") else NAMED_IN.get(one.kind, "the chart") for one in spoken))
    return "Named in " + (words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}")


def _marked(row: StudyRow, told: list[StudyRecord], standing: Standing, whose: Whose, is_disputed: bool) -> StudyRow:
    """A listed study whose images nobody has: only the chart names it, and no archive holds it for Priors to fetch."""
    request = f"request?of={whose.token(row.uid)}"
    row = replace(row, accession=next((record.accession for record in told if record.accession), ""))
    counted = f"{row.count}." if row.count != "Count unknown" else ""
    if not told or is_disputed or not all(record.source.startswith(CHART) for record in told):
        return replace(row, request=request) if row.count_state == "part" else row
    if row.archive is None:
        note = " ".join(part for part in (row.note, counted, standing.doubt) if part)
        return replace(row, kind="known", count=standing.word, note=note, request=request)
    if row.archive in standing.whole:
        # An archive may hold what its list does not give, so the way there stays open.
        first = f"The chart says that it is kept at {standing.names.get(row.archive, row.archive)}, which answered and does not list it."
        note = " ".join(part for part in (first, counted, standing.doubt) if part)
        return replace(row, kind="known", count=standing.word, note=note, request=request)
    return row
