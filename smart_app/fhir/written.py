"""What was written about imaging: DiagnosticReport and DocumentReference with their words and attachments, undecoded.

A resource whose subject is not the launch's patient is withheld and counted, and never read further. What an attachment is
stays unjudged here: its type is only what the EHR says. FHIR R4 DiagnosticReport, DocumentReference, Binary, Attachment.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from launch.errors import LaunchError
from smart_app.errors import AppError, OutboundError
from smart_app.fhir.client import FhirClient, FhirFailed, FhirMissing
from smart_app.fhir.evidence import Piece, pieces_of
from smart_app.fhir.reports import ChartReport, report_in
from smart_app.fhir.wire import items, moment_of, reference, text

KINDS = {"DiagnosticReport": "report", "DocumentReference": "document"}
MOST_TEXT = 200_000
MOST_BYTES = 8_000_000
REPLACES = ("diagnosticReport-replaces", "replaces")


class OtherPatient(Exception):
    """The resource, or the document in it, is of another patient."""


@dataclass(frozen=True)
class Attached:
    """One attachment, as the EHR describes it. It has `data`, or an address inside the EHR's base, or nothing that can be had."""

    type: str
    title: str
    data: bytes | None = field(default=None, repr=False)
    url: str = field(default="", repr=False)


@dataclass(frozen=True)
class Written:
    """One report, or one document about a study."""

    reference: str
    kind: str
    status: str
    title: str
    done: str | None
    issued: str | None
    issued_time: str | None
    author: str
    organization: str
    conclusion: str = field(default="", repr=False)
    narrative: str = field(default="", repr=False)
    attached: tuple[Attached, ...] = ()
    names: ChartReport | None = None
    piece: Piece | None = None
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class WrittenAll:
    """`failure` came after what was read; with nothing read it is raised instead."""

    written: tuple[Written, ...] = ()
    withheld: int = 0
    unreadable: int = 0
    complete: bool = True
    failure: AppError | LaunchError | None = None

    @property
    def whole(self) -> bool:
        return self.complete and not self.unreadable and self.failure is None


IsUid = Callable[[object], bool]


def written_of(client: FhirClient, resource: str, patient_id: str, *, is_uid: IsUid, deadline: float) -> WrittenAll:
    """All that the patient's `resource` say. :raises OutboundError, LaunchError: nothing could be read."""
    found: list[Written] = []
    withheld = unreadable = 0
    complete, failure, begun = True, None, False
    try:
        for page in client.search(resource, [("patient", patient_id), ("_count", "200")], deadline=deadline):
            begun, complete = True, complete and not page.ended
            for entry in page.entries:
                raw = entry.get("resource") if isinstance(entry, Mapping) else None
                kind = raw.get("resourceType") if isinstance(raw, Mapping) else None
                if not isinstance(raw, Mapping) or kind is None:
                    unreadable += 1
                elif kind == "OperationOutcome":
                    complete = complete and all(issue.get("severity") == "information" for issue in items(raw.get("issue")))
                elif kind != resource:
                    continue
                else:
                    try:
                        found.append(written_in(raw, client.base, patient_id, is_uid))
                    except OtherPatient:
                        withheld += 1
                    except ValueError:
                        unreadable += 1
    except (OutboundError, LaunchError) as error:
        if not begun:
            raise
        failure = error
    return WrittenAll(tuple(found), withheld, unreadable, complete, failure)


def one_written(client: FhirClient, name: str, patient_id: str, *, is_uid: IsUid, deadline: float) -> Written:
    """:param name: `DiagnosticReport/{id}`. :raises OtherPatient: it is not this patient's. :raises OutboundError, LaunchError: as `FhirClient.read`."""
    resource, _, identity = name.partition("/")
    if resource not in KINDS:
        raise FhirMissing
    try:
        return written_in(client.read(resource, identity, deadline=deadline), client.base, patient_id, is_uid)
    except ValueError:
        raise FhirFailed from None


