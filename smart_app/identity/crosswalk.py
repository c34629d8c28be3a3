"""The chart's identifiers -> Patient IDs in an archive's own namespace, by configuration alone.

An archive is asked only with an identifier whose system is mapped to it: the same number at two hospitals is two people.
Retired identifiers are not asked with, since a number may be given out again; what that may hide is said.
"""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.archives.qido import MAX_IDS
from smart_app.archives.records import usable
from smart_app.archives.registry import ConfiguredArchive
from smart_app.archives.types import PatientId
from smart_app.fhir.patient import PatientFacts
from smart_app.identity import placeholders


@dataclass(frozen=True)
class Crossed:
    """How one archive knows the patient, as far as the chart can tell."""

    ids: tuple[PatientId, ...] = ()
    retired: int = 0
    """Identifiers of this namespace that are no longer valid and are not asked with."""
    unusable: int = 0
    """Identifiers that cannot stand in a search, for instance with a wildcard; placeholders; also those beyond the bound."""

    @property
    def whole(self) -> bool:
        """Whether asking with `ids` asks for everything the chart knows of this patient there."""
        return bool(self.ids) and not self.retired and not self.unusable

    @property
    def notes(self) -> tuple[str, ...]:
        found = []
        if self.retired:
            found.append("The chart also holds a retired identifier for it, which was not asked with. Older studies kept there may be missing.")
        if self.unusable:
            found.append("The chart also holds an identifier for it that cannot be asked with. Studies kept under it may be missing.")
        return tuple(found)


def crossed(facts: PatientFacts, archive: ConfiguredArchive) -> Crossed:
    """The Patient IDs to ask `archive` with, in the chart's order; none means it is not asked."""
    systems = frozenset(archive.settings.identifier_systems)
    ids: dict[PatientId, None] = {}
    retired: dict[str, None] = {}
    unusable: dict[str, None] = {}
    for identifier in facts.identifiers:
        if identifier.system not in systems:
            continue
        if identifier.is_retired:
            retired[identifier.value] = None
        elif not usable(identifier.value) or placeholders.is_identifier(identifier.value) or len(ids) >= MAX_IDS:
            unusable[identifier.value] = None
        else:
            ids[PatientId(identifier.value, archive.issuer)] = None
    current = {identifier.value for identifier in ids}
    return Crossed(tuple(ids), len(retired.keys() - current), len(unusable.keys() - current))
