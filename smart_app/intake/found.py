"""The verdicts on files, folded to studies: each object once, each study its own, and who its objects say they are about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smart_app.archives.types import PatientId, Said
from smart_app.intake.types import FoundStudy, Header, Kind, Screened

DAMAGED = frozenset({"cut", "pixels-cut", "no-pixels", "no-content", "unreadable", "reader-ended", "reader-fault", "needs-memory", "takes-too-long", "member-damaged", "no-uids", "ambiguous", "conflict", "empty"})
"""Refused for what they are, not for what they are not: an image was meant to be there."""


@dataclass(frozen=True)
class Person:
    """Whom some objects name, as they write it."""

    said: Said
    patient_id: PatientId | None


def group(screened: Iterable[Screened]) -> tuple[FoundStudy, ...]:
    """One a Study Instance UID, in the order in which they were found. Two people on one disc are two studies, since nobody shares a study;
    a study whose own objects name two people stays one, and `persons` tells it: that is a fault to resolve, not to guess."""
    headers: dict[str, dict[str, Header]] = {}
    refused: dict[str, list[Screened]] = {}
    adrift: list[Screened] = []
    for one in screened:
        if one.header is not None and one.kind is not Kind.REFUSED:
            headers.setdefault(one.header.study, {}).setdefault(one.header.instance, one.header)
        elif one.kind is Kind.REFUSED and one.header is not None:
            headers.setdefault(one.header.study, {})
            refused.setdefault(one.header.study, []).append(one)
        elif one.kind is Kind.REFUSED and one.reason in DAMAGED:
            adrift.append(one)
    images = [study for study, objects in headers.items() if any(not is_document(one) for one in objects.values()) or study in refused]
    if len(images) == 1:
        refused.setdefault(images[0], []).extend(adrift)
    return tuple(FoundStudy(study, tuple(objects.values()), tuple(one for one in refused.get(study, ()) if one.header is None or one.header.instance not in objects)) for study, objects in headers.items())


def persons(study: FoundStudy) -> tuple[Person, ...]:
    """Whom its objects name, each once, the most frequent first. More than one: it may be stored under nobody until a person has looked."""
    counted: dict[tuple[object, ...], tuple[int, Person]] = {}
    for header in study.headers:
        key = _key(header)
        count, person = counted.get(key, (0, Person(header.said, header.patient_id)))
        counted[key] = count + 1, person
    return tuple(person for _, person in sorted(counted.values(), key=lambda one: -one[0]))


def _key(header: Header) -> tuple[object, ...]:
    name = " ".join((header.said.name or "").replace("^", " ").replace("=", " = ").casefold().split())
    number = header.patient_id
    return (name, header.said.birth_date, header.said.sex, number and number.value.casefold(), number and number.issuer.casefold())


def is_document(header: Header) -> bool:
    """A report rather than a picture: an encapsulated PDF, or a structured report."""
    return header.modality in ("SR", "DOC") or header.sop_class.startswith(("1.2.840.10008.5.1.4.1.1.104.", "1.2.840.10008.5.1.4.1.1.88."))
