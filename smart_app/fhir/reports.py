"""DiagnosticReport -> which studies have a report, in which status, and what each report says was done. Reads no conclusion.

A report whose subject is not the launch's patient is withheld and counted. FHIR R4 DiagnosticReport.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from smart_app.fhir.client import FhirClient
from smart_app.fhir.evidence import Piece, pieces_of
from smart_app.fhir.imaging import ACCESSION_CODES, DICOM_UID
from smart_app.fhir.wire import codings, items, reference, text


@dataclass(frozen=True)
class ChartReport:
    status: str
    studies: tuple[str, ...]
    """`ImagingStudy/{id}` or Study Instance UIDs."""
    accessions: tuple[str, ...]


@dataclass(frozen=True)
class ChartReports:
    reports: tuple[ChartReport, ...]
    withheld: int = 0
    unreadable: int = 0
    complete: bool = True
    pieces: tuple[Piece, ...] = ()
    """What the reports of imaging speak of, also those that name no study."""


def reports_of(client: FhirClient, patient_id: str, *, is_uid: Callable[[object], bool], deadline: float) -> ChartReports:
    """Reports of the patient: those that name a study or an accession number, and what those of imaging speak of.

    :raises OutboundError, LaunchError: they could not be read (FhirRefused: the EHR did not allow it).
    """
    found: list[ChartReport] = []
    pieces: list[Piece] = []
    withheld = unreadable = 0
    complete = True
    for page in client.search("DiagnosticReport", [("patient", patient_id), ("_count", "200")], deadline=deadline):
        complete = complete and not page.ended
        for entry in page.entries:
            resource = entry.get("resource") if isinstance(entry, Mapping) else None
            if not isinstance(resource, Mapping):
                unreadable += 1
            elif resource.get("resourceType") != "DiagnosticReport":
                continue
            elif reference(resource.get("subject"), client.base) != ("Patient", patient_id):
                withheld += 1
            else:
                pieces += pieces_of(resource, client.base, is_uid)
                if (report := report_in(resource, client.base, is_uid)) is not None:
                    found.append(report)
    return ChartReports(tuple(found), withheld, unreadable, complete, tuple(pieces))


def report_in(resource: Mapping[str, Any], base: str, is_uid: Callable[[object], bool]) -> ChartReport | None:
    """Which studies and accession numbers a report names, and its status; None when it names none."""
    studies: dict[str, None] = {}
    # `study` is the R5 name of `imagingStudy`.
    for one in items(resource.get("imagingStudy")) + items(resource.get("study")):
        known = reference(one, base)
        if known and known[0] == "ImagingStudy":
            studies["/".join(known)] = None
        studies |= _uids(one.get("identifier"), is_uid)
    # Some EHRs have no ImagingStudy to refer to: their report itself bears the Study Instance UID as an identifier.
    studies |= _uids(resource.get("identifier"), is_uid)
    candidates = items(resource.get("identifier")) + [inner for order in items(resource.get("basedOn")) for inner in items(order.get("identifier"))]
    accessions = tuple(
        value
        for one in candidates
        if ACCESSION_CODES & {str(coding.get("code")) for coding in codings(one.get("type"))} and (value := text(one.get("value")))
    )
    status = text(resource.get("status"))
    return ChartReport(status or "unknown", tuple(studies), accessions) if studies or accessions else None


def _uids(identifiers: Any, is_uid: Callable[[object], bool]) -> dict[str, None]:
    found: dict[str, None] = {}
    for identifier in items(identifiers):
        uid = (text(identifier.get("value")) or "").removeprefix("urn:oid:")
        if identifier.get("system") == DICOM_UID and is_uid(uid):
            found[uid] = None
    return found
