"""One town for all journeys of a module; the small pictures are made once a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import peers
from tests.town import Town
from tests.town import town as build_town


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Kept between runs: building them is not what is tested here."""
    return Path(__file__).resolve().parents[1] / "out" / "pictures"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Town]:
    with build_town(tmp_path_factory.mktemp("town"), pictures) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's browser, one for all journeys of a module."""
    with peers.chromium() as found:
        yield found


@pytest.fixture(autouse=True)
def _healed(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "town" in request.fixturenames:
        request.getfixturevalue("town").heal()
