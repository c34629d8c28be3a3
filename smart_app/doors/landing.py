"""Where a launch goes that was opened for something: to the study, the request, the list, or to a page that says why not.

A study is opened only by the list, which knows whether it is this patient's; here it is only named. What the EHR names is read
once with the launch's own token, and its subject decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from smart_app.doors.wishes import Wish
from smart_app.fhir.patient import PatientFacts


class Said(StrEnum):
    """Why nothing, or something else, was opened. A word of the address; the sentence is in `SENTENCES`."""

    ASKED = "asked"
    OTHER_PATIENT = "other-patient"
    NOT_THERE = "not-there"
    REFUSED = "refused"
    UNREAD = "unread"
    NOT_UNDERSTOOD = "not-understood"
    NO_REQUEST = "no-request"
    OTHER_NUMBER = "other-number"


SENTENCES = {
    Said.ASKED: "",
    Said.OTHER_PATIENT: "The study that was to be opened is another patient’s, so it was not opened. This list is of the patient of this chart.",
    Said.NOT_THERE: "The EHR does not know the study that was to be opened, so nothing was opened.",
    Said.REFUSED: "The EHR did not let Priors read the study that was to be opened; it may be another patient’s. Nothing was opened.",
    Said.UNREAD: "The EHR did not say which study was to be opened, so nothing was opened. Find it in the list.",
    Said.NOT_UNDERSTOOD: "Something was sent along to be opened that Priors cannot read, so it was ignored.",
    Said.NO_REQUEST: "The request that was to be opened is not one of this patient, so it was not opened.",
    Said.OTHER_NUMBER: "",
}


@dataclass(frozen=True)
class Named:
    """What the EHR says of an ImagingStudy: its UID, or why there is none."""

    uid: str = ""
    said: Said = Said.ASKED


@dataclass(frozen=True)
class Landing:
    """`path` is below the launch; the page there is told `said`."""

    path: str
    said: Said


OF_ISSUER = Callable[[str], Iterable[str]]


def landing_of(wish: Wish, facts: PatientFacts, named: Callable[[str], Named], has_request: Callable[[str], bool], systems_of: OF_ISSUER) -> Landing:
    """`named` reads an ImagingStudy, `systems_of` gives the identifier systems that an assigning authority stands for."""
    if wish.patient and not carries(facts, wish.patient, wish.authority, systems_of):
        return Landing("elsewhere", Said.OTHER_NUMBER)
    if wish.request:
        return Landing(f"requests/{wish.request}", Said.ASKED) if has_request(wish.request) else Landing("studies", Said.NO_REQUEST)
    if wish.resource:
        found = named(wish.resource)
        return Landing(f"studies/{found.uid}", Said.ASKED) if found.uid else Landing("studies", found.said)
    if wish.studies:
        return Landing(f"studies/{wish.studies[0]}", Said.ASKED)
    return Landing("studies", Said.ASKED)


def carries(facts: PatientFacts, number: str, authority: str, systems_of: OF_ISSUER) -> bool:
    """Whether the chart bears this number of this authority. Without an authority only its MRN counts: numbers repeat between hospitals."""
    if not authority:
        return facts.mrn == number
    parts = [part for part in authority.split("&") if part]
    systems = {system for part in parts for system in (part, f"urn:oid:{part}", *systems_of(part))}
    return any(one.value == number and one.system in systems for one in facts.identifiers if not one.is_retired)
