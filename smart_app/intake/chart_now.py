"""What has become of a chart since it was written down with a request: read again at every decision and before every storing. Pure.

Days lie between. A chart that was merged away, put out of use, taken out or corrected is not the chart that a person looked
at (safety.md P1, P9): what each of these means for what is to be stored is said here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from launch.errors import EhrSilent, LaunchError
from smart_app.errors import AppError, Fault, Side
from smart_app.fhir.client import FhirMissing, FhirRefused
from smart_app.fhir.patient import PatientFacts
from smart_app.identity.people import in_use
from smart_app.image_requests.patients import as_patient
from smart_app.image_requests.types import Patient

Read = Callable[[str, str], PatientFacts | None]
"""The facts of a chart by EHR and FHIR id, read this moment; None: Priors may not read charts there.

:raises FhirMissing: the EHR has no such chart. :raises AppError, LaunchError: it did not tell.
"""
MERGES = 5
"""A chart merged into one that was merged itself is followed so far."""
LOOK_HOLDS = timedelta(hours=1)
"""Where Priors cannot read the chart, a person's look at it holds so long."""


class Became(StrEnum):
    SAME = "same"
    CHANGED = "changed"
    """In use, and its name, birth date, sex or a number is another."""
    REPLACED = "replaced"
    """Merged into another chart."""
    INACTIVE = "inactive"
    GONE = "gone"
    UNREAD = "unread"
    """Priors is not registered there to read charts: nobody but a person can look."""


@dataclass(frozen=True)
class Now:
    became: Became
    patient: Patient | None = None
    """CHANGED: as the chart is now. REPLACED: the surviving chart, where the EHR names one that is in use."""
    words: tuple[str, ...] = ()
    """What changed, field by field, for a reviewer."""


SILENT = Fault("ehr-silent", Side.EHR, "The EHR did not answer when the chart was to be read again. Nothing was stored, and nothing was changed.",
               "Try again in a moment. If it stays silent, tell the EHR team.", True, 503)  # fmt: skip
REFUSED = Fault("ehr-refused", Side.EHR, "The EHR did not let Priors read the chart again. Nothing was stored, and nothing was changed.",
                "The EHR team can allow it: Priors reads Patient by backend services.", False, 502)  # fmt: skip


class NotTold(AppError):
    """The EHR did not say how the chart is now. Nothing may be concluded from that."""


def look(patient: Patient, read: Read, issuers: Collection[str] = ()) -> Now:
    """:param issuers: identifier systems that an archive knows: a new number there is a change. :raises NotTold:"""
    facts = _read(patient.issuer, patient.id, read)
    if facts is None:
        return Now(Became.UNREAD)
    if facts is MISSING:
        return Now(Became.GONE)
    if facts.replaced_by is not None:
        return Now(Became.REPLACED, _survivor(patient, facts.replaced_by, read))
    if not in_use(facts):
        return Now(Became.INACTIVE)
    fresh = as_patient(facts, patient.issuer)
    found = differences(patient, fresh, issuers)
    return Now(Became.CHANGED, fresh, found) if found else Now(Became.SAME, patient)


def differences(before: Patient, now: Patient, issuers: Collection[str] = ()) -> tuple[str, ...]:
    """What is another in the chart than it was; empty: whatever a person or a rule looked at stands. A number that no archive knows and that came in addition changes nothing."""
    fields = [
        ("family name", before.family, now.family), ("given name", before.given, now.given), ("birth date", before.birth_date, now.birth_date),
        ("sex", before.sex, now.sex), ("MRN", before.mrn, now.mrn),
    ]  # fmt: skip
    if (before.family, before.given) == (now.family, now.given):
        fields.insert(0, ("name", before.name, now.name))
    found = [f"{field} was {old or 'not given'}, is {new or 'not given'}" for field, old, new in fields if (old or "") != (new or "")]
    old_ids, new_ids = set(before.identifiers), set(now.identifiers)
    compared = {one.issuer for one in old_ids} | set(issuers)
    lost, gained = old_ids - new_ids, {one for one in new_ids - old_ids if one.issuer in compared}
    found += [f"number {one.value} is no longer the chart’s" for one in sorted(lost, key=lambda one: one.value)]
    found += [f"number {one.value} is new in the chart" for one in sorted(gained, key=lambda one: one.value)]
    return tuple(found)


