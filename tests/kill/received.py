"""Stories of what was received: two persons decide, a stored study is taken out and shown again, bytes go, a chart appears."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update

from smart_app.audit.events import Who
from smart_app.audit.models import AuditRecord
from smart_app.image_requests.types import State
from smart_app.intake.awaited import KIND as AWAITED
from smart_app.intake.models import ReceivedStudyRow, WithdrawnStudyRow
from smart_app.intake.received import Received, Standing
from smart_app.intake.review import Reviewer
from smart_app.intake.types import ItemState
from smart_app.parts import Parts
from smart_app.spool.models import UploadRow
from smart_app.wiring import work
from smart_app.wiring.intake import PURGE, intake_of, items_of
from tests.kill import sending
from tests.kill.at_the_desk import stand_ready
from tests.kill.story import Programs, Story, nothing, sent
from tests.peers import wait_until
from tests.unit.intake.hospital import PATIENT, made

UNSURE = {f"CT{number}": made("8", number, PatientID="", IssuerOfPatientID="", AccessionNumber="", StudyDescription="CT head") for number in (1, 2, 3)}
"""The right name, birth date and sex, and no number: two persons have to look."""
OTHER = {"CR1": made("9", 1, PatientID="", IssuerOfPatientID="", AccessionNumber="", StudyDescription="XR hand")}
ALL = frozenset(ItemState)


def reviewer(name: str) -> Reviewer:
    return Reviewer(Who("default", "northgate", name, name.title(), "", "", ""))


def unsure(parts: Parts) -> None:
    """Sent and screened; nobody has decided."""
    sent(parts, UNSURE)
    do(parts, "screen")


def decide(parts: Parts) -> None:
    """The first of two says that it is the right person, then the second. Each looks at it as it stands; the first does not say it twice."""
    review = intake_of(parts).review
    for name, state in (("grant", ItemState.IN_REVIEW), ("ruiz", ItemState.SECOND_PERSON)):
        (item,) = items_of(parts).in_state(*ALL)
        if item.state is state:
            review.confirm(reviewer(name), {item.id: item.version}, reason="compared with the chart")


def decided_by_two(parts: Parts, programs: Programs) -> None:
    item = study(parts, "8")
    assert [one.subject for one in item.content.opinions] == ["grant", "ruiz"]
    assert _audited(parts, "IntakeDecided") == 2, "each once, with their name"


def stored(parts: Parts) -> None:
    sent(parts)
    wait_until(lambda: do(parts, "screen", "store", "dispatch", "tell") == 0 and study(parts, "7").state is ItemState.STORED, "the study to be stored")


def take_out(parts: Parts) -> None:
    """A wrong one is taken out of view; then somebody has it looked at again. Who got no answer looks how it stands."""
    undo, by = intake_of(parts).undo, reviewer("grant")
    if _audited(parts, "IntakeWithdrawn") < 1:
        item = study(parts, "7")
        undo.withdraw(by, item.id, item.version, "it is of another person")
    if _audited(parts, "IntakeWithdrawn") < 2:
        item = study(parts, "7")
        undo.look_again(by, item.id, item.version)


def out_with_originals(parts: Parts, programs: Programs) -> None:
    item = study(parts, "7")
    assert item.state is ItemState.IN_REVIEW
    with parts.database.reading() as session:
        assert [row.item for row in session.scalars(select(WithdrawnStudyRow))] == [item.id], "in no view until it is stored again"
    assert _audited(parts, "IntakeWithdrawn") == 2
    assert intake_of(parts).undo.originals(item).are_whole


def taken_back(parts: Parts) -> None:
    """Stored, taken out, and two persons have said that it was right after all. It is to be read back."""
    stored(parts)
    take_out(parts)
    decide(parts)


def in_view_again(parts: Parts, programs: Programs) -> None:
    assert study(parts, "7").state is ItemState.STORED
    with parts.database.reading() as session:
        assert session.scalars(select(WithdrawnStudyRow)).all() == [], "never both hidden and stored"


def over(parts: Parts, *, both: bool) -> None:
    """Two studies came together; one was left, and its time is over. The other one's is, too, or it waits."""
    sent(parts, {**UNSURE, **OTHER})
    do(parts, "screen")
    left = [study(parts, "8"), *([study(parts, "9")] if both else [])]
    intake_of(parts).review.leave(reviewer("grant"), {one.id: one.version for one in left})
    with parts.database.transaction() as session:
        past = parts.clock() - timedelta(days=1)
        session.execute(update(ReceivedStudyRow).where(ReceivedStudyRow.id.in_([one.id for one in left])).values(expires_at=past))
        parts.ledger.add(session, PURGE, "1")


