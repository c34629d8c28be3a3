"""What else in a chart speaks of imaging: reports, orders, procedures, visits and outside documents, entry by entry.

Reads names, dates and numbers only: no conclusion, no attachment. Every entry's subject must be the launch's patient, or it
is withheld and counted; one bad entry never hides the good ones. FHIR R4; R5 names where EHRs already send them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from launch.errors import LaunchError
from smart_app.errors import AppError, OutboundError
from smart_app.fhir.client import FhirClient, FhirFailed
from smart_app.fhir.exams import coded, is_our_own, modality_words, says_imaging, title_of, words_of
from smart_app.fhir.imaging import ACCESSION_CODES, DICOM_UID, labels_of
from smart_app.fhir.wire import codings, items, moment_of, reference, text

KINDS = {"DiagnosticReport": "report", "ServiceRequest": "order", "Procedure": "procedure", "Encounter": "encounter", "DocumentReference": "document"}
NOTHING = frozenset({"cancelled", "entered-in-error", "revoked", "not-done", "superseded", "draft", "preparation", "planned", "stopped"})
"""Statuses under which a resource tells of no imaging: it was not done, or was taken back."""
ORDERS = frozenset({"", "order", "original-order", "reflex-order", "filler-order", "instance-order"})
OPEN = frozenset({"active", "on-hold"})
"""Statuses of an order that is still to be done."""
LETTERS = (("transfer", "transfer letter"), ("referral", "referral letter"), ("discharge", "discharge letter"))
LETTER_TYPES = {"18761-7": "transfer letter", "57133-1": "referral letter", "18842-5": "discharge letter"}
STUDY_DOCUMENTS = frozenset({"18748-4", "85430-7", "68604-8"})
URGENT = frozenset({"urgent", "asap", "stat"})


@dataclass(frozen=True)
class Piece:
    """One resource that speaks of one imaging study. Fields as in `archives.types.EvidenceRecord`."""

    kind: str
    reference: str
    title: str = ""
    date: str | None = None
    time: str | None = None
    dated: str = "done"
    modalities: tuple[str, ...] = ()
    body_parts: tuple[str, ...] = ()
    accessions: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()
    organization: str | None = None
    status: str | None = None
    urgent: bool = False
    orders: tuple[str, ...] = ()
    wording: str = ""
    confidentiality: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spoken:
    """All that one kind of resource told. `failure` came after what was already read; with nothing read it is raised instead."""

    pieces: tuple[Piece, ...] = ()
    withheld: int = 0
    unreadable: int = 0
    complete: bool = True
    failure: AppError | LaunchError | None = None


def evidence_of(client: FhirClient, resource: str, patient_id: str, *, is_uid: Callable[[object], bool], deadline: float) -> Spoken:
    """What all of the patient's `resource` say of imaging, within `deadline` seconds.

    :raises OutboundError, LaunchError: nothing could be read (FhirRefused: the EHR did not allow it).
    """
    pieces: list[Piece] = []
    withheld = unreadable = 0
    complete, failure, begun = True, None, False
    try:
        for page in _pages(client, resource, patient_id, deadline):
            begun, complete = True, complete and not page.ended
            for entry in page.entries:
                found = entry.get("resource") if isinstance(entry, Mapping) else None
                kind = found.get("resourceType") if isinstance(found, Mapping) else None
                if not isinstance(found, Mapping) or kind is None:
                    unreadable += 1
                elif kind == "OperationOutcome":
                    complete = complete and all(issue.get("severity") == "information" for issue in items(found.get("issue")))
                elif kind != resource:
                    continue
                elif not _is_of(found, patient_id, client.base):
                    withheld += 1
                elif resource != "DocumentReference" and not text(found.get("status")):
                    unreadable += 1
                else:
                    pieces += pieces_of(found, client.base, is_uid)
    except (OutboundError, LaunchError) as error:
        if not begun:
            raise
        failure = error
    return Spoken(tuple(pieces), withheld, unreadable, complete and failure is None, failure)


def pieces_of(resource: Mapping[str, Any], base: str, is_uid: Callable[[object], bool]) -> tuple[Piece, ...]:
    """What one resource, already known to be the patient's, says of imaging: nothing, or a piece a study it names."""
    kind = KINDS.get(str(resource.get("resourceType")), "")
    identity, status = text(resource.get("id")), text(resource.get("status"))
    if not kind or identity is None or status in NOTHING or is_our_own(resource) or text(resource.get("docStatus")) == "entered-in-error":
        return ()
    ids = _ids(resource, base, is_uid)
    first = Piece(kind, f"{resource['resourceType']}/{identity}", status=status, orders=_orders(resource, base), confidentiality=labels_of(resource))
    piece = READERS[kind](resource, first, ids)
    return tuple(_one_each(piece, ids)) if piece is not None else ()


