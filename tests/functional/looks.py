"""What a person sees of a page, looked at in one way for all parts: pictures in every size and both themes under `tests/out`, nothing sideways, nothing of axe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

OUT = Path(__file__).parents[1] / "out"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
FRAME, DESK, TABLET, PHONE, NARROW = (1000, 650), (1280, 800), (820, 1180), (390, 844), (320, 640)
SIZES = (DESK, FRAME)


def complaints(page: Any, name: str = "") -> list[tuple[str, list[str]]]:
    """What axe finds, each with the elements that it is about."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES["runOnly"]}}).response["violations"]
    return [(f"{name} {one['id']}".strip(), [node["html"][:200] for node in one["nodes"]]) for one in found]


def looked_at(page: Any, name: str, sizes: Sequence[tuple[int, int]] = SIZES, *, full_page: bool = False) -> None:
    """:param name: with the folder of its part, for instance `desk/list`."""
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        page.evaluate("theme => document.documentElement.setAttribute('data-bs-theme', theme)", theme)
        for width, height in sizes:
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=f"{path}-{width}x{height}-{theme}.png", full_page=full_page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, width)
        assert complaints(page, name) == []
    page.evaluate("document.documentElement.setAttribute('data-bs-theme', 'light')")
