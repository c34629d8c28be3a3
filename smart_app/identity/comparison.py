"""Two records side by side, field by field, the worst first: what a person looks at before saying that they are one.

Every verdict is in words; what differs is marked letter by letter. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import StrEnum

from smart_app.archives.types import Candidate, PatientId
from smart_app.fhir.patient import PatientFacts
from smart_app.identity import people, placeholders
from smart_app.identity.likeness import DOUBTS, Likeness
from smart_app.identity.match import SEXES, Judgement, day_of, judge

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NEVER = "Never counted as evidence"


class Verdict(StrEnum):
    DIFFERENT = "Different"
    CARE = "Take care"
    SAME = "Same"
    CANNOT = "Cannot be compared"
    NOT_GIVEN = "Not given"
    PLACEHOLDER = "Placeholder"


ORDER = (Verdict.DIFFERENT, Verdict.SAME, Verdict.CANNOT, Verdict.NOT_GIVEN, Verdict.PLACEHOLDER, Verdict.CARE)


@dataclass(frozen=True)
class Piece:
    text: str
    marked: bool = False


@dataclass(frozen=True)
class Row:
    field: str
    ours: tuple[Piece, ...]
    theirs: tuple[Piece, ...]
    verdict: Verdict
    note: str = ""
    decisive: bool = False
    ours_label: str = ""
    theirs_label: str = ""


@dataclass(frozen=True)
class Comparison:
    rows: tuple[Row, ...]
    differing: int
    decisive: int
    needs_second: bool
    """The birth date differs: one person alone may not say that these are one."""

    @property
    def headline(self) -> str:
        if not self.differing:
            return "No field differs"
        fields = "1 field differs" if self.differing == 1 else f"{self.differing} fields differ"
        of_them = "" if not self.decisive else ", decisive" if self.differing == 1 else f", {self.decisive} of them decisive"
        return fields + of_them


def compare_records(facts: PatientFacts, candidate: Candidate, own: tuple[PatientId, ...], *, others: int = 0) -> Comparison:
    """:param own: this patient's identifiers at that source. :param others: further records there that wait for the same patient."""
    judged = judge(people.of_chart(facts, own), people.of_candidate(candidate), silence=True)
    rows = [
        _birth_date(facts, candidate, judged.birth_date),
        *_names(facts, candidate, judged),
        _row("Sex", facts.sex or "", _sex(candidate.sex), judged.sex, decisive=judged.sex is Likeness.DIFFERENT),
        _identifier(facts, candidate, own, judged),
        _plain("Address", facts.address, candidate.address, placeholders.is_address),
        _telephone(facts, candidate),
    ]
    if others:
        them = "One other record" if others == 1 else f"{others} other records"
        rows.append(Row("Namesakes", (Piece(f"{them} there may be this patient’s too"),), (), Verdict.CARE))
    rows.sort(key=lambda row: (ORDER.index(row.verdict), not row.decisive))
    differing = [row for row in rows if row.verdict is Verdict.DIFFERENT]
    return Comparison(tuple(rows), len(differing), sum(row.decisive for row in differing), judged.birth_date in DOUBTS)


def _birth_date(facts: PatientFacts, candidate: Candidate, level: Likeness) -> Row:
    ours, theirs = _day(facts.birth_date), _day(candidate.birth_date)
    row = _row("Birth date", ours, theirs, level, decisive=level in DOUBTS)
    if level in DOUBTS:
        one, other = (day_of(facts.birth_date or "") or ""), (day_of(candidate.birth_date or "") or "")
        swapped = one[:4] == other[:4] and one[5:7] == other[8:] and one[8:] == other[5:7]
        digit = sum(a != b for a, b in zip(one, other, strict=False)) == 1
        note = "Decisive. Day and month swapped?" if swapped else "Decisive. One digit differs" if digit else "Decisive"
        return replace(row, note=note, ours=_parts(ours, theirs), theirs=_parts(theirs, ours))
    return replace(row, note="Not given to the day") if level is Likeness.COMPATIBLE else row


def _parts(text: str, other: str) -> tuple[Piece, ...]:
    """Day, month and year are marked whole: half a number is no help."""
    words, others = text.split(), other.split()
    if len(words) != len(others):
        return (Piece(text, True),)
    pieces = [Piece(word, word != opposite) for word, opposite in zip(words, others, strict=True)]
    return tuple(piece for at, piece in enumerate(pieces) for piece in ((Piece(" "), piece) if at else (piece,)))


def _names(facts: PatientFacts, candidate: Candidate, judged: Judgement) -> list[Row]:
    family, given = _shown(candidate.name)
    name = judged.name
    notes = {"order swapped": "The other way round", "a former name": "A former name", "part of a double name": "Part of a double name"}
    note = notes.get(name.note, "")
    rows = [
        _row("Family name", facts.family or ("" if facts.given else facts.name), family, name.family, note=note),
        _row("Given name", facts.given, given, name.given, note=note if name.note == "order swapped" else ""),
    ]
    if name.suffix_conflict:
        words = [next((one.suffix for one in side if one.suffix), "") for side in (people.of_chart(facts, ()).names, people.of_candidate(candidate).names)]
        rows.append(Row("Jr, Sr", (Piece(words[0], True),), (Piece(words[1], True),), Verdict.DIFFERENT, "Decisive", True))
    return rows


