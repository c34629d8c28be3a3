"""What the worker does when nobody is there to be let in: nothing to those who are."""

from __future__ import annotations

import errno
from collections import deque
from typing import Any

import pytest

from smart_app.serving.worker import Worker


class Listener:
    def __init__(self, number: int) -> None:
        self.number = number

    def accept(self) -> Any:
        raise OSError(self.number, "")


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    made = object.__new__(Worker)
    made.gone = 0
    monkeypatch.setattr(made, "_make_room", lambda: setattr(made, "gone", made.gone + 1), raising=False)
    made.keepalived_conns, made.nr_conns = deque(["somebody"]), 1
    return made


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED])
def test_a_newcomer_who_is_gone_or_let_in_by_another_worker_costs_nobody_a_place(worker: Worker, number: int) -> None:
    worker.accept(Listener(number))
    assert worker.gone == 0


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_room_is_made_when_there_is_none(worker: Worker, number: int) -> None:
    worker.accept(Listener(number))
    assert worker.gone == 1


def test_any_other_fault_of_the_door_is_told(worker: Worker) -> None:
    with pytest.raises(OSError, match=str(errno.EINVAL)):
        worker.accept(Listener(errno.EINVAL))
