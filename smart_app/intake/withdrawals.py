"""What was taken out of every view at an archive, and the one way back: the archive's own copy, read back, is this patient's and nothing else.

A row of `withdrawn_studies` hides the study under its number, whoever it is sent for. While it stands, no item of that study is
called stored; it goes in the very transaction in which one is. safety.md P7.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from smart_app.intake.deciding import Verdict
from smart_app.intake.items import Items
from smart_app.intake.models import ReceivedStudyRow, WithdrawnStudyRow
from smart_app.intake.received import OPEN, Instance, Line, Received, Stage, Standing
from smart_app.intake.types import ItemState

WHY = "taken-out"
STAYS = frozenset({Standing.OTHER, Standing.UNLINKED})
WORDS = "taken out of every view"
AGAIN = "the same study was taken out of every view: whose it is has to be looked at anew"


@dataclass(frozen=True)
class TakenOut:
    """What a reviewer has to know of a study that is out of view."""

    item: Received
    """The one that it was taken out with."""
    at: datetime

    @property
    def by(self) -> str:
        return next((line.name for line in reversed(self.item.content.history) if line.words.startswith(WORDS)), "A reviewer")

    @property
    def whom(self) -> str:
        """Under whom the archive's copy was stored."""
        patient = self.item.content.patient
        return patient.name if patient is not None else "somebody"


def is_out(session: Session, archive: str | None, study: str) -> bool:
    """`study`: keyed digest of its number."""
    return archive is not None and session.get(WithdrawnStudyRow, (archive, study)) is not None


def weighed(session: Session, archive: str | None, item: Received, verdict: Verdict) -> Verdict:
    """The verdict as it stands once a person has said that the archive's copy was wrong: never certain, and never one person's."""
    if verdict.standing in STAYS or not (item.content.taken_out or is_out(session, archive, item.study_digest)):
        return verdict
    return Verdict(Standing.TAKEN_OUT, WHY)


def told(items: Items, archive: str | None, item: Received) -> TakenOut | None:
    with items.reading() as session:
        row = session.get(WithdrawnStudyRow, (archive, item.study_digest)) if archive is not None else None
        return TakenOut(items.get(row.item, session), row.at) if row is not None else None


def hide(session: Session, items: Items, item: Received, at: datetime, words: str, reason: str, by: str) -> tuple[Received, ...]:
    """From now on nobody sees it. All items of the same study go with it: what was stored is withdrawn, what is being stored or was
    agreed on waits for people again. Returned are those that are changed, `item` first.
    """
    archive = item.content.archive
    session.merge(WithdrawnStudyRow(archive=archive, study=item.study_digest, item=item.id, at=at))
    session.flush()
    changed = []
    same = session.scalars(select(ReceivedStudyRow.id).where(ReceivedStudyRow.study == item.study_digest).order_by(ReceivedStudyRow.id)).all()
    for id in sorted(same, key=lambda one: one != item.id):
        one = items.get(id, session, lock=True)
        for image in items.instances(id, session):  # what was read back before it was taken out proves nothing from now on
            items.set_stage(session, id, image.digest, image.sha256, Stage.WAITING)
        if one.state in (ItemState.STORED, ItemState.STORED_IN_PART) and one.content.archive == archive:
            content = replace(one.content, taken_out=reason, opinions=())
            after = replace(one, state=ItemState.WITHDRAWN, content=content)
        elif one.state in OPEN or one.state is ItemState.STORING:
            standing = one.standing if one.standing in STAYS else Standing.TAKEN_OUT
            after = replace(one, state=ItemState.IN_REVIEW, standing=standing, content=replace(one.content, opinions=(), why=WHY if standing is Standing.TAKEN_OUT else one.content.why))
        else:
            continue
        line = Line(at, words if after.state is ItemState.WITHDRAWN else AGAIN, by)
        changed.append(items.change(session, id, lambda _, now=after: now, line=line)[1])  # type: ignore[misc]
    return tuple(changed)


def is_all_ours(listed: Collection[str], instances: Sequence[Instance]) -> bool:
    """Whether all that the archive lists of the study was read back as this item's: nothing else is hidden under its number."""
    return set(listed) <= {one.source.header.instance for one in instances if one.stage.is_stored}


def refuse(session: Session, items: Items, item: str) -> None:
    """The archive still holds something else under this study's number: of this item nothing counts as stored."""
    for one in items.instances(item, session):
        items.set_stage(session, item, one.digest, one.sha256, Stage.CONFLICT, WHY)


def lift(session: Session, archive: str, study: str) -> None:
    """It is seen again. Only for who has just read all of it back."""
    row = session.get(WithdrawnStudyRow, (archive, study))
    if row is not None:
        session.delete(row)
