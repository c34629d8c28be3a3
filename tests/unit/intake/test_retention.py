"""Bytes go when their time is over, and not before, not under a hold, and not while another item of the same upload needs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from smart_app.audit.events import Who
from smart_app.audit.models import AuditRecord
from smart_app.db import Database
from smart_app.errors import AppError
from smart_app.intake.receipts import Withdrawn
from smart_app.intake.received import Received
from smart_app.intake.retention import Retention
from smart_app.intake.review import Reviewer
from smart_app.intake.types import ItemState
from smart_app.sealing import Keyring
from tests.unit.intake.hospital import Hospital, made, with_scripted

ONE = Reviewer(Who("t", "northgate", "grant", "O. Grant", "", "", ""))


@pytest.fixture
def here(database: Database, keyring: Keyring, tmp_path: Path) -> Iterator[Hospital]:
    with with_scripted(database, keyring, tmp_path) as (made_one, _):
        yield made_one


def two(here: Hospital) -> tuple[Received, Received, Retention]:
    asked = here.ask()
    here.send("u1", [made("1"), made("2", AccessionNumber="X", StudyDescription="XR hand")], asked)
    here.work_now()
    first, second = sorted(here.all(asked), key=lambda one: one.summary.title)
    return first, second, Retention(here.database, here.items, here.spool, here.audit, here.clock, tenant="t")


def paths(here: Hospital, item: Received) -> list[bool]:
    return [Path(one.source.path).exists() for one in here.items.instances(item.id)]


def test_what_is_left_goes_after_its_days_and_what_waits_stays(here: Hospital) -> None:
    kept, left, retention = two(here)
    here.review.leave(ONE, {left.id: left.version})
    here.clock.forward(days=29)
    assert retention.purge() == 0
    here.clock.forward(days=2)
    assert retention.due() == (left.id,)
    assert retention.purge() == 1
    assert here.items.get(left.id).state is ItemState.EXPIRED
    assert (paths(here, kept), paths(here, left)) == ([True], [False])
    assert here.spool.gone == [], "the other study of the upload still waits"
    assert retention.purge() == 0
    kept = here.items.get(kept.id)
    here.review.leave(ONE, {kept.id: kept.version})
    here.clock.forward(days=31)
    assert retention.purge() == 1
    assert here.spool.gone == ["u1"]


def test_a_hold_keeps_it(here: Hospital) -> None:
    _, left, retention = two(here)
    here.review.leave(ONE, {left.id: left.version})
    left = here.items.get(left.id)
    here.review.hold(ONE, left.id, left.version, on=True)
    here.clock.forward(days=400)
    assert retention.purge() == 0
    assert paths(here, left) == [True]


def test_stored_stays_stored_when_its_originals_go(here: Hospital) -> None:
    item, _, retention = two(here)
    here.review.confirm(ONE, {item.id: item.version})
    here.work_now()
    here.clock.forward(days=31)
    assert retention.purge() == 1
    assert here.items.get(item.id).state is ItemState.STORED


class Killed(BaseException):
    pass


def test_who_dies_while_bytes_go_leaves_the_item_due(here: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the two rows nobody may use it, and whoever comes next ends it, once."""
    _, left, retention = two(here)
    here.review.leave(ONE, {left.id: left.version})
    here.clock.forward(days=31)

    def dies(path: Path, missing_ok: bool = False) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", dies)
        with pytest.raises(Killed):
            retention.purge()
    half = here.items.get(left.id)
    assert (half.state, paths(here, left), retention.due()) == (ItemState.EXPIRED, [True], (left.id,))
    with pytest.raises(AppError):
        here.review.put_back(ONE, half.id, half.version)
    assert retention.purge() == 1
    assert (paths(here, left), retention.due()) == ([False], ())
    assert len(expired(here)) == 1


def test_who_holds_it_while_bytes_go_finds_it_as_it_stands(here: Hospital, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was changed meanwhile is not concluded; nothing more of it goes until the hold is over."""
    _, left, retention = two(here)
    here.review.leave(ONE, {left.id: left.version})
    here.clock.forward(days=31)
    unlink = Path.unlink

    def held(path: Path, missing_ok: bool = False) -> None:
        unlink(path, missing_ok=missing_ok)
        here.review.hold(ONE, left.id, here.items.get(left.id).version, on=True)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", held)
        retention.purge()
    assert (here.items.get(left.id).held, expired(here), retention.due()) == (True, [], ())
    here.review.hold(ONE, left.id, here.items.get(left.id).version, on=False)
    assert retention.purge() == 1
    assert len(expired(here)) == 1


def expired(here: Hospital) -> list[AuditRecord]:
    with here.database.reading() as session:
        return list(session.scalars(select(AuditRecord).where(AuditRecord.event == "IntakeExpired")))


def test_what_brought_nothing_that_can_be_used_goes_too(here: Hospital) -> None:
    asked = here.ask()
    here.send("u1", [b"<html>"], asked)
    here.work_now()
    assert here.requests.get(asked.id).reason.startswith("None of the files that came")
    retention = Retention(here.database, here.items, here.spool, here.audit, here.clock, tenant="t")
    here.clock.forward(days=91)
    assert retention.purge() == 1
    assert here.spool.gone == ["u1"]


def test_withdrawn_is_known_within_a_second(here: Hospital) -> None:
    item, _, _ = two(here)
    here.review.confirm(ONE, {item.id: item.version})
    here.work_now()
    item = here.items.get(item.id)
    withdrawn, undo = Withdrawn(here.database, lambda study: here.items.digest("study", study), here.clock), here.undo
    assert not withdrawn("northgate", item.summary.study)
    undo.withdraw(ONE, item.id, item.version, "It is another person's after all")
    here.clock.forward(seconds=1)
    assert withdrawn("northgate", item.summary.study)
    assert not withdrawn("kestrel", item.summary.study)
    assert not withdrawn(None, item.summary.study)
    item = here.items.get(item.id)
    assert undo.originals(item).are_whole
    Path(here.items.instances(item.id)[0].source.path).write_bytes(b"other")
    assert undo.originals(item).intact == 0
