"""The index in a launch: brought in once, let go as sources answer, and never there when it is off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smart_app.archives.types import Answer, PatientId, SourceState
from smart_app.db import Database
from smart_app.holdings.store import Holdings
from smart_app.index.memory import Memory, standing
from smart_app.index.store import Index
from smart_app.sealing import Keyring
from tests.unit.index.test_entry import EARLIER, FACTS, ID, NOW, told, uids
from tests.unit.index.test_store import CTX

SOURCES = frozenset({"kestrel", "ehr:n"})


class World:
    def __init__(self, db: Database, keyring: Keyring, *, days: int = 30) -> None:
        self.ids: tuple[PatientId, ...] = (ID,)
        self.holdings = Holdings(db, keyring, lambda: NOW)
        self.index = Index(db, keyring, lambda: NOW, days=days, shared=frozenset({"kestrel"}))
        self.memory = Memory(self.index, self.holdings, lambda ctx, facts, archive: self.ids if archive == "kestrel" else ())

    def answers(self, handle: str = CTX.handle) -> dict[str, Answer]:
        return {answer.source: answer for answer in self.holdings.answers(handle)}


@pytest.fixture
def world(database: Database, keyring: Keyring) -> World:
    made = World(database, keyring)
    made.memory.remember(replace(CTX, handle="L0"), FACTS, [told(1, 2)])
    return made


def test_it_is_brought_at_the_first_look_only(world: World) -> None:
    world.memory.bring(CTX, FACTS, SOURCES)
    assert uids(world.answers()["kestrel/earlier"]) == {"1", "2"}
    assert world.holdings.held(CTX.handle, "kestrel", "2.25.1") is not None
    world.holdings.drop_answer(CTX.handle, "kestrel/earlier")
    world.holdings.save_answer(CTX.handle, told())
    world.memory.bring(CTX, FACTS, SOURCES)
    assert set(world.answers()) == {"kestrel"}


def test_a_source_that_is_no_longer_asked_is_not_shown(world: World) -> None:
    world.memory.bring(CTX, FACTS, frozenset({"ehr:n"}))
    assert world.answers() == {}


def test_a_changed_crosswalk_brings_nothing_and_forgets(world: World) -> None:
    world.ids = ()
    world.memory.bring(CTX, FACTS, SOURCES)
    world.ids = (ID,)
    world.memory.bring(CTX, FACTS, SOURCES)
    assert world.answers() == {}


@pytest.mark.parametrize(("now", "left"), [
    (told(1), None), (told(state=SourceState.FAILED), {"1", "2"}), (told(1, state=SourceState.PARTIAL, more_exist=True), {"2"}),
])  # fmt: skip
def test_what_a_source_says_takes_away_what_it_makes_outdated(world: World, now: Answer, left: set[str] | None) -> None:
    world.memory.bring(CTX, FACTS, SOURCES)
    world.holdings.save_answer(CTX.handle, now)
    world.memory.settle(CTX, [now])
    rest = world.answers().get("kestrel/earlier")
    assert (rest and uids(rest)) == left
    for number in ("1", "2"):
        openable = number in uids(now) or number in (left or ())
        assert (world.holdings.held(CTX.handle, "kestrel", f"2.25.{number}") is not None) is openable


def test_switched_off_it_neither_takes_nor_brings(world: World, database: Database, keyring: Keyring) -> None:
    off = World(database, keyring, days=0)
    off.memory.bring(CTX, FACTS, SOURCES)
    off.memory.remember(CTX, FACTS, [told(5)])
    off.memory.settle(CTX, [told(5)])
    assert off.answers() == {}
    world.memory.bring(replace(CTX, handle="L9"), FACTS, SOURCES)
    assert uids(world.answers("L9")["kestrel/earlier"]) == {"1", "2"}


def test_the_list_does_not_wait_for_the_holdings_to_be_tidied() -> None:
    """Between an answer and its tidying another tab may look."""
    assert set(standing({"kestrel": told(1), "kestrel/earlier": EARLIER})) == {"kestrel"}
    assert uids(standing({"kestrel/earlier": EARLIER})["kestrel/earlier"]) == {"1", "2"}
    assert "kestrel/reports" in standing({"kestrel": told(1), "kestrel/reports": replace(told(), source="kestrel/reports")})


def test_a_patient_merged_away_is_forgotten_as_sources_answer(world: World) -> None:
    world.memory.remember(CTX, replace(FACTS, replaced_by="p9"), [told(1)])
    world.memory.bring(CTX, FACTS, SOURCES)
    assert world.answers() == {}