def _identifier(facts: PatientFacts, candidate: Candidate, own: tuple[PatientId, ...], judged: Judgement) -> Row:
    mine = next((one for one in own if one.issuer == candidate.patient_id.issuer), None)
    shown = mine.value if mine else facts.mrn or ""
    label = mine.issuer if mine else "MRN" if facts.mrn else ""
    row = Row("Identifier", _text(shown), _text(candidate.patient_id.value), Verdict.CANNOT, "Other issuer; like digits prove nothing", False, label, candidate.patient_id.issuer)
    if placeholders.is_identifier(candidate.patient_id.value):
        return replace(row, verdict=Verdict.PLACEHOLDER, note=NEVER)
    if judged.same_identifier:
        return replace(row, ours=_text(candidate.patient_id.value), verdict=Verdict.SAME, note="In the same namespace")
    if judged.other_identifier:
        return replace(row, ours=_marked(shown, candidate.patient_id.value), theirs=_marked(candidate.patient_id.value, shown), verdict=Verdict.DIFFERENT, note="Two numbers of one hospital")
    return row


def _telephone(facts: PatientFacts, candidate: Candidate) -> Row:
    """Only endings are shown: enough to compare, no use for a call."""
    ours, theirs = (_digits(number) for number in (facts.telephone, candidate.telephone))
    row = _plain("Phone", facts.telephone and f"ends in {ours[-4:]}", candidate.telephone and f"ends in {theirs[-4:]}", lambda _: False)
    if candidate.telephone and placeholders.is_telephone(candidate.telephone):
        return replace(row, verdict=Verdict.PLACEHOLDER, note=NEVER, ours=_text(f"ends in {ours[-4:]}" if ours else ""), theirs=_text(f"ends in {theirs[-4:]}"))
    if facts.telephone and candidate.telephone:
        stand_in = placeholders.is_telephone(facts.telephone) or placeholders.is_telephone(candidate.telephone)
        same = ours[-7:] == theirs[-7:]
        plain = replace(row, ours=_text(f"ends in {ours[-4:]}"), theirs=_text(f"ends in {theirs[-4:]}"))
        if stand_in:
            return replace(plain, verdict=Verdict.PLACEHOLDER, note=NEVER)
        return replace(plain, verdict=Verdict.SAME) if same else replace(row, verdict=Verdict.DIFFERENT)
    return row


def _plain(field: str, ours: str | None, theirs: str | None, stand_in: object) -> Row:
    if not ours or not theirs:
        return Row(field, _text(ours), _text(theirs), Verdict.NOT_GIVEN)
    if callable(stand_in) and (stand_in(ours) or stand_in(theirs)):
        return Row(field, _text(ours), _text(theirs), Verdict.PLACEHOLDER, NEVER)
    if "".join(filter(str.isalnum, ours.casefold())) == "".join(filter(str.isalnum, theirs.casefold())):
        return Row(field, _text(ours), _text(theirs), Verdict.SAME)
    return Row(field, _marked(ours, theirs), _marked(theirs, ours), Verdict.DIFFERENT, "People move" if field == "Address" else "")


def _row(field: str, ours: str, theirs: str, level: Likeness, *, note: str = "", decisive: bool = False) -> Row:
    if level in DOUBTS:
        said = note or ("Close spelling" if level is Likeness.CLOSE else "Decisive" if decisive else "")
        return Row(field, _marked(ours, theirs), _marked(theirs, ours), Verdict.DIFFERENT, said, decisive)
    verdict, said = {
        Likeness.SAME: (Verdict.SAME, ""),
        Likeness.VARIANT: (Verdict.SAME, "Written otherwise, or in part"),
        Likeness.COMPATIBLE: (Verdict.CANNOT, "Neither for nor against"),
        Likeness.PLACEHOLDER: (Verdict.PLACEHOLDER, NEVER),
        Likeness.UNREADABLE: (Verdict.CANNOT, "Other writing, or damaged characters"),
    }.get(level, (Verdict.NOT_GIVEN, ""))
    return Row(field, _text(ours), _text(theirs), verdict, note if note and verdict is Verdict.SAME else said)


def _text(text: str | None) -> tuple[Piece, ...]:
    return (Piece(text),) if text else ()


def _marked(text: str, other: str) -> tuple[Piece, ...]:
    """`text` with what `other` does not have marked."""
    if not text:
        return ()
    matcher = SequenceMatcher(None, text.casefold(), other.casefold(), autojunk=False)
    if len(text.casefold()) != len(text) or matcher.ratio() < 0.4:
        return (Piece(text, True),)
    return tuple(Piece(text[start:stop], tag != "equal") for tag, start, stop, _, _ in matcher.get_opcodes() if stop > start)


def _shown(name: str | None) -> tuple[str, str]:
    """Family and given names of a PN as they are printed, its groups beside each other."""
    families, givens = [], []
    for group in (name or "").split("=")[:3]:
        family, _, rest = group.partition("^") if "^" in group else group.partition(",")
        families.append(family.strip())
        givens.append(" ".join(part for part in rest.split("^")[:2] if part).strip())
    return " / ".join(filter(None, families)), " / ".join(filter(None, givens))


def _day(text: str | None) -> str:
    iso = day_of(text) if text else None
    if iso is None:
        return text or ""
    year, month, day = (*iso.split("-"), "", "")[:3]
    return " ".join(part for part in (day, MONTHS[int(month) - 1] if month else "", year) if part)


def _sex(sex: str | None) -> str:
    return {"F": "Female", "M": "Male", "O": "Other"}.get(SEXES.get((sex or "").lower(), ""), sex or "")


def _digits(number: str | None) -> str:
    return "".join(filter(str.isdigit, number or ""))
