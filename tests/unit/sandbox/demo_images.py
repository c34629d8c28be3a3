"""The small demo set, built once and kept between runs by its own stamp."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

from sandbox import images
from tests.parallel import only_one

TODAY = date(2026, 5, 21)
HOME = Path(__file__).resolve().parents[2] / "out" / "demo-images"


@lru_cache(maxsize=1)
def small_set() -> dict[str, Path]:
    with only_one(HOME):
        return images.build(HOME, small=True, today=TODAY)