def look_holds(looked_at: datetime | None, now: datetime) -> bool:
    """Whether a person's own look is recent enough to store upon. Two machines' clocks may differ a little either way."""
    return looked_at is not None and abs(now - looked_at) <= LOOK_HOLDS


def sentence(now: Now) -> str:
    """What has become of the chart, for the reviewer and the history."""
    if now.became is Became.CHANGED:
        return f"The chart is not as it was when these images were asked for: {'; '.join(now.words)}. What was said before no longer holds. Compare again."
    if now.became is Became.REPLACED:
        into = f"that of {_described(now.patient)}" if now.patient is not None else "one that the EHR does not name, or that is not in use either"
        return f"The EHR says that this chart was merged into another: {into}. Nothing is stored under the retired chart."
    return {
        Became.INACTIVE: "The EHR says that this chart is not in use any more. Nothing is stored into it. Medical records can say which chart is the patient’s.",
        Became.GONE: "The EHR does not have this chart any more: it was taken out, or made in error. Nothing is stored. Medical records can say which chart is the patient’s.",
        Became.UNREAD: "Priors cannot read the charts of this EHR by itself, and nobody has looked at this one within the last hour. Open it in the EHR, then confirm again.",
    }.get(now.became, "")


FAULTS = {
    Became.CHANGED: Fault("chart-changed", Side.PERSON, "The chart has changed since these images were asked for. Nothing was stored.", "Compare again: the page says what changed.", False, 409),
    Became.REPLACED: Fault("chart-replaced", Side.PERSON, "This chart was merged into another one. Nothing was stored.", "Look whether the surviving chart is the right person’s.", False, 409),
    Became.INACTIVE: Fault("chart-inactive", Side.PERSON, "The EHR says that this chart is not in use any more. Nothing was stored.", "Medical records can say which chart is the patient’s.", False, 409),
    Became.GONE: Fault("chart-gone", Side.PERSON, "The EHR does not have this chart any more. Nothing was stored.", "Medical records can say which chart is the patient’s.", False, 409),
    Became.UNREAD: Fault("chart-unread", Side.PERSON, "Priors cannot read this chart by itself. Nothing was stored.", "Open the chart in the EHR, then say here that you have looked.", False, 400),
}


def _described(patient: Patient) -> str:
    return ", ".join(part for part in (patient.name, f"born {patient.birth_date}" if patient.birth_date else "birth date unknown", f"MRN {patient.mrn}" if patient.mrn else "") if part)


MISSING = PatientFacts("", "", "", "", None, None)


def _read(issuer: str, id: str, read: Read) -> PatientFacts | None:
    """`MISSING`: no such chart. :raises NotTold:"""
    try:
        return read(issuer, id)
    except FhirMissing:
        return MISSING
    except FhirRefused:
        raise NotTold(REFUSED) from None
    except LaunchError as error:
        raise NotTold(SILENT if isinstance(error, EhrSilent) else REFUSED) from None
    except AppError:
        raise NotTold(SILENT) from None


def _survivor(patient: Patient, id: str, read: Read) -> Patient | None:
    """Whom the chart was merged into, as it is now. None: the EHR names nobody in use. :raises NotTold:"""
    met = {patient.id}
    for _ in range(MERGES):
        if id in met:
            return None
        met.add(id)
        facts = _read(patient.issuer, id, read)
        if facts is None or facts is MISSING:
            return None
        if facts.replaced_by is None:
            return as_patient(facts, patient.issuer) if in_use(facts) else None
        id = facts.replaced_by
    return None
