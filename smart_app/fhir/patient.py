"""FHIR Patient -> what the banner shows and what identifies the patient at archives. FHIR R4 Patient.

Raw JSON is the truth: a strict model would lose the patient for one odd field. The MRN is chosen by rules, never as
"the first identifier".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from smart_app.config import MrnRule
from smart_app.fhir.wire import codings, date_of, items, reference, text

SEX = {"female": "Female", "male": "Male", "other": "Other", "unknown": "Unknown"}
MAX_NAMES = 16
REPLACES = "replaces Patient/"
NAME_ORDER = ("official", "usual", None, "temp", "nickname", "anonymous", "maiden", "old")


@dataclass(frozen=True)
class Identifier:
    """One Patient.identifier. `use` is `old` also when its period has ended."""

    system: str | None
    value: str
    type_codes: tuple[str, ...] = ()
    type_text: str | None = None
    use: str | None = None

    @property
    def is_retired(self) -> bool:
        return self.use == "old"


@dataclass(frozen=True)
class HumanName:
    """One Patient.name, in its parts as far as they were given."""

    family: str = ""
    given: str = ""
    suffix: str = ""
    text: str = ""
    """Only where there are no parts."""
    use: str | None = None


@dataclass(frozen=True)
class PatientFacts:
    """The patient of a launch, as the EHR told it."""

    id: str
    name: str
    """`MARCHETTI, Rosalind Jane`; `Name not given` when the EHR gives none."""
    family: str
    given: str
    birth_date: str | None
    """ISO `YYYY-MM-DD`, `YYYY-MM` or `YYYY`, as given."""
    sex: str | None
    identifiers: tuple[Identifier, ...] = ()
    mrn: str | None = None
    active: bool = True
    replaced_by: str | None = None
    """FHIR id of the record that replaces this one, after a merge."""
    names: tuple[HumanName, ...] = ()
    """All names, also former ones."""
    address: str | None = None
    telephone: str | None = None
    links: tuple[str, ...] = ()
    """`replaces Patient/7`: every Patient.link, sorted. It changes when records are merged or taken apart."""

    @property
    def retired(self) -> tuple[str, ...]:
        """FHIR ids of the records that were merged into this one, by the EHR's own word. None for a record that was merged away itself."""
        if self.replaced_by is not None:
            return ()
        return tuple(link.removeprefix(REPLACES) for link in self.links if link.startswith(REPLACES))


def patient_from(resource: Mapping[str, Any], rules: Sequence[MrnRule], *, base: str, today: date) -> PatientFacts:
    """Facts of a Patient resource whose `id` the caller has already compared with the launch's."""
    family, given, name = _name(items(resource.get("name")))
    identifiers = tuple(found for raw in items(resource.get("identifier")) if (found := _identifier(raw, today)) is not None)
    return PatientFacts(
        id=str(resource.get("id")),
        name=name,
        family=family,
        given=given,
        birth_date=date_of(resource.get("birthDate")),
        sex=SEX.get(str(resource.get("gender"))),
        identifiers=identifiers,
        mrn=_mrn(identifiers, rules),
        active=resource.get("active") is not False,
        replaced_by=_replaced_by(resource, base),
        names=names_of(resource),
        address=address_of(resource),
        telephone=telephone_of(resource),
        links=tuple(sorted(f"{text(link.get('type'))} {'/'.join(reference(link.get('other'), base) or ('unknown',))}" for link in items(resource.get("link")))),
    )


def names_of(resource: Mapping[str, Any]) -> tuple[HumanName, ...]:
    """Every Patient.name; also of a record that a matching server gave."""
    found = []
    for raw in items(resource.get("name"))[:MAX_NAMES]:
        family, given, suffix = text(raw.get("family")) or "", _joined(raw.get("given")), _joined(raw.get("suffix"))
        whole = "" if family or given else text(raw.get("text")) or ""
        if family or given or whole:
            found.append(HumanName(family, given, suffix, whole, text(raw.get("use"))))
    return tuple(found)


def address_of(resource: Mapping[str, Any]) -> str | None:
    """The first address that is not an old one, in one line."""
    for raw in items(resource.get("address")):
        if raw.get("use") != "old":
            lines = raw.get("line")
            parts = [*(lines if isinstance(lines, list) else []), raw.get("city"), raw.get("postalCode")]
            if found := ", ".join(part for part in map(text, parts) if part) or text(raw.get("text")):
                return found
    return None


def telephone_of(resource: Mapping[str, Any]) -> str | None:
    numbers = (text(raw.get("value")) for raw in items(resource.get("telecom")) if raw.get("system") in ("phone", "sms") and raw.get("use") != "old")
    return next((number for number in numbers if number), None)


def _joined(value: object) -> str:
    return " ".join(part for part in map(text, value if isinstance(value, list) else [value]) if part)


def _name(names: Sequence[Mapping[str, Any]]) -> tuple[str, str, str]:
    def rank(name: Mapping[str, Any]) -> int:
        use = name.get("use")
        return NAME_ORDER.index(use) if use in NAME_ORDER else len(NAME_ORDER)

    for raw in sorted(names, key=rank):
        family = text(raw.get("family")) or ""
        given = _joined(raw.get("given"))
        if family or given:
            return family, given, ", ".join(part for part in (family.upper(), given) if part)
        if whole := text(raw.get("text")):
            return "", "", whole
    return "", "", "Name not given"


def _identifier(raw: Mapping[str, Any], today: date) -> Identifier | None:
    value = text(raw.get("value"))
    if value is None:
        return None
    kind = raw.get("type")
    period = raw.get("period")
    ended = date_of(str(period.get("end"))[:10]) if isinstance(period, Mapping) and period.get("end") else None
    use = text(raw.get("use"))
    return Identifier(
        system=text(raw.get("system")),
        value=value,
        type_codes=tuple(code for coding in codings(kind) if (code := text(coding.get("code")))),
        type_text=text(kind.get("text")) if isinstance(kind, Mapping) else None,
        use="old" if ended and len(ended) == 10 and ended < today.isoformat() else use,
    )


def _mrn(identifiers: Sequence[Identifier], rules: Sequence[MrnRule]) -> str | None:
    for retired in (False, True):
        for rule in rules:
            for identifier in identifiers:
                if identifier.is_retired is retired and _matches(rule, identifier):
                    return identifier.value
    return None


def _matches(rule: MrnRule, identifier: Identifier) -> bool:
    asked = (rule.system, rule.type_code, rule.type_text)
    if not any(asked):
        return False
    return (
        (rule.system is None or rule.system == identifier.system)
        and (rule.type_code is None or rule.type_code in identifier.type_codes)
        and (rule.type_text is None or rule.type_text == identifier.type_text)
    )


def _replaced_by(resource: Mapping[str, Any], base: str) -> str | None:
    for link in items(resource.get("link")):
        found = reference(link.get("other"), base)
        if link.get("type") == "replaced-by":
            return found[1] if found else "unknown"
    return None
