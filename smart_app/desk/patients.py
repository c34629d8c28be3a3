"""Finds a patient for a request that begins at the desk, where no chart is open: the EHR is asked by number, as Priors itself.

Number and birth date must both fit, so that one wrong digit names nobody else. What was found is handed on sealed, for this launch only: a form
cannot name a patient whom the EHR did not.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from launch.session import TokenProvider
from smart_app.clock import Clock
from smart_app.config import Ehr
from smart_app.fhir.client import FhirClient, FhirLimits
from smart_app.fhir.patient import PatientFacts, patient_from
from smart_app.image_requests.patients import as_patient
from smart_app.image_requests.types import Patient
from smart_app.outbound import Outbound
from smart_app.sealing import CannotOpen, Keyring

_PATIENT = TypeAdapter(Patient)
NUMBER = re.compile(r"[0-9A-Za-z][0-9A-Za-z ./-]{0,39}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
LIMITS = FhirLimits(deadline=10, pages=2, entries=20)


class Found(StrEnum):
    ONE = "one"
    NONE = "none"
    OTHER_BIRTH_DATE = "other-birth-date"
    SEVERAL = "several"
    """The EHR has more than one such patient: it must be asked from the chart."""
    REPLACED = "replaced"
    """The record was merged into another."""


@dataclass(frozen=True)
class Search:
    found: Found
    patient: Patient | None = None
    token: str = ""
    """The patient, sealed for this launch."""
    named: int = 0
    """How many the EHR named."""


class Patients:
    """One a process. `tokens` gives the backend's token of an EHR."""

    def __init__(self, outbound: Outbound, ehrs: Mapping[str, Ehr], tokens: Callable[[str], TokenProvider], keyring: Keyring, clock: Clock) -> None:
        self._outbound, self._ehrs, self._tokens, self._keyring, self._clock = outbound, ehrs, tokens, keyring, clock

    def may_ask(self, ehr: str) -> bool:
        """Whether Priors is registered there to work without a person, with the right to read patients."""
        known = self._ehrs.get(ehr)
        return known is not None and known.backend is not None and any(scope.startswith(("system/Patient.", "system/*.")) for scope in known.backend.scopes)

    def find(self, ehr: str, number: str, born: str, handle: str) -> Search:
        """:raises OutboundError: the EHR did not answer, or refused. :raises LaunchError: it gave no token. :raises ValueError: no number, no date."""
        number = " ".join(number.split())
        if not NUMBER.fullmatch(number) or not DAY.fullmatch(born):
            raise ValueError("number or birth date")
        named = [facts for facts in self._asked(self._ehrs[ehr], number) if facts.mrn is not None and _digits(facts.mrn) == _digits(number)]
        if not named:
            return Search(Found.NONE)
        if len({facts.id for facts in named}) > 1:
            return Search(Found.SEVERAL, named=len(named))
        facts = named[0]
        if facts.birth_date != born:
            return Search(Found.OTHER_BIRTH_DATE, named=1)
        if facts.replaced_by is not None or not facts.active:
            return Search(Found.REPLACED, named=1)
        patient = as_patient(facts, ehr)
        return Search(Found.ONE, patient, self._sealed(patient, handle), 1)

    def like(self, family: str, born: str) -> tuple[Patient, ...]:
        """Everybody of this family name and birth date whom an EHR knows by now. An EHR that may not be asked is left out.

        :raises OutboundError: one did not answer, or refused. :raises LaunchError: it gave no token.
        """
        found = []
        for ehr in self._ehrs.values():
            if self.may_ask(ehr.key):
                named = self._searched(ehr, [("family", family), ("birthdate", born), ("_count", "20")])
                found += [as_patient(facts, ehr.key) for facts in named.values() if facts.replaced_by is None and facts.active]
        return tuple(found)

    def chart(self, ehr: str, id: str) -> PatientFacts | None:
        """One chart as the EHR has it this moment, in use or not. None: Priors may not read charts there.

        :raises FhirMissing: there is no such chart. :raises OutboundError: the EHR did not answer, or refused. :raises LaunchError: it gave no token.
        """
        if not self.may_ask(ehr):
            return None
        resource = self._client(self._ehrs[ehr]).read("Patient", id)
        return self._facts(self._ehrs[ehr], resource)

    def opened(self, token: str, handle: str) -> Patient | None:
        """The patient of a token that this launch was given; None: of none, or another's."""
        try:
            plain = self._keyring.open(base64.urlsafe_b64decode(token.encode()), place=f"desk.patient:{handle}")
            return _PATIENT.validate_json(plain)
        except (CannotOpen, ValidationError, binascii.Error, UnicodeEncodeError, ValueError):
            return None

    def _asked(self, ehr: Ehr, number: str) -> list[PatientFacts]:
        found: dict[str, PatientFacts] = {}
        systems: list[str | None] = [rule.system for rule in ehr.mrn if rule.system] or [None]
        for system in systems:
            for written in dict.fromkeys((number, number.replace(" ", ""))):
                value = f"{system}|{written}" if system else written
                found |= self._searched(ehr, [("identifier", value), ("_count", "20")])
        return list(found.values())

    def _searched(self, ehr: Ehr, parameters: list[tuple[str, str]]) -> dict[str, PatientFacts]:
        found: dict[str, PatientFacts] = {}
        for page in self._client(ehr).search("Patient", parameters):
            for entry in page.entries:
                resource = entry.get("resource") if isinstance(entry, Mapping) else None
                if isinstance(resource, Mapping) and resource.get("resourceType") == "Patient" and isinstance(resource.get("id"), str):
                    facts = self._facts(ehr, resource)
                    found[facts.id] = facts
        return found

    def _client(self, ehr: Ehr) -> FhirClient:
        return FhirClient(self._outbound, f"ehr:{ehr.key}", ehr.issuer, self._tokens(ehr.key), LIMITS)

    def _facts(self, ehr: Ehr, resource: Mapping[str, Any]) -> PatientFacts:
        return patient_from(resource, ehr.mrn, base=ehr.issuer.rstrip("/"), today=self._clock().date())

    def _sealed(self, patient: Patient, handle: str) -> str:
        return base64.urlsafe_b64encode(self._keyring.seal(to_json(patient), place=f"desk.patient:{handle}")).decode()


def _digits(number: str) -> str:
    """A number without the blanks that people group it with."""
    return "".join(number.split()).casefold()
