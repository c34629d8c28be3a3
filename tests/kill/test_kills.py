"""kill -9 at each named step, in both set-ups: 0 lost, 0 double, 0 stuck, taken up again (safety.md G4, J1).

The whole is `make kills`; the ordinary suite plays some, chosen by a seed. One alone: `-k` with the name of the step.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.kill.driver import Setup, kill_at
from tests.kill.steps import STEPS, Step

SEED = int(os.environ.get("PRIORS_SEED", "4"))
SHARE = 2


def test_every_step_has_a_name_of_its_own() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS) >= 40


@pytest.mark.parametrize("step", random.Random(SEED).sample(STEPS, SHARE), ids=lambda step: step.name)
def test_some_steps(step: Step, setup: Setup, tmp_path: Path) -> None:
    kill_at(step, setup, tmp_path)


@pytest.mark.campaign
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_each_step(step: Step, setup: Setup, tmp_path: Path) -> None:
    kill_at(step, setup, tmp_path)
