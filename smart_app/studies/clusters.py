"""Several pieces of evidence for one study become one cluster: a report, its order and the letter about it. Pure.

Joined by Study UID, by accession number, or by the order fulfilled. By day, modality and region only pieces of different
kinds are joined: two reports of one day are two studies until a number says otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from smart_app.archives.types import EvidenceRecord
from smart_app.studies.likeness import Days, exams_differ, in_window, modalities_of, same_place
from smart_app.studies.regions import regions_of

OPEN = frozenset({"active", "on-hold"})
TELLING = ("report", "procedure", "order", "document", "encounter")
"""Whose title and modality describe the study best, first."""
DATING = {"done": 0, "written": 1, "ordered": 2}


@dataclass(frozen=True)
class Cluster:
    """What is said of one study. Never empty."""

    pieces: tuple[EvidenceRecord, ...]

    @cached_property
    def told(self) -> tuple[EvidenceRecord, ...]:
        """Best described first."""
        return tuple(sorted(self.pieces, key=lambda one: (TELLING.index(one.kind) if one.kind in TELLING else len(TELLING), one.reference)))

    @cached_property
    def kinds(self) -> frozenset[str]:
        return frozenset(one.kind for one in self.pieces)

    @cached_property
    def studies(self) -> frozenset[str]:
        return frozenset(study for one in self.pieces for study in one.studies)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What a listed study may bear too: its UID, its ImagingStudy, its order, its accession number."""
        return tuple(dict.fromkeys(key for one in self.pieces for key in _keys(one)))

    @cached_property
    def uid(self) -> str | None:
        """The Study Instance UID it names; None when it names none, or several."""
        found = {study for study in self.studies if "/" not in study}
        return found.pop() if len(found) == 1 else None

    @cached_property
    def is_open(self) -> bool:
        """Ordered and not done: nothing but orders, none of them completed."""
        return all(one.kind == "order" and one.status in OPEN for one in self.pieces)

    @cached_property
    def title(self) -> str:
        return next((one.title for one in self.told if one.title), "")

    @cached_property
    def modalities(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(code for one in self.told for code in one.modalities))

    @cached_property
    def regions(self) -> tuple[str, ...]:
        return regions_of((part for one in self.told for part in one.body_parts), self.title)

    @cached_property
    def organization(self) -> str | None:
        return next((one.organization for one in self.told if one.organization), None)

    @cached_property
    def dating(self) -> EvidenceRecord:
        """The piece whose date is nearest to the study's own."""
        return min(self.told, key=lambda one: (one.date is None, DATING.get(one.dated, 9)))


def clustered(evidence: Iterable[EvidenceRecord]) -> tuple[Cluster, ...]:
    """One cluster a study, the same whatever the order in which the pieces came."""
    pieces = sorted({one.reference + "|".join((*one.studies, *one.accessions)): one for one in evidence}.values(), key=_best_identified)
    groups: list[list[EvidenceRecord]] = []
    by_key: dict[str, list[list[EvidenceRecord]]] = {}
    for piece in pieces:
        near = [group for key in _keys(piece) for group in by_key.get(key, ())]
        joined = [group for at, group in enumerate(near) if group and group not in near[:at] and any(_surely(piece, one) for one in group)]
        group = joined[0] if joined else []
        if not joined:
            groups.append(group)
        for other in joined[1:]:  # this piece ties together what was apart
            group.extend(other)
            for key in (key for one in other for key in _keys(one)):
                by_key.setdefault(key, []).append(group)
            other.clear()
        group.append(piece)
        for key in _keys(piece):
            by_key.setdefault(key, []).append(group)
    return _loosely([Cluster(tuple(group)) for group in groups if group])


def _keys(piece: EvidenceRecord) -> Iterator[str]:
    """Whatever two pieces of one study can have in common for sure."""
    yield piece.reference
    yield from piece.orders
    yield from piece.studies
    yield from (f"number {number}" for number in piece.accessions)


def _best_identified(one: EvidenceRecord) -> tuple[bool, bool, str, str]:
    return (not one.studies, not one.accessions, one.date or "", one.reference)


def _surely(one: EvidenceRecord, other: EvidenceRecord) -> bool:
    if set(one.studies) & set(other.studies) or one.reference in other.orders or other.reference in one.orders:
        return True
    if one.studies and other.studies and not any("/" in study for study in (*one.studies, *other.studies)):
        return False  # both name studies by UID, and not the same
    same_namespace = one.organization is None or other.organization is None or same_place(one.organization, other.organization)
    return bool(set(one.accessions) & set(other.accessions)) and same_namespace


def _loosely(clusters: list[Cluster]) -> tuple[Cluster, ...]:
    found: list[Cluster] = []
    days: Days[int] = Days()
    for cluster in clusters:
        at = next((at for at in days.near(cluster.dating.date) if _may_be_one(cluster, found[at])), None)
        if at is None:
            days.add(cluster.dating.date, len(found))
            found.append(cluster)
        else:
            found[at] = Cluster((*found[at].pieces, *cluster.pieces))
            days.add(cluster.dating.date, at)
    return tuple(found)


def _may_be_one(one: Cluster, other: Cluster) -> bool:
    """An open order is never folded into what was done: that it is still open says so."""
    if one.kinds & other.kinds or one.is_open or other.is_open or (one.studies and other.studies):
        return False
    if one.organization and other.organization and not same_place(one.organization, other.organization):
        return False
    accessions = [{number for piece in cluster.pieces for number in piece.accessions} for cluster in (one, other)]
    if all(accessions) or exams_differ(one.title, other.title):
        return False
    if not modalities_of(one.modalities) & modalities_of(other.modalities) or not set(one.regions) & set(other.regions):
        return False
    a, b = one.dating, other.dating
    return in_window(a.date, a.dated, b.date) or in_window(b.date, b.dated, a.date)
