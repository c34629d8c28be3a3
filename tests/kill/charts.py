"""Stories of a chart that moves on between a decision and the storing: turned back, waited for, taken over by the surviving one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from io import BytesIO

from pydicom import dcmread
from sqlalchemy import func, select, update

from smart_app.audit.models import AuditRecord
from smart_app.image_requests.types import State
from smart_app.intake.received import Stage, Standing
from smart_app.intake.types import ItemState
from smart_app.jobs.models import WorkRow
from smart_app.parts import Parts
from smart_app.wiring.intake import intake_of, items_of
from tests.kill import ehr, sending
from tests.kill.received import do, reviewer, study
from tests.kill.story import Programs, Story, nothing, sent


def decided(parts: Parts) -> None:
    """Sent, screened, certain: it is to be stored."""
    sent(parts)
    do(parts, "screen")
    assert study(parts, "7").state is ItemState.STORING


def merge(parts: Parts) -> None:
    ehr.moves_on(parts, ehr.MERGED, ehr.SURVIVOR)


def merged(parts: Parts) -> None:
    decided(parts)
    merge(parts)


def turned_back(parts: Parts) -> None:
    merged(parts)
    do(parts, "store")


def fall_silent(parts: Parts) -> None:
    decided(parts)
    ehr.moves_on(parts, silent=True)


def answer_again(parts: Parts) -> None:
    ehr.moves_on(parts)


def heard_again(parts: Parts) -> None:
    """It was silent, the item says so, and it answers again just when it is asked anew."""
    fall_silent(parts)
    do(parts, "store")
    halt = study(parts, "7").content.halt
    assert halt is not None
    assert halt.word == "ehr-silent"
    answer_again(parts)
    with parts.database.transaction() as session:
        session.execute(update(WorkRow).where(WorkRow.kind == "store").values(due_at=None, put_off_at=None))


def take_survivor(parts: Parts) -> None:
    """Somebody says that the surviving chart is the right one. Who got no answer looks how it stands."""
    item = study(parts, "7")
    if item.content.halt is not None:
        assert intake_of(parts).review.take_survivor(reviewer("grant"), item.id, item.version) is not Standing.OTHER


def back_in_review(parts: Parts, programs: Programs) -> None:
    item = study(parts, "7")
    assert (item.state, item.content.opinions) == (ItemState.IN_REVIEW, ())
    assert item.content.halt is not None
    assert item.content.halt.survivor is not None
    assert item.content.halt.survivor.id == "p9"
    assert not programs.archive.posts, "nothing was sent under a retired chart"
    _told_once(parts, "IntakeTurnedBack", "merged into another")


def stays_in_part(parts: Parts, programs: Programs) -> None:
    """One was verified when it died, and the chart was merged then: the rest goes under no number."""
    item = study(parts, "7")
    assert (item.state, item.content.halt is not None) == (ItemState.STORED_IN_PART, True)
    assert len(programs.archive.posts) == 1, "nothing was sent any more"
    stages = Counter(one.stage for one in items_of(parts).instances(item.id))
    assert stages[Stage.STORED] == 1, "what was not read back is not said to be stored"
    assert {dcmread(BytesIO(data)).PatientID for data in programs.archive.held.values()} == {"40018334"}
    _told_once(parts, "IntakeTurnedBack", "the rest was not stored")


def waited_for(parts: Parts, programs: Programs) -> None:
    item = study(parts, "7")
    assert (item.state, item.content.halt) == (ItemState.STORED, None)
    assert len(programs.archive.posts) == 1, "all in one, once"
    for words in ("asked again every half a minute", "the EHR answers again"):
        assert [words in line.words for line in item.content.history].count(True) <= 1, "each is said once"


def of_the_survivor(parts: Parts, programs: Programs) -> None:
    item = study(parts, "7")
    assert item.content.patient is not None
    assert (item.state, item.content.patient.id, item.content.halt, item.content.opinions) == (ItemState.IN_REVIEW, "p9", None, ())
    assert not programs.archive.posts, "it is to be confirmed first"
    _told_once(parts, "IntakeDecided", "linked it to")


def _told_once(parts: Parts, event: str, words: str) -> None:
    with parts.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditRecord).where(AuditRecord.event == event)) == 1
    assert [words in line.words for line in study(parts, "7").content.history].count(True) == 1


RECEIVED, STORED = frozenset({State.SENT, State.IN_REVIEW}), frozenset({State.SENT, State.STORED})
IN_PART = frozenset({State.SENT, State.STORED_IN_PART})
USES: Mapping[str, Callable[[Parts], None]] = {"take-survivor": take_survivor}
STORIES: Mapping[str, Story] = {
    "merged": Story(merged, "work", nothing, RECEIVED, survivor="work", mails=3, proof=back_in_review),
    "merged-then": Story(decided, "work", merge, IN_PART, survivor="work", mails=4, proof=stays_in_part),
    "silent": Story(fall_silent, "work", answer_again, STORED, survivor="work", mails=4, stored=sending.STUDY, proof=waited_for),
    "heard": Story(heard_again, "work", nothing, STORED, survivor="work", mails=4, stored=sending.STUDY, proof=waited_for),
    "survivor": Story(turned_back, "take-survivor", take_survivor, RECEIVED, survivor="work", mails=3, proof=of_the_survivor),
}