def all_gone(parts: Parts, programs: Programs) -> None:
    assert {study(parts, "8").state, study(parts, "9").state} == {ItemState.EXPIRED}
    assert _audited(parts, "IntakeExpired") == 2
    with parts.database.reading() as session:
        assert set(session.scalars(select(UploadRow.state))) == {"removed"}
    assert not list(parts.spool.root.iterdir()), "no byte of it is left on the disk"


def one_gone(parts: Parts, programs: Programs) -> None:
    items = items_of(parts)
    gone, kept = study(parts, "8"), study(parts, "9")
    assert (gone.state, kept.state, _audited(parts, "IntakeExpired")) == (ItemState.EXPIRED, ItemState.IN_REVIEW, 1)
    assert not [one for one in items.instances(gone.id) if Path(one.source.path).exists()], "no byte of it is left on the disk"
    assert [Path(one.source.path).read_bytes() for one in items.instances(kept.id)] == list(OTHER.values())


def ahead(parts: Parts) -> None:
    """Sent with a link for emergencies before there was a chart; now there is one, and somebody looks."""
    stand_ready(parts)
    sending.send_all(parts, sending.STUDY)
    do(parts, "screen")
    with parts.database.transaction() as session:
        parts.ledger.add(session, AWAITED, "1")


def linked_once(parts: Parts, programs: Programs) -> None:
    item = study(parts, "7")
    assert (item.standing, item.state, item.content.patient) == (Standing.CERTAIN, ItemState.IN_REVIEW, PATIENT)
    assert _audited(parts, "IntakeDecided") == len([line for line in item.content.history if line.words.endswith("linked")]) == 1


def do(parts: Parts, *kinds: str) -> int:
    return parts.ledger.run_due({kind: handler for kind, handler in work.handlers(parts).items() if kind in kinds})


def study(parts: Parts, number: str) -> Received:
    (found,) = [one for one in items_of(parts).in_state(*ALL) if one.summary.study.endswith(f".{number}")]
    return found


def _audited(parts: Parts, event: str) -> int:
    with parts.database.reading() as session:
        return session.scalar(select(func.count()).select_from(AuditRecord).where(AuditRecord.event == event)) or 0


RECEIVED, STORED = frozenset({State.SENT, State.IN_REVIEW}), frozenset({State.SENT, State.STORED})
TAKEN_OUT = frozenset({State.SENT, State.ACCEPTED})
USES: Mapping[str, Callable[[Parts], None]] = {"decide": decide, "take-out": take_out}
STORIES: Mapping[str, Story] = {
    "review": Story(unsure, "decide", decide, STORED, survivor="work", mails=4, stored=UNSURE, proof=decided_by_two),
    "undo": Story(stored, "take-out", take_out, TAKEN_OUT, survivor="work", mails=5, proof=out_with_originals),
    "back": Story(taken_back, "work", nothing, STORED, survivor="work", mails=6, stored=sending.STUDY, proof=in_view_again),
    "expire": Story(lambda parts: over(parts, both=True), "work", nothing, frozenset({State.SENT, State.ACCEPTED}), survivor="work", mails=4, proof=all_gone),
    "expire-part": Story(lambda parts: over(parts, both=False), "work", nothing, RECEIVED, survivor="work", mails=3, proof=one_gone),
    "ahead": Story(ahead, "ehr", nothing, frozenset(), survivor="ehr", asked=(), proof=linked_once),
}
