"""The SQL session store on both engines: who owns a launch, when it ends, and what a stolen database shows."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from launch.context import LaunchContext, User
from launch.session import PendingLaunch, TokenSet
from smart_app.db import Base, Database
from smart_app.sealing import CannotOpen, Keyring
from smart_app.session_store import BrowserRow, LaunchRow, PendingRow, SqlSessionStore

TABLES = [row.__table__ for row in (BrowserRow, PendingRow, LaunchRow)]
IDLE = timedelta(minutes=15)
START = datetime(2026, 5, 21, 9, 0, tzinfo=UTC)


@dataclass
class Bench:
    """The store, its clock, and what it has told about."""

    db: Database
    store: SqlSessionStore
    ended: list[str]
    now: datetime = START

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def opened(self, user: str = "dr-halloran", browser: str | None = None, **changes: Any) -> tuple[str, str]:
        """Open a launch; its handle and the cookie."""
        made = context(subject=user, opened_at=self.now, expires_at=self.now + timedelta(hours=8), **changes)
        return made.handle, self.store.open_launch(browser, made, tokens(self.now))


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    url = f"sqlite:///{tmp_path / 's.sqlite3'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    db = Database(url)
    Base.metadata.drop_all(db.engine, tables=TABLES)
    Base.metadata.create_all(db.engine, tables=TABLES)
    ended: list[str] = []
    made: Bench
    store = SqlSessionStore(db, Keyring({"k": secrets.token_bytes(32)}), lambda: made.now, idle=IDLE, on_end=ended.append)
    made = Bench(db, store, ended)
    yield made
    db.engine.dispose()


def context(subject: str = "dr-halloran", **changes: Any) -> LaunchContext:
    user = User("https://ehr.test", subject, "https://ehr.test/Practitioner/1", "Dr Ines Halloran", {"sub": subject, "priors_roles": ["clinician"]})
    plain = LaunchContext(
        handle=secrets.token_urlsafe(32),
        issuer_key="northgate",
        issuer="https://ehr.test/fhir",
        user=user,
        patient_id="chart-1",
        encounter_id=None,
        scopes=frozenset({"openid", "patient/Patient.rs"}),
        opened_at=START,
        expires_at=START + timedelta(hours=8),
        fhir_context=({"reference": "ImagingStudy/1"},),
    )
    return replace(plain, **changes)


def tokens(now: datetime) -> TokenSet:
    return TokenSet("access-canary", now + timedelta(hours=1), "refresh-canary", "https://ehr.test/token", now + timedelta(minutes=59))


def pending(state: str = "state-canary", created_at: datetime = START) -> PendingLaunch:
    return PendingLaunch(state, "nonce-canary", "verifier-canary", "b" * 64, "__Host-lb-00000000", "northgate", True, created_at, True, "https://ehr.test")


# -- pending launches --


def test_a_pending_launch_comes_back_once_and_whole(bench: Bench) -> None:
    bench.store.put_pending(pending())
    assert bench.store.take_pending("state-canary") == pending()
    assert bench.store.take_pending("state-canary") is None


def test_of_twenty_callbacks_with_one_state_one_wins(bench: Bench) -> None:
    bench.store.put_pending(pending())
    with ThreadPoolExecutor(20) as pool:
        taken = list(pool.map(lambda _: bench.store.take_pending("state-canary"), range(20)))
    assert sum(found is not None for found in taken) == 1


@pytest.mark.parametrize(("seconds", "lives"), [(599, True), (600, False), (3600, False)])
def test_ten_minutes(bench: Bench, seconds: int, lives: bool) -> None:
    bench.store.put_pending(pending())
    bench.forward(seconds=seconds)
    assert (bench.store.take_pending("state-canary") is not None) is lives


@pytest.mark.parametrize("state", ["", "%", "state-canar", "STATE-CANARY", "a\0b", "\ud800", "x" * 10_000])
def test_states_of_nobody(bench: Bench, state: str) -> None:
    bench.store.put_pending(pending())
    assert bench.store.take_pending(state) is None


# -- launches --


def test_a_launch_comes_back_as_it_was(bench: Bench) -> None:
    made = context()
    cookie = bench.store.open_launch(None, made, tokens(bench.now))
    assert bench.store.find(made.handle, cookie) == made
    assert bench.store.tokens(made.handle) == tokens(bench.now)


def test_a_handle_is_useless_without_its_cookie(bench: Bench) -> None:
    handle, cookie = bench.opened()
    other, other_cookie = bench.opened()
    assert cookie != other_cookie
    for wrong in (None, "", "x", other_cookie, cookie[:-1], cookie.upper(), "a\0b"):
        assert bench.store.find(handle, wrong) is None
        assert not bench.store.has_ended(handle, wrong)
    assert bench.store.find(other, other_cookie)


@pytest.mark.parametrize("handle", ["", "x", "x" * 43, "x" * 1000, "%", "a\0b" * 10, "' OR 1=1 -- padded to be long", "\ud800" * 30])
def test_handles_of_nobody(bench: Bench, handle: str) -> None:
    _, cookie = bench.opened()
    assert bench.store.find(handle, cookie) is None
    assert not bench.store.has_ended(handle, cookie)


def test_launches_of_one_user_coexist_under_one_cookie(bench: Bench) -> None:
    first, cookie = bench.opened(patient_id="a")
    second, again = bench.opened(browser=cookie, patient_id="b")
    assert again == cookie
    assert [bench.store.find(handle, cookie).patient_id for handle in (first, second, first)] == ["a", "b", "a"]  # type: ignore[union-attr]


def test_another_user_ends_the_earlier_users_launches_and_gets_a_new_cookie(bench: Bench) -> None:
    first, cookie = bench.opened()
    second, _ = bench.opened(browser=cookie)
    theirs, fresh = bench.opened("dr-other", browser=cookie)
    assert fresh != cookie
    assert bench.store.find(first, cookie) is None
    assert bench.store.find(second, fresh) is None
    assert bench.store.tokens(first) is None
    assert bench.store.find(theirs, fresh)
    assert bench.store.find(theirs, cookie) is None
    assert set(bench.ended) == {first, second}


def test_the_same_subject_at_another_issuer_is_another_user(bench: Bench) -> None:
    first, cookie = bench.opened()
    made = context()
    made = replace(made, user=replace(made.user, issuer="https://other.test"))
    assert bench.store.open_launch(cookie, made, tokens(bench.now)) != cookie
    assert bench.store.find(first, cookie) is None


def test_an_unknown_cookie_is_never_adopted(bench: Bench) -> None:
    _, cookie = bench.opened(browser="planted-by-an-attacker-planted-by-an-attacker")
    assert cookie != "planted-by-an-attacker-planted-by-an-attacker"


def test_twenty_launches_at_once_in_one_browser(bench: Bench) -> None:
    _, cookie = bench.opened()
    with ThreadPoolExecutor(20) as pool:
        made = list(pool.map(lambda i: bench.opened(browser=cookie, patient_id=f"p{i}"), range(20)))
    for i, (handle, again) in enumerate(made):
        assert again == cookie
        assert bench.store.find(handle, cookie).patient_id == f"p{i}"  # type: ignore[union-attr]


# -- lifetimes --


def test_idle_ends_it_and_use_keeps_it(bench: Bench) -> None:
    handle, cookie = bench.opened()
    for _ in range(4):
        bench.forward(minutes=14)
        assert bench.store.find(handle, cookie)
    bench.forward(minutes=15)
    assert bench.store.has_ended(handle, cookie)
    assert bench.store.find(handle, cookie) is None
    assert bench.store.tokens(handle) is None
    assert bench.ended == [handle]


def test_the_absolute_end_holds_under_use(bench: Bench) -> None:
    handle, cookie = bench.opened()
    for _ in range(47):
        bench.forward(minutes=10)
        assert bench.store.find(handle, cookie)
    bench.forward(minutes=10)
    assert bench.store.find(handle, cookie) is None
    assert bench.store.has_ended(handle, cookie)


def test_an_end_is_an_end(bench: Bench) -> None:
    handle, cookie = bench.opened()
    bench.store.end(handle)
    bench.store.end(handle)
    bench.store.save_tokens(handle, tokens(bench.now))
    assert bench.store.find(handle, cookie) is None
    assert bench.store.tokens(handle) is None
    assert bench.store.has_ended(handle, cookie)
    assert bench.ended == [handle]


def test_find_reads_once_and_writes_at_most_every_30_seconds(bench: Bench) -> None:
    handle, cookie = bench.opened()
    statements: list[str] = []
    event.listen(bench.db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    bench.store.find(handle, cookie)
    assert len([s for s in statements if s.startswith("SELECT")]) == 1
    for _ in range(30):
        bench.forward(seconds=2)
        bench.store.find(handle, cookie)
    assert len([s for s in statements if s.startswith("UPDATE")]) == 1


def test_the_sweep_ends_and_forgets(bench: Bench) -> None:
    handle, cookie = bench.opened()
    bench.store.put_pending(pending())
    bench.forward(minutes=20)
    bench.store.sweep()
    assert bench.ended == [handle]
    assert bench.store.live_launches() == 0
    assert bench.store.has_ended(handle, cookie), "its tab may still say so"
    bench.forward(days=2)
    bench.store.sweep()
    assert not bench.store.has_ended(handle, cookie)
    with bench.db.reading() as session:
        assert [session.scalar(text(f"SELECT count(*) FROM {table.name}")) for table in TABLES] == [0, 0, 0]


# -- one refresh at a time --


def test_the_refresh_lock_lets_one_in(bench: Bench) -> None:
    handle, _ = bench.opened()
    inside, most = 0, 0

    def worker(_: int) -> None:
        nonlocal inside, most
        with bench.store.refresh_lock(handle):
            inside += 1
            most = max(most, inside)
            inside -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(worker, range(16)))
    assert most == 1


def test_an_expired_lease_is_taken_over_and_its_late_owner_frees_nobody_elses(bench: Bench) -> None:
    handle, _ = bench.opened()
    dead = bench.store.refresh_lock(handle)
    dead.__enter__()
    bench.forward(seconds=16)
    with bench.store.refresh_lock(handle):
        dead.__exit__(None, None, None)
        assert not bench.store._lease(handle, "third")


def test_the_lock_of_a_launch_that_is_gone_is_free(bench: Bench) -> None:
    with bench.store.refresh_lock("x" * 43):
        assert bench.store.tokens("x" * 43) is None


def test_the_lock_opens_after_an_error(bench: Bench) -> None:
    handle, _ = bench.opened()
    with pytest.raises(RuntimeError), bench.store.refresh_lock(handle):
        raise RuntimeError
    assert bench.store._lease(handle, "next")


# -- what a stolen database shows --


def test_nothing_readable_is_stored(bench: Bench) -> None:
    handle, cookie = bench.opened(patient_id="patient-canary", intent="intent-canary")
    bench.store.put_pending(pending())
    with bench.db.reading() as session:
        dump = "".join(repr(tuple(row)) for table in TABLES for row in session.execute(text(f"SELECT * FROM {table.name}")))
    canaries = ("canary", cookie, "Halloran", "dr-halloran", "Practitioner", "clinician")
    assert handle in dump
    assert not [word for word in canaries if word in dump]


def test_a_sealed_value_moved_to_another_launch_does_not_open(bench: Bench) -> None:
    mine, cookie = bench.opened()
    theirs, _ = bench.opened("dr-other")
    with bench.db.transaction() as session:
        row, other = session.get(LaunchRow, mine), session.get(LaunchRow, theirs)
        assert row is not None
        assert other is not None
        row.context, row.tokens = other.context, other.tokens
    with pytest.raises(CannotOpen):
        bench.store.find(mine, cookie)
    with pytest.raises(CannotOpen):
        bench.store.tokens(mine)