def written_in(raw: Mapping[str, Any], base: str, patient_id: str, is_uid: IsUid) -> Written:
    """:raises OtherPatient: its subject is not this patient. :raises ValueError: it has no id or no kind that is known."""
    subjects = [raw[name] for name in ("subject", "patient") if name in raw]
    if not subjects or any(reference(one, base) != ("Patient", patient_id) for one in subjects):
        raise OtherPatient
    identity, kind = text(raw.get("id")), KINDS.get(str(raw.get("resourceType")), "")
    if not identity or not kind:
        raise ValueError("nothing to name it by")
    # What was taken back speaks of no imaging any more, but it must be told which study it was of.
    pieces = pieces_of({**raw, "status": "final" if kind == "report" else "current", "docStatus": "final"}, base, is_uid)
    done = moment_of(raw.get("effectiveDateTime") or next((one.get("start") for one in items(raw.get("effectivePeriod"))), None))[0]
    issued, issued_time, _ = moment_of(raw.get("issued") or raw.get("date"))
    people = ("resultsInterpreter", "performer") if kind == "report" else ("authenticator", "author")
    return Written(
        reference=f"{raw['resourceType']}/{identity}", kind=kind, status=_status(raw, kind), title=(pieces[0].title if pieces else "") or _titled(raw),
        done=done or (pieces[0].date if pieces else None), issued=issued, issued_time=issued_time, author=_person(raw, people),
        organization=(pieces[0].organization if pieces else None) or "", conclusion=_long(raw.get("conclusion")), narrative=_narrative(raw),
        attached=_attached(raw, base), names=report_in(raw, base, is_uid), piece=pieces[0] if pieces else None, replaces=_replaced(raw, base),
    )  # fmt: skip


def content_of(client: FhirClient, attached: Attached, patient_id: str, *, deadline: float) -> tuple[str, bytes]:
    """(type as told, bytes). :raises OtherPatient: the Binary is of another one. :raises OutboundError, LaunchError: it could not be had."""
    if attached.data is not None or not attached.url:
        return attached.type, attached.data or b""
    reply = client.fetch(attached.url, attached.type or "*/*", deadline=deadline, max_bytes=MOST_BYTES * 4 // 3 + 4096)
    told = (reply.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if "json" not in told:
        return attached.type or told, reply.body[: MOST_BYTES + 1]
    try:
        raw = json.loads(reply.body)
    except (ValueError, RecursionError):
        raise FhirFailed from None
    if not isinstance(raw, Mapping) or raw.get("resourceType") != "Binary":
        raise FhirFailed
    owner = reference(raw.get("securityContext"), client.base)
    if owner is not None and owner[0] == "Patient" and owner[1] != patient_id:
        raise OtherPatient
    data = _decoded(raw.get("data"))
    if data is None:
        raise FhirFailed
    return text(raw.get("contentType")) or attached.type, data


def _status(raw: Mapping[str, Any], kind: str) -> str:
    status = text(raw.get("status")) or "unknown"
    # A document's own state is whether it stands; what is written in it has another one.
    return status if kind == "report" or status in ("entered-in-error", "superseded") else text(raw.get("docStatus")) or status


def _titled(raw: Mapping[str, Any]) -> str:
    code = next(iter(items(raw.get("code") or raw.get("type"))), {})
    return text(code.get("text")) or next((said for one in items(code.get("coding")) if (said := text(one.get("display")))), "") or text(raw.get("description")) or ""


def _person(raw: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for one in (one for name in names for one in items(raw.get(name))):
        where = text(one.get("reference")) or ""
        if text(one.get("type")) != "Organization" and "Organization/" not in where and (said := text(one.get("display"))):
            return said
    return ""


def _long(value: object) -> str:
    return value[:MOST_TEXT] if isinstance(value, str) else ""


def _narrative(raw: Mapping[str, Any]) -> str:
    told = next(iter(items(raw.get("text"))), {})
    return _long(told.get("div")) if told.get("status") != "empty" else ""


def _attached(raw: Mapping[str, Any], base: str) -> tuple[Attached, ...]:
    forms = items(raw.get("presentedForm")) + [one for content in items(raw.get("content")) for one in items(content.get("attachment"))]
    found = []
    for one in forms[:20]:
        told = one.get("url")
        url = told if isinstance(told, str) else ""
        # An address of its own elsewhere is never followed: the user's token goes to the EHR only.
        url = f"{base}/{url}" if url and "://" not in url and not url.startswith(("/", "#")) else url
        found.append(Attached((text(one.get("contentType")) or "").partition(";")[0].strip().lower(), text(one.get("title")) or "", _decoded(one.get("data")), url))
    return tuple(found)


def _decoded(value: object) -> bytes | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (ValueError, binascii.Error):
        return None


def _replaced(raw: Mapping[str, Any], base: str) -> tuple[str, ...]:
    told = [one.get("valueReference") for one in items(raw.get("extension")) if str(one.get("url", "")).rpartition("/")[2] in REPLACES]
    told += [one.get("target") for one in items(raw.get("relatesTo")) if one.get("code") == "replaces"]
    return tuple("/".join(known) for one in told if (known := reference(one, base)) is not None)