@dataclass(frozen=True)
class _Ids:
    """Each entry is one place of the resource that names a study: its accession number, its UID, or both."""

    accessions: tuple[str, ...] = ()
    studies: tuple[str, ...] = ()


def _pages(client: FhirClient, resource: str, patient_id: str, deadline: float) -> Iterator[Any]:
    begun = False
    try:
        for page in client.search(resource, [("patient", patient_id), ("_count", "200")], deadline=deadline):
            begun = True
            yield page
    except FhirFailed as error:
        if begun or error.status not in (400, 422, 501):
            raise
        # Some servers refuse a search for one parameter they do not know.
        yield from client.search(resource, [("patient", patient_id)], deadline=deadline)


def _is_of(resource: Mapping[str, Any], patient_id: str, base: str) -> bool:
    subjects = [resource[name] for name in ("subject", "patient") if name in resource]
    return bool(subjects) and all(reference(subject, base) == ("Patient", patient_id) for subject in subjects)


def _report(raw: Mapping[str, Any], piece: Piece, ids: _Ids) -> Piece | None:
    imaging, modalities = coded(raw.get("category"), raw.get("code"))
    words = words_of(raw.get("code"))
    # A laboratory has accession numbers too: a number alone does not make a report one of imaging.
    if not (imaging or ids.studies or says_imaging(raw.get("category"))) and (raw.get("category") or not modality_words(" ".join(words))):
        return None
    date, time, dated = _done(raw, "effective")
    if date is None:
        date, time, _ = moment_of(raw.get("issued"))
        dated = "written"
    return _described(piece, words, modalities, raw, date, time, dated, _organization(raw, "performer", "resultsInterpreter"))


def _order(raw: Mapping[str, Any], piece: Piece, ids: _Ids) -> Piece | None:
    imaging, modalities = coded(raw.get("category"), raw.get("code"))
    words = words_of(raw.get("code"))
    if piece.status not in OPEN | {"completed"} or (text(raw.get("intent")) or "") not in ORDERS or raw.get("doNotPerform") is True:
        return None
    if not (imaging or says_imaging(raw.get("category"))) and (raw.get("category") or not modality_words(" ".join(words))):
        return None
    date, time, dated = _done(raw, "occurrence")
    if date is None:
        date, time, _ = moment_of(raw.get("authoredOn"))
        dated = "ordered"
    found = _described(piece, words, modalities, raw, date, time, dated, _organization(raw, "performer"))
    return replace(found, urgent=text(raw.get("priority")) in URGENT)


def _procedure(raw: Mapping[str, Any], piece: Piece, ids: _Ids) -> Piece | None:
    imaging, modalities = coded(raw.get("category"), raw.get("code"))
    words = words_of(raw.get("code"))
    if piece.status != "completed" or not (imaging or ids.studies or says_imaging(raw.get("category")) or modality_words(" ".join(words))):
        return None
    date, time, dated = _done(raw, "performed" if any(name.startswith("performed") for name in raw) else "occurrence")
    actors = [actor for one in items(raw.get("performer")) for actor in (one.get("onBehalfOf"), one.get("actor")) if actor]
    return _described(piece, words, modalities, raw, date, time, dated, _organization({**raw, "actors": actors}, "actors"))


def _encounter(raw: Mapping[str, Any], piece: Piece, ids: _Ids) -> Piece | None:
    """A visit that was for imaging, by its type; a reason may speak of an older scan, and is not read."""
    words = words_of(raw.get("type"), raw.get("serviceType"))
    modalities = modality_words(" ".join(words))
    if piece.status not in ("finished", "completed") or not modalities:
        return None
    period = raw.get("period") or raw.get("actualPeriod")
    date, time, _ = moment_of(period.get("start") if isinstance(period, Mapping) else None)
    return _described(piece, words, modalities, raw, date, time, "done", _organization(raw, "serviceProvider"))


def _document(raw: Mapping[str, Any], piece: Piece, ids: _Ids) -> Piece | None:
    types = {text(coding.get("code")) or "" for coding in codings(raw.get("type"))}
    attached = [text(attachment.get("title")) for one in items(raw.get("content")) for attachment in items(one.get("attachment"))]
    words = words_of(raw.get("type"))
    description = text(raw.get("description"))
    said = " ".join(word for word in (*words, description, *attached) if word)
    letter = next((LETTER_TYPES[code] for code in types if code in LETTER_TYPES), "")
    wording = letter or next((wording for word, wording in LETTERS if word in said.lower()), "outside document")
    # A discharge letter that only mentions a scan names none; a number, or a document about one study, does.
    if not (ids.accessions or ids.studies or types & STUDY_DOCUMENTS):
        return None
    context = next(iter(items(raw.get("context"))), {})
    date, time, dated = _done(context, "period")
    if date is None:
        date, time, _ = moment_of(raw.get("date"))
        dated = "written"
    titles = sorted((word for word in (*words, description, *attached) if word), key=lambda word: not modality_words(word))
    found = _described(piece, titles, (), {"bodySite": context.get("event")}, date, time, dated, _sender(raw, context))
    return replace(found, wording=wording)


