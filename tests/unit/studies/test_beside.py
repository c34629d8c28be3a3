"""Requests and origins are read once for the steps of one asking that follow close, and always at its last."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from launch.context import LaunchContext
from smart_app.studies.beside import MOMENT, Reading
from smart_app.studies.received import Origin

CTX = cast(LaunchContext, object())
ORIGIN = Origin("St Brannoc District", datetime(2026, 5, 21, 9, 12, tzinfo=UTC))


class Kept:
    """What is kept, how often it was read, and a clock."""

    def __init__(self) -> None:
        self.origins: dict[str, Origin] = {}
        self.reads, self.at = 0, 100.0

    def read(self, ctx: LaunchContext) -> dict[str, Origin]:
        assert ctx is CTX
        self.reads += 1
        return dict(self.origins)

    def reading(self) -> Reading:
        def asked(ctx: LaunchContext) -> tuple[Any, ...]:
            return ()

        return Reading(CTX, asked, self.read, steady=lambda: self.at)


def test_steps_that_follow_close_read_once() -> None:
    kept = Kept()
    reading = kept.reading()
    for _ in range(6):
        reading.now(is_last=False)
    assert kept.reads == 1


def test_what_is_stored_while_the_list_is_open_is_told_at_the_last_step() -> None:
    kept = Kept()
    reading = kept.reading()
    assert reading.now(is_last=False).origins == {}
    kept.origins["2.25.1"] = ORIGIN
    assert reading.now(is_last=True).origins == {"2.25.1": ORIGIN}


def test_while_a_slow_source_is_waited_for_it_is_read_again_after_a_moment() -> None:
    kept = Kept()
    reading = kept.reading()
    reading.now(is_last=False)
    kept.origins["2.25.1"] = ORIGIN
    kept.at += MOMENT
    assert reading.now(is_last=False).origins == {"2.25.1": ORIGIN}


def test_another_asking_reads_for_itself() -> None:
    kept = Kept()
    kept.reading().now(is_last=False)
    kept.origins["2.25.1"] = ORIGIN
    assert kept.reading().now(is_last=False).origins == {"2.25.1": ORIGIN}
