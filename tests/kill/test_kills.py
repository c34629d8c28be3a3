"""kill -9 at each named step, in both set-ups: 0 lost, 0 double, 0 stuck, taken up again (safety.md G4, J1).

The whole is `make kills`; the ordinary suite plays some, chosen by a seed. One alone: `-k` with the name of the step.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from smart_app.jobs.ledger import LEASE
from tests.kill.driver import Setup, kill_at
from tests.kill.steps import STEPS, Step

SEED = int(os.environ.get("PRIORS_SEED", "4"))
SHARE = 2
JUMPED = ("mail:Outbox._prepared:committed", "mail:Post.hand_over:leave", "recall:Dispatch.recall:enter", "store:Stow.send:leave", "store:_Run._read_back:committed")
Noted = Callable[[str, object], None]


def test_every_step_has_a_name_of_its_own() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS) >= 40


@pytest.mark.parametrize("step", random.Random(SEED).sample(STEPS, SHARE), ids=lambda step: step.name)
def test_some_steps(step: Step, setup: Setup, tmp_path: Path, record_property: Noted) -> None:
    record_property("resumed", kill_at(step, setup, tmp_path))


@pytest.mark.campaign
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_each_step(step: Step, setup: Setup, tmp_path: Path, record_property: Noted) -> None:
    record_property("resumed", kill_at(step, setup, tmp_path))


@pytest.mark.campaign
@pytest.mark.parametrize("survivor", ["tomorrow", "yesterday"])
@pytest.mark.parametrize("name", JUMPED)
def test_whoever_goes_on_has_a_clock_that_is_a_day_wrong(name: str, survivor: str, setup: Setup, tmp_path: Path) -> None:
    """safety.md J7: nothing ends early, no letter goes twice."""
    kill_at(named(name), setup, tmp_path, survivor=survivor)


@pytest.mark.campaign
def test_with_the_lease_as_it_is_work_goes_on_within_the_minute(setup: Setup, tmp_path: Path, record_property: Noted) -> None:
    """The other kills have a lease of a second, so that they take seconds; `kill_at` itself gives up after 60."""
    record_property("resumed as it is", kill_at(named("work:Ledger.claim:committed"), setup, tmp_path, lease=LEASE))


def named(name: str) -> Step:
    (step,) = [step for step in STEPS if step.name == name]
    return step
