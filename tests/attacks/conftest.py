"""One arena a module: what one attack leaves behind must not help the next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests import peers
from tests.attacks.arena import Arena, arena


@pytest.fixture(scope="module")
def here(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """On SQLite; where threads race, a module asks for both databases."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as running:
        on = {"database_url": running.enter_context(peers.postgres())} if getattr(request, "param", "sqlite") == "postgresql" else {}
        yield running.enter_context(arena(tmp_path_factory.mktemp("arena"), patch, **on))
