"""One world a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.portal import senders


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[senders.World]:
    with senders.world(tmp_path, monkeypatch) as made:
        yield made
