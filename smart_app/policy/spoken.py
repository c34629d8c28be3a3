"""What a chart says of studies, under the same rules as the studies themselves. Pure.

Reports, orders and letters that share a number, an order or a study are about one examination: hidden is all of it or
nothing, so that an order does not tell what its report may not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from smart_app.archives.types import Answer, EvidenceRecord, PurposeRecord, StudyRecord
from smart_app.policy.rules import Effect

Name = tuple[str, str]


@dataclass(frozen=True)
class Said:
    """All pieces about one examination, each with the key of the answer it came in."""

    pieces: tuple[tuple[str, EvidenceRecord], ...]

    @property
    def about(self) -> frozenset[Name]:
        return frozenset(name for _, piece in self.pieces for name in _names(piece))

    def speaks_of(self, record: StudyRecord) -> bool:
        """Whether it may be about this study. Rather too much is taken for that than too little."""
        return bool(self.about & _names_of(record)) or any(_same_day(piece, record) for _, piece in self.pieces)

    def records(self) -> tuple[StudyRecord, ...]:
        """The examination as the rules see it: a study at no archive."""
        return tuple(
            StudyRecord(
                piece.reference, key.partition("/")[0], piece.organization or "", None, date=piece.date, modalities=piece.modalities,
                confidentiality=piece.confidentiality,
            )
            for key, piece in self.pieces
        )  # fmt: skip


def examinations(answers: Mapping[str, Answer]) -> tuple[Said, ...]:
    """The evidence of all answers, what belongs together put together, in the order it was told."""
    groups: list[tuple[set[Name], list[tuple[str, EvidenceRecord]]]] = []
    for key, answer in answers.items():
        for piece in answer.evidence or ():
            names = set(_names(piece))
            joined = [group for group in groups if group[0] & names]
            merged = [one for group in joined for one in group[1]]
            groups = [group for group in groups if group not in joined]
            groups.append((names.union(*(group[0] for group in joined)), [*merged, (key, piece)]))
    return tuple(Said(tuple(pieces)) for _, pieces in groups)


def effect_on(said: Said, decide: Callable[[Sequence[StudyRecord]], Effect]) -> Effect:
    """What the rules say of it. Of an examination with neither label nor modality nothing can be said, and it is shown."""
    if any(piece.confidentiality or piece.modalities for _, piece in said.pieces):
        return decide(said.records())
    return Effect.SHOW


def reason_of(key: str, purpose: PurposeRecord) -> Said:
    """Why the chart is open, as something said: its words may tell what a rule hides. Only an order is of one day's examination."""
    day = purpose.date if purpose.kind == "order" else None
    piece = EvidenceRecord(purpose.kind, purpose.reference, purpose.title, day, accessions=purpose.accessions, confidentiality=purpose.confidentiality)
    return Said(((key, piece),))


def without(answers: Mapping[str, Answer], hidden: Iterable[Said]) -> dict[str, Answer]:
    """The answers without these pieces."""
    gone = {(key, piece) for said in hidden for key, piece in said.pieces}
    return {
        key: answer if answer.evidence is None else replace(answer, evidence=tuple(piece for piece in answer.evidence if (key, piece) not in gone))
        for key, answer in answers.items()
    }


def _names(piece: EvidenceRecord) -> Iterable[Name]:
    yield from (("number", number) for number in piece.accessions)
    yield from (("study", study) for study in piece.studies)
    yield from (("order", order) for order in piece.orders)
    if piece.kind == "order":
        yield ("order", piece.reference)


def _names_of(record: StudyRecord) -> frozenset[Name]:
    return frozenset({("study", record.uid), ("study", record.fhir_id or record.uid), *([("number", record.accession)] if record.accession else ())})


def _same_day(piece: EvidenceRecord, record: StudyRecord) -> bool:
    if not record.date or piece.date is None or piece.date[:10] != record.date:
        return False
    return not piece.modalities or not record.modalities or bool(set(piece.modalities) & set(record.modalities))
