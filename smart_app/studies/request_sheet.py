"""What a request for images says before a person has touched it: filled in from the row it was opened from. Pure.

It is a sheet to print or text to copy. Nothing is stored, and nothing is sent from here.
"""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.fhir.patient import PatientFacts
from smart_app.studies.evidence import NOT_STATED
from smart_app.studies.rows import StudyRow

URGENCIES = ("Emergency", "Today", "Routine")
FROM_THE_LIST = "Filled in from the list."
EMPTY = "Say what is wanted, and from whom."


@dataclass(frozen=True)
class Sheet:
    """Prefilled values; every one may be changed by the person before it is printed or copied."""

    title: str
    source: str
    """Where the values come from, a sentence."""
    who: tuple[tuple[str, str], ...]
    """Label and value of what identifies the patient and who asks."""
    what: str = ""
    date: str = ""
    accession: str = ""
    hospital: str = ""
    missing: str = ""
    urgency: str = "Routine"
    thin: bool = False
    """Thin slices are known to be missing, or the study is a CT: ask for them, since without them CT is done again."""
    why: str = "Needed for treatment: comparison with earlier imaging"


def sheet_of(row: StudyRow | None, facts: PatientFacts, *, asked_by: str, born: str) -> Sheet:
    who = (
        ("Patient", facts.name), ("Born", born), ("Sex", facts.sex or "unknown"), ("MRN here", facts.mrn or "none in the chart"), ("Asked by", asked_by or "not stated"),
    )  # fmt: skip
    if row is None:
        return Sheet("Request images from another hospital", EMPTY, who)
    known = row.date if row.iso_date else ""
    return Sheet(
        title="Request: " + ", ".join(part for part in (row.title, known) if part),
        source=_source(row),
        who=who,
        what=row.title,
        date=known,
        accession=row.accession,
        hospital="" if row.hospital == NOT_STATED else row.hospital,
        missing=" ".join(row.missing) if row.missing else f"{row.count} are here; the rest is asked for." if row.count_state == "part" else "",
        urgency="Emergency" if row.urgent else "Today" if row.when.startswith("today") else "Routine",
        thin=row.modality in ("CT", "PT"),
    )


def _source(row: StudyRow) -> str:
    if row.kind == "known" and row.note.startswith("Named in "):
        named = row.note.removeprefix("Named in ").partition(";")[0].partition(".")[0]
        return f"Filled in from {named}."
    return FROM_THE_LIST
