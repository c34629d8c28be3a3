"""Whose a received study is, and so who must look before it is stored: the list's own rules, and nothing softer. Pure.

Certain is what the list would show by itself (same identifier in the same namespace, no conflict), and what was asked for
by its own number and agrees in every field. Clearly another person's is set aside: no page, API or role stores it here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from smart_app.archives.types import Candidate, PatientId
from smart_app.fhir.patient import HumanName, Identifier, PatientFacts
from smart_app.identity import people, placeholders
from smart_app.identity.comparison import Comparison, compare_records
from smart_app.identity.likeness import AGREES, DOUBTS, Likeness, NameVerdict
from smart_app.identity.match import Decision, Judgement, Person, judge
from smart_app.identity.names import from_pn
from smart_app.image_requests.types import Patient, Wanted
from smart_app.intake.received import Named, Standing, Summary

SHORTEST_NUMBER = 5
WORST_FIRST = (Standing.OTHER, Standing.BIRTH_DATE, Standing.BELOW, Standing.CERTAIN)


@dataclass(frozen=True)
class Verdict:
    standing: Standing
    why: str
    """Fixed word: the gravest reason against certainty; empty when certain."""
    alone: bool = False
    """Certain by an identifier: where the site allows it, nobody needs to look."""


UNLINKED = Verdict(Standing.UNLINKED, "nobody-named")


def decide(patient: Patient | None, wanted: Wanted | None, summary: Summary, namespaces: Mapping[str, str]) -> Verdict:
    """:param namespaces: DICOM issuer of patient id by the EHR's identifier system."""
    if patient is None:
        return UNLINKED
    chart = of_patient(patient, namespaces)
    verdicts = [_of_person(chart, named, wanted, summary) for named in summary.persons]
    if not verdicts:
        return Verdict(Standing.BELOW, "nothing-said")
    worst = min(verdicts, key=lambda one: WORST_FIRST.index(one.standing))
    if len(verdicts) > 1 and worst.standing is Standing.CERTAIN:
        # Objects of one study that name their patient differently are an error to resolve, not to guess.
        return Verdict(Standing.BELOW, "mixed")
    return worst


def compare(patient: Patient, named: Named, namespaces: Mapping[str, str]) -> Comparison:
    """Field by field, as the list's own comparison shows it."""
    own = of_patient(patient, namespaces).identifiers
    return compare_records(facts_of(patient), candidate_of(named), own)


def of_patient(patient: Patient, namespaces: Mapping[str, str]) -> Person:
    """The request's patient, identifiers also under the names that they have in DICOM."""
    ids = dict.fromkeys(
        one
        for given in patient.identifiers
        for one in (given, *((PatientId(given.value, namespaces[given.issuer]),) if given.issuer in namespaces else ()))
    )
    return people.of_chart(facts_of(patient), tuple(ids))


def facts_of(patient: Patient) -> PatientFacts:
    return PatientFacts(
        id=patient.id, name=patient.name, family=patient.family, given=patient.given, birth_date=patient.birth_date, sex=patient.sex,
        identifiers=tuple(Identifier(one.issuer, one.value) for one in patient.identifiers), mrn=patient.mrn,
        names=(HumanName(patient.family, patient.given),) if patient.family or patient.given else (),
    )  # fmt: skip


def candidate_of(named: Named) -> Candidate:
    return Candidate(named.patient_id or PatientId("", ""), named.said.name, named.said.birth_date, named.said.sex)


def _of_person(chart: Person, named: Named, wanted: Wanted | None, summary: Summary) -> Verdict:
    said = named.said
    ids = tuple(one for one in (named.patient_id, *named.other_ids) if one is not None and one.issuer)
    judged = judge(chart, Person(from_pn(said.name or ""), said.birth_date, said.sex, ids))
    if judged.decision is Decision.AUTOMATIC:
        return Verdict(Standing.CERTAIN, "", alone=True)
    if judged.decision is Decision.POSSIBLE:
        if judged.birth_date in DOUBTS:
            return Verdict(Standing.BIRTH_DATE, "birth-date")
        if judged.why == "no-identifier" and _asked_for(wanted, summary, judged):
            return Verdict(Standing.CERTAIN, "")
        return Verdict(Standing.BELOW, judged.why)
    against = _against(judged)
    return Verdict(Standing.OTHER, against) if against else Verdict(Standing.BELOW, "nothing-said")


def _asked_for(wanted: Wanted | None, summary: Summary, judged: Judgement) -> bool:
    """It is the very study that was asked for, and nothing is left open between the two persons.

    A UID is nobody else's. An accession is a number without a namespace (safety.md P2): it counts beside a name in full, and only where
    it is one that a stranger's study will not carry as well.
    """
    name = judged.name
    agrees = name.family in AGREES and not name.suffix_conflict and judged.birth_date is Likeness.SAME and judged.sex is Likeness.SAME
    if wanted is None or not agrees:
        return False
    if wanted.study_uid and wanted.study_uid == summary.study:
        return name.given in AGREES or name.given is Likeness.COMPATIBLE
    number = wanted.accession.strip()
    return (name.given in AGREES or _first_in_full(name)) and number == summary.accession.strip() and len(number) >= SHORTEST_NUMBER and not placeholders.is_identifier(number)


def _first_in_full(name: NameVerdict) -> bool:
    """`Grace A` for `Grace Adaeze`: the first given name is written out on both sides, and is the same."""
    first = [one.given.words[0] if one is not None and one.given.words else "" for one in (name.ours, name.theirs)]
    return name.given is Likeness.COMPATIBLE and first[0] == first[1] and len(first[0]) > 1


def _against(judged: Judgement) -> str:
    """What speaks against it; empty where nothing does: a photo, or a file whose patient was taken out. Two persons look at those."""
    levels = (("birth-date", judged.birth_date), ("sex", judged.sex), ("name", judged.name.given), ("name", judged.name.family))
    if found := next((word for word, level in levels if level in DOUBTS), ""):
        return found
    return "suffix" if judged.name.suffix_conflict else "identifier" if judged.other_identifier else ""
