"""The form of a request that begins at the desk, parsed once: what is wanted, why, how urgent, by when. Pure."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import TypeVar

from smart_app.desk.forms import WrongForm, moment_of
from smart_app.desk.selection import Form
from smart_app.image_requests.types import Basis, NewRequest, Patient, Route, RouteKind, Urgency, Wanted

MODALITIES = ("CT", "MR", "US", "XR", "CR", "DX", "MG", "NM", "PT", "XA", "RF", "ECHO", "OT")
OWN_IMAGES, SECOND_OPINION = "Any images the patient has", "Second opinion"
E = TypeVar("E", bound=StrEnum)


def request_of(form: Form, patient: Patient) -> NewRequest:
    """Addressed to nobody yet. :raises WrongForm: with what to change."""
    title = _line(form, "title", 160)
    if not title:
        raise WrongForm("Nothing was sent: say what is wanted.")
    start, end = _day(form, "date_from"), _day(form, "date_to")
    if start and end and start > end:
        raise WrongForm("Nothing was sent: the first day lies after the last.")
    modality = form.get("modality", "")
    wanted = Wanted(
        title, modality if modality in MODALITIES else "", _line(form, "region", 60), start, end, _line(form, "accession", 64),
        report=form.get("report", "") == "yes", thin=form.get("thin", "") == "yes", others=form.get("others", "") == "yes",
    )  # fmt: skip
    return NewRequest(
        patient, wanted, Route(RouteKind.PATIENT), None, _one(Urgency, form, "urgency", Urgency.ROUTINE), _line(form, "why", 300),
        _one(Basis, form, "basis", Basis.TREATMENT), moment_of(form.get("needed_by", "")),
    )  # fmt: skip


def invitation_of(form: Form, patient: Patient) -> NewRequest:
    """The patient may send what is the patient's own, which nobody has to name: for a second opinion, unless something else is said."""
    why = _line(form, "why", 300) or SECOND_OPINION
    return NewRequest(patient, Wanted(OWN_IMAGES, report=True), Route(RouteKind.PATIENT), None, Urgency.ROUTINE, why, Basis.PATIENT)


def _line(form: Form, name: str, longest: int) -> str:
    return " ".join(form.get(name, "").split())[:longest]


def _day(form: Form, name: str) -> str:
    text = form.get(name, "").strip()
    if not text:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise WrongForm("Nothing was sent: a date could not be read.") from None


def _one(kind: type[E], form: Form, name: str, otherwise: E) -> E:
    try:
        return kind(form.get(name, otherwise.value))
    except ValueError:
        return otherwise
