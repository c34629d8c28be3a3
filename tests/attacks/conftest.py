"""One arena a module: what one attack leaves behind must not help the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.arena import Arena, arena


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    with pytest.MonkeyPatch.context() as patch, arena(tmp_path_factory.mktemp("arena"), patch) as made:
        yield made
