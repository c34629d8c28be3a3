"""The review page as a person sees it: by keyboard, in both themes, without a violation, and it stores."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from launch.session import BROWSER_COOKIE
from sandbox.serving import serve
from smart_app.factory import create_app
from tests import peers
from tests.functional.test_intake import HERS, desk
from tests.unit.intake.hospital import made


def test_a_reviewer_looks_and_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from axe_playwright_python.sync_playwright import Axe

    port = peers.free_port()
    origin = f"http://app.localhost:{port}"
    with desk(tmp_path, monkeypatch, public_url=origin) as here, serve(create_app(here.world.parts.settings), port=port), peers.chromium() as context:
        other = {"PatientName": "SMITH^JOHN", "PatientID": "K-1", "PatientBirthDate": "19400101", "PatientSex": "M", "StudyDescription": "CT head"}
        here.send(here.ask(), [*(made("1", number, **HERS) for number in range(1, 4)), made("3", **HERS | {"AccessionNumber": "KV-9", "StudyDescription": "XR left hand"}), made("2", **other)])
        here.work()
        handle, cookie = here.handles["grant"]
        context.add_cookies([{"name": BROWSER_COOKIE, "value": cookie, "url": "https://app.localhost", "secure": True, "httpOnly": True}])
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        for size in ((1280, 800), (1000, 650)):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            for path in ("/intake", "/intake?view=aside", f"/intake/{here.listed('grant')[0]}", f"/intake/{here.listed('grant', 'aside')[0]}"):
                page.goto(f"{origin}/l/{handle}{path}")
                page.wait_for_load_state("networkidle")
                for theme in ("light", "dark"):
                    page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme; }", theme)
                    found = Axe().run(page)
                    assert found.violations_count == 0, found.generate_report()
                    if kept := os.environ.get("PRIORS_PICTURES"):
                        page.screenshot(path=f"{kept}/intake{path[7:9].strip('?/') or '-list'}{'-aside' if 'aside' in path else ''}-{size[0]}-{theme}-{len(path)}.png")
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        page.goto(f"{origin}/l/{handle}/intake")
        page.get_by_role("link", name="CT pelvis").click()
        page.get_by_role("checkbox", name="Keep XR left hand").uncheck()
        page.get_by_role("checkbox", name="I have just opened this chart").check()
        page.get_by_role("button", name="Confirm").first.focus()
        page.keyboard.press("Enter")
        page.get_by_text("Left, not kept").first.wait_for()
        here.work()
        page.reload()
        page.get_by_text("stored").first.wait_for()
        # It was another's after all; and then it was hers: two people must say so.
        page.get_by_label("Reason").fill("It is her sister's after all")
        page.get_by_role("button", name="Wrong person after all").click()
        page.get_by_text("This study was taken out of every view").wait_for()
        page.get_by_role("button", name="look at it again").click()
        page.get_by_label("What makes you sure, although it was taken out of view?").wait_for()
        for size in ((1280, 800), (1000, 650)):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            for theme in ("light", "dark"):
                page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme; }", theme)
                found = Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
                if kept := os.environ.get("PRIORS_PICTURES"):
                    page.screenshot(path=f"{kept}/taken-out-{size[0]}-{theme}.png")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert problems == []
