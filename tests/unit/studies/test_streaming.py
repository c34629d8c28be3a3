"""For whom a stream's rows are recorded: with the reason, only while restricted rows are shown and the glass is broken."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from smart_app.audit.events import Who
from smart_app.studies.streaming import Streaming

WHO = Who.nobody("t", "", "")
NOTHING: Any = None
LAUNCH: Any = SimpleNamespace(handle="L1")


def glass(state: object) -> Any:
    return SimpleNamespace(state=lambda handle: state)


@pytest.mark.parametrize(
    ("broken", "state", "purpose"),
    [(True, SimpleNamespace(purpose="ETREAT", id="BG-1"), "ETREAT"), (False, SimpleNamespace(purpose="ETREAT", id="BG-1"), ""), (True, None, "")],
)
def test_the_reason_stands_in_the_record(broken: bool, state: object, purpose: str) -> None:
    assert Streaming(NOTHING, NOTHING, NOTHING, glass(state), NOTHING).acting(WHO, LAUNCH, broken).purpose == purpose
    assert Streaming(NOTHING, NOTHING, NOTHING, None, NOTHING).acting(WHO, LAUNCH, broken) == WHO
