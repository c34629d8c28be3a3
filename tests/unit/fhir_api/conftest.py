"""One Priors a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.fhir_api.world import World, build_world


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = build_world(tmp_path, monkeypatch)
    yield made
    made.parts.database.engine.dispose()