READERS: Mapping[str, Callable[[Mapping[str, Any], Piece, _Ids], Piece | None]] = {
    "report": _report, "order": _order, "procedure": _procedure, "encounter": _encounter, "document": _document,
}  # fmt: skip


def _described(
    piece: Piece, words: list[str], modalities: tuple[str, ...], raw: Mapping[str, Any], date: str | None, time: str | None, dated: str, organization: str | None
) -> Piece:
    title = title_of(words)
    parts = [part for coding in codings(raw.get("bodySite")) for part in (text(coding.get("code")), text(coding.get("display"))) if part]
    parts += [said for item in items(raw.get("bodySite")) if (said := text(item.get("text")))]
    return replace(
        piece, title=title, modalities=modalities or modality_words(title), body_parts=tuple(dict.fromkeys(parts)), date=date, time=time, dated=dated,
        organization=organization,
    )  # fmt: skip


def _done(raw: Mapping[str, Any], name: str) -> tuple[str | None, str | None, str]:
    """When it was done: `<name>DateTime`, or the start of `<name>Period` or of `<name>` itself."""
    for value in (raw.get(f"{name}DateTime"), *(raw.get(key, {}).get("start") for key in (f"{name}Period", name) if isinstance(raw.get(key), Mapping))):
        date, time, _ = moment_of(value)
        if date:
            return date, time, "done"
    return None, None, "done"


def _ids(raw: Mapping[str, Any], base: str, is_uid: Callable[[object], bool]) -> _Ids:
    accessions: dict[str, None] = {}
    studies: dict[str, None] = {}
    context = next(iter(items(raw.get("context"))), {})
    # `study` and `imagingStudy` are a report's; `related` is a document's, in R5 beside its context.
    links = [*items(raw.get("imagingStudy")), *items(raw.get("study")), *items(context.get("related")), *items(raw.get("related"))]
    identifiers = [*items(raw.get("identifier")), *(one for link in [*links, *items(raw.get("basedOn"))] for one in items(link.get("identifier")))]
    for one in identifiers:
        value = text(one.get("value"))
        uid = (value or "").removeprefix("urn:oid:")
        if text(one.get("system")) == DICOM_UID:
            studies |= {uid: None} if is_uid(uid) else {}
        elif value and _is_accession(one):
            accessions[value] = None
    for link in links:
        known = reference(link, base)
        if known and known[0] == "ImagingStudy":
            studies["/".join(known)] = None
    return _Ids(tuple(accessions), tuple(studies))


def _is_accession(identifier: Mapping[str, Any]) -> bool:
    codes = {str(coding.get("code")) for coding in codings(identifier.get("type"))}
    return bool(codes & ACCESSION_CODES) or (not codes and "accession" in (text(identifier.get("system")) or "").lower())


def _one_each(piece: Piece, ids: _Ids) -> Iterator[Piece]:
    """A letter may name several studies. Which number goes with which UID is not said, so the longer list tells how many there are."""
    if (len(ids.accessions) <= 1 and len(ids.studies) <= 1) or piece.kind != "document":
        yield replace(piece, accessions=ids.accessions, studies=ids.studies)
    elif len(ids.accessions) > len(ids.studies):
        for accession in ids.accessions:
            yield replace(piece, accessions=(accession,))
    else:
        for study in ids.studies:
            yield replace(piece, studies=(study,))


def _orders(raw: Mapping[str, Any], base: str) -> tuple[str, ...]:
    context = next(iter(items(raw.get("context"))), {})
    known = [reference(one, base) for one in [*items(raw.get("basedOn")), *items(context.get("related"))]]
    return tuple("/".join(one) for one in known if one and one[0] == "ServiceRequest")


def _organization(raw: Mapping[str, Any], *names: str) -> str | None:
    """The first of these references that is an organization; a person's name is nobody's hospital."""
    inside = {f"#{one.get('id')}": text(one.get("name")) for one in items(raw.get("contained")) if one.get("resourceType") == "Organization"}
    for one in (one for name in names for one in items(raw.get(name))):
        target = text(one.get("reference")) or ""
        if target in inside:
            return inside[target]
        if text(one.get("type")) == "Organization" or "Organization/" in target:
            return text(one.get("display"))
    return None


def _sender(raw: Mapping[str, Any], context: Mapping[str, Any]) -> str | None:
    """Who wrote it, else who keeps the patient's record there; the custodian may be the EHR that filed it, and comes last."""
    source = next(iter(items(context.get("sourcePatientInfo"))), {})
    assigner = next((text(inner.get("display")) for one in items(source.get("identifier")) for inner in items(one.get("assigner"))), None)
    custodian = next((text(one.get("display")) for one in items(raw.get("custodian"))), None)
    return _organization(raw, "author") or assigner or custodian
