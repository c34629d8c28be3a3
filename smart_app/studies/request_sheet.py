"""What a request for images says before a person has touched it: filled in from the row it was opened from. Pure."""

from __future__ import annotations

from smart_app.archives.dicom_json import is_uid
from smart_app.image_requests.form import REGIONS, Prefill, window
from smart_app.image_requests.types import Urgency
from smart_app.studies.evidence import NOT_STATED
from smart_app.studies.rows import StudyRow

FROM_THE_LIST = "Filled in from the list."
EMPTY = Prefill("Request images from another hospital", "Say what is wanted, and from whom.")


def prefill_of(row: StudyRow | None) -> Prefill:
    if row is None:
        return EMPTY
    known = row.date if row.iso_date else ""
    start, end = window(row.iso_date)
    return Prefill(
        heading="Request: " + ", ".join(part for part in (row.title, known) if part),
        source=_source(row),
        title=row.title,
        modality=row.modality,
        region=next((region for region in row.regions if region in REGIONS), ""),
        date_from=start,
        date_to=end,
        accession=row.accession,
        study_uid=row.uid if is_uid(row.uid) else "",
        hospital="" if row.hospital == NOT_STATED else row.hospital,
        missing=" ".join(row.missing) if row.missing else f"{row.count} are here; the rest is asked for." if row.count_state == "part" else "",
        urgency=Urgency.EMERGENCY if row.urgent else Urgency.TODAY if row.when.startswith("today") else Urgency.ROUTINE,
        thin=row.modality in ("CT", "PT"),
        about=row.uid,
        kind=row.kind,
    )


def _source(row: StudyRow) -> str:
    if row.kind == "known" and row.note.startswith("Named in "):
        named = row.note.removeprefix("Named in ").partition(";")[0].partition(".")[0]
        return f"Filled in from {named}."
    return FROM_THE_LIST
