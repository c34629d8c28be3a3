"""A bell rings once a transaction that stands, over Redis also in another process; without Redis nobody waits and nothing is lost."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from redis import Redis

from smart_app.clock import utc_now
from smart_app.db import Database
from smart_app.jobs import worker as worker_module
from smart_app.jobs.bell import InProcess
from smart_app.jobs.huey_bell import ENOUGH, QUEUE, RedisBell
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.worker import Worker
from tests import peers
from tests.peers import wait_until


class Counting(InProcess):
    def __init__(self) -> None:
        super().__init__()
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1


def test_it_rings_once_a_transaction_and_only_for_what_stands(database: Database) -> None:
    ledger = Ledger(database, utc_now, bell := Counting())
    with database.transaction() as session:
        for key in "abc":
            ledger.add(session, "tell", key)
        assert bell.rings == 0, "nobody could see the rows yet"
    assert bell.rings == 1
    with suppress(ZeroDivisionError), database.transaction() as session:
        ledger.add(session, "tell", "d")
        raise ZeroDivisionError
    assert bell.rings == 1


@pytest.fixture
def heard() -> list[float]:
    return []


@contextmanager
def listening(bell: RedisBell, wake: Callable[[], None]) -> Iterator[None]:
    end = bell.listen(wake)
    try:
        yield
    finally:
        end()


def test_a_ring_is_heard_elsewhere_and_carries_nothing(heard: list[float]) -> None:
    with peers.redis() as (url, _):
        here, there = RedisBell(url), RedisBell(url)
        here.ring()
        client = Redis.from_url(url)
        wait_until(lambda: client.llen(f"huey.redis.{QUEUE}") == 1, "the ring")
        assert client.lrange(f"huey.redis.{QUEUE}", 0, -1) == [b"1"]
        client.close()
        with listening(there, lambda: heard.append(1)):
            wait_until(lambda: len(heard) == 1, "the ring to be heard")


def test_rings_that_nobody_hears_do_not_pile_up() -> None:
    with peers.redis() as (url, _):
        client, bell = Redis.from_url(url), RedisBell(url)
        for n in range(ENOUGH + 20):
            bell.ring()
            wait_until(lambda n=n: client.llen(f"huey.redis.{QUEUE}") >= min(n, ENOUGH), "the ring")
        assert client.llen(f"huey.redis.{QUEUE}") <= ENOUGH
        client.close()


def test_a_redis_that_hangs_keeps_nobody_waiting(database: Database) -> None:
    with peers.redis() as (url, process):
        ledger = Ledger(database, utc_now, RedisBell(url))
        os.kill(process.pid, signal.SIGSTOP)
        try:
            done = threading.Event()

            def take_in() -> None:
                for n in range(20):
                    with database.transaction() as session:
                        ledger.add(session, "tell", str(n))
                done.set()

            threading.Thread(target=take_in).start()
            assert done.wait(20), "twenty rings against a Redis that says nothing"
        finally:
            os.kill(process.pid, signal.SIGCONT)


def test_work_goes_on_without_redis_and_the_bell_comes_back(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushed, stopped, started again: all that was taken in is done, each once."""
    monkeypatch.setattr(worker_module, "LOOK_SECONDS", 0.2)
    done: list[str] = []
    port = peers.free_port()
    url = f"redis://127.0.0.1:{port}/0"
    web = Ledger(database, utc_now, RedisBell(url))
    worker = Worker(Ledger(database, utc_now, RedisBell(url)), {"tell": lambda job: done.append(job.key)})

    def take_in(*keys: str) -> None:
        with database.transaction() as session:
            for key in keys:
                web.add(session, "tell", key)

    with peers.redis(port):
        worker.start()
        take_in("a", "b")
        wait_until(lambda: len(done) == 2, "the work with a bell")
        client = Redis.from_url(url)
        take_in("c")
        client.flushall()
        client.close()
        wait_until(lambda: len(done) == 3, "the work whose ring was flushed")
    take_in("d", "e")
    wait_until(lambda: len(done) == 5, "the work without Redis")
    with peers.redis(port):
        heard: list[int] = []
        with listening(RedisBell(url), lambda: heard.append(1)):
            take_in("f")
            wait_until(lambda: len(done) == 6, "the work after the restart")
        worker.stop(5)
    assert sorted(done) == list("abcdef")
