"""The list page in a real browser, over the real templates, bundle and policy, with a stream the test plays itself.

What only a browser can show: rows that do not move under the pointer, the keyboard, what is left after the end, axe.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask, Response, render_template, request
from jinja2 import StrictUndefined
from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from smart_app.studies.rows import RowSource, SourceChip, Strip, StudyRow
from smart_app.web.assets import Assets
from smart_app.web.assets import make_blueprint as static_files
from tests import peers
from tests.functional.looks import RULES

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "smart_app/static/viewer"
HANDLE, KEY = "Zm9vYmFyYmF6cXV4MTIzNA", "k" * 16
NAME = "MARCHETTI, Rosalind Jane"
CSP = ("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
       "connect-src 'self'; form-action 'self'; base-uri 'none'")  # fmt: skip


def a_row(uid: str, sort: str, title: str, modality: str = "CT", hospital: str = "Kestrel", region: str = "Head") -> StudyRow:
    return StudyRow(uid, "kestrel", sort, sort, sort, "", modality, (modality,), title, hospital, (region,), "1 series, 3 images", "whole", "Final",
                    (RowSource("kestrel", hospital, hospital),))  # fmt: skip


OLD = [a_row(f"1.{n}", f"2024-01-{n:02d}", f"Study {n}", "MR" if n % 3 == 0 else "CT", "Brannoc" if n % 2 else "Kestrel") for n in range(1, 13)]
NEW = a_row("1.99", "2026-05-21", "The late one")


def a_strip(tone: str = "all", *states: str, none_found: bool = False) -> Strip:
    chips = [SourceChip(f"s{n}", f"Source {n}", state, "no answer" if state == "timeout" else "4", state == "timeout", "Source did not answer.", "Their side.",
                        "HV-7Q2M", "10:14", "") for n, state in enumerate(states or ("ok", "ok"))]  # fmt: skip
    return Strip(tone, {"partial": "May be incomplete.", "failed": "We could not look."}.get(tone, "All answered"), "", none_found, tuple(chips))


class Backstage:
    """The server behind the page. `script` yields events; `status` answers the stream otherwise; `go` releases `wait()`."""

    def __init__(self) -> None:
        self.app = Flask("list", template_folder=str(ROOT / "templates"), static_folder=None)
        self.app.jinja_env.undefined = StrictUndefined
        self.app.jinja_env.globals.update(asset=Assets(BUNDLE), csrf_token=lambda: "token", development=True)
        self.app.register_blueprint(static_files(BUNDLE))
        self.app.add_url_rule("/l/<h>/studies", view_func=self.page)
        self.app.add_url_rule("/l/<h>/studies/<uid>", endpoint="study", view_func=self.page)
        self.app.add_url_rule("/l/<h>/studies/stream", view_func=self.stream)
        self.app.add_url_rule("/l/<h>/style.css", endpoint="style", view_func=lambda h: Response("", self.status, mimetype="text/css"))
        self.app.after_request(self.policy)
        self.status = 200
        self.asked: list[str | None] = []
        self.go = threading.Event()
        self.script: Callable[[], Iterator[str]] = lambda: iter(())

    def policy(self, response: Response) -> Response:
        response.headers["Content-Security-Policy"] = CSP
        return response

    def page(self, h: str, uid: str | None = None) -> str:
        patient = SimpleNamespace(name=NAME, birth_date="1951-08-09", sex="Female", mrn="40 771 953")
        return render_template("studies/page.html", ctx=SimpleNamespace(handle=HANDLE, smart_style_url=None), patient=patient, patient_age="74 y", born="9 Aug 1951",
                               patient_key=KEY, rows=[], strip=a_strip("asking", "asking", "asking"), notes=[], open_study=uid, boot={})  # fmt: skip

    def stream(self, h: str) -> Response:
        self.asked.append(request.args.get("source"))
        if self.status != 200:
            return Response("", self.status)
        return Response(self._play(), mimetype="text/event-stream")

    def _play(self) -> Iterator[str]:
        with self.app.test_request_context("/"):
            yield from self.script()

    def rows(self, *rows: StudyRow, patient: str = KEY) -> str:
        told = [{"uid": row.uid, "sort": row.sort, "html": render_template("studies/_row.html", row=row, launch=HANDLE)} for row in rows]
        return self.event("rows", patient, rows=told)

    def strip(self, strip: Strip) -> str:
        html = render_template("studies/_strip.html", strip=strip, launch=HANDLE)
        notes = render_template("studies/_notes.html", strip=strip, notes=[], launch=HANDLE)
        return self.event("strip", KEY, tone=strip.tone, none_found=strip.none_found, html=html, notes_html=notes, answered=1, asked=len(strip.chips))

    def event(self, name: str, patient: str = KEY, **data: Any) -> str:
        return f"event: {name}\ndata: {json.dumps({'launch': HANDLE, 'patient': patient, **data})}\n\n"


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    """Not `peers.chromium`: each test needs a fresh context with a size and a theme of its own."""
    binary = shutil.which("chromium")
    peers.need("Chromium", binary is not None)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=binary, args=[*peers.CHROMIUM_ARGS])
        yield found
        found.close()


@pytest.fixture
def backstage() -> Iterator[Backstage]:
    backstage = Backstage()
    server = make_server("127.0.0.1", 0, backstage.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    backstage.url = f"http://127.0.0.1:{server.server_port}/l/{HANDLE}/studies"  # type: ignore[attr-defined]
    yield backstage
    backstage.go.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def tab(chrome: Any, backstage: Backstage) -> Iterator[Any]:
    context = chrome.new_context(viewport={"width": 1000, "height": 650})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None)
    yield page
    context.close()
    assert faults == []


def plays(backstage: Backstage, *strips: Strip, rows: list[StudyRow] = OLD) -> None:
    def script() -> Iterator[str]:
        yield backstage.rows(*rows) if rows else ""
        for strip in strips or (a_strip(),):
            yield backstage.strip(strip)
        yield backstage.event("done")

    backstage.script = script


def titles(tab: Any) -> list[str]:
    return tab.eval_on_selector_all("#rows .srow:not([hidden]) .ttl bdi", "all => all.map(one => one.textContent)")


def test_a_late_row_waits_once_somebody_reads_and_nothing_moves(backstage: Backstage, tab: Any) -> None:
    def script() -> Iterator[str]:
        yield backstage.rows(*OLD)
        yield backstage.strip(a_strip("some", "ok", "asking"))
        backstage.go.wait(20)
        yield backstage.rows(NEW)
        yield backstage.strip(a_strip())
        yield backstage.event("done")

    backstage.script = script
    tab.goto(backstage.url)
    tab.hover("#rows .srow >> nth=2")
    where = tab.eval_on_selector_all("#rows .srow", "all => all.map(one => one.getBoundingClientRect().top)")
    backstage.go.set()
    tab.wait_for_selector("text=1 more study found")
    assert tab.eval_on_selector_all("#rows .srow", "all => all.map(one => one.getBoundingClientRect().top)") == where
    assert "The late one" not in titles(tab)
    tab.click("text=Show it")
    assert titles(tab)[0] == "The late one"


def test_rows_of_another_patient_are_never_shown(backstage: Backstage, tab: Any) -> None:
    def script() -> Iterator[str]:
        yield backstage.rows(a_row("6.6", "2026", "Of somebody else"), patient="x" * 16)
        yield backstage.rows(*OLD)
        yield backstage.strip(a_strip())
        yield backstage.event("done")

    backstage.script = script
    tab.goto(backstage.url)
    tab.wait_for_selector("#pane[data-done=yes]")
    assert titles(tab) == [f"Study {n}" for n in range(12, 0, -1)]
    assert "Of somebody else" not in tab.content()


def test_the_filters_work_by_keyboard_alone_and_say_what_they_hide(backstage: Backstage, tab: Any) -> None:
    plays(backstage)
    tab.goto(backstage.url)
    tab.wait_for_selector("#pane[data-done=yes]")
    tab.keyboard.press("/")
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Space")
    assert titles(tab) == ["Study 12", "Study 9", "Study 6", "Study 3"]
    assert "8 more rows are hidden by the filter “Modality: MR”." in tab.inner_text("#hiddenbar")
    tab.keyboard.press("Escape")
    assert tab.evaluate("document.activeElement.textContent.trim()") == "Modality: MR"
    tab.keyboard.press("/")
    tab.keyboard.type("nothing like it")
    assert "No row matches the filter" in tab.inner_text("#nomatch")
    assert "No imaging found" not in tab.inner_text("body")
    tab.keyboard.press("Escape")
    assert len(titles(tab)) == 4


def test_arrows_walk_the_rows_with_one_tab_stop(backstage: Backstage, tab: Any) -> None:
    plays(backstage)
    tab.goto(backstage.url)
    tab.wait_for_selector("#pane[data-done=yes]")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("document.activeElement.querySelector('bdi').textContent") == "Study 11"
    tab.keyboard.press("End")
    assert tab.evaluate("document.activeElement.querySelector('bdi').textContent") == "Study 1"
    assert tab.evaluate("document.querySelectorAll('#rows a[tabindex=\"0\"]').length") == 1


@pytest.mark.parametrize("size", [(1280, 800), (1000, 650), (820, 1180), (390, 700)])
def test_the_time_of_a_study_is_read_in_full_beside_the_viewer(backstage: Backstage, chrome: Any, size: tuple[int, int]) -> None:
    plays(backstage, rows=[replace(OLD[0], date="21 Nov 2026", when="yesterday 07:30", count="1 series, 1 image")])
    page = chrome.new_page(viewport={"width": size[0], "height": size[1]})
    page.goto(backstage.url)
    page.wait_for_selector("#pane[data-done=yes]")
    page.evaluate("document.querySelector('#app').dataset.view = 'study'")
    cut = page.eval_on_selector_all("#rows .dt", "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)")
    page.close()
    assert cut == []


@pytest.mark.parametrize("width", range(900, 1300, 20))
def test_no_source_in_the_strip_is_cut_at_its_edge(backstage: Backstage, chrome: Any, width: int) -> None:
    strip = a_strip("partial", "failed", "ok", "ok", "ok")
    chips = tuple(replace(chip, name=f"{name} Hospital", retryable=chip.state == "failed") for name, chip in zip("ABCD", strip.chips, strict=True))
    plays(backstage, replace(strip, detail="3 of 4 sources answered.", chips=chips))
    page = chrome.new_page(viewport={"width": width, "height": 650})
    page.goto(backstage.url)
    page.wait_for_selector("#pane[data-done=yes]")
    cut = page.evaluate("(() => { const list = document.querySelector('.srcs'); return list.scrollWidth > list.clientWidth ||"
                        " list.querySelector('li').getBoundingClientRect().left < list.getBoundingClientRect().left - 0.5; })()")  # fmt: skip
    page.close()
    assert not cut


def test_retry_asks_that_one_source(backstage: Backstage, tab: Any) -> None:
    plays(backstage, a_strip("partial", "ok", "timeout"))
    tab.goto(backstage.url)
    tab.click("[data-show=s1]")
    assert "Reference HV-7Q2M" in tab.inner_text("#sources")
    tab.keyboard.press("Escape")
    with tab.expect_response("**/stream?source=s1"):
        tab.click("#strip [data-retry=s1]")
    assert backstage.asked == [None, "s1"]


@pytest.mark.parametrize("rows", [[], OLD])
def test_a_broken_line_never_looks_finished(backstage: Backstage, tab: Any, rows: list[StudyRow]) -> None:
    def script() -> Iterator[str]:
        yield backstage.rows(*rows) if rows else ""
        yield backstage.strip(a_strip("all", none_found=False))

    backstage.script = script
    tab.goto(backstage.url)
    tab.wait_for_selector("text=The connection to Priors broke off.")
    assert "No imaging found" not in tab.inner_text("body")


@pytest.mark.parametrize("status", [401, 404])
def test_the_end_takes_the_patient_out_of_the_document(backstage: Backstage, tab: Any, status: int) -> None:
    plays(backstage, a_strip("partial", "ok", "timeout"))
    tab.goto(f"{backstage.url}")
    tab.wait_for_selector("#pane[data-done=yes]")
    backstage.status = status
    tab.click("#strip [data-retry=s1]")
    tab.wait_for_selector("text=This session has ended")
    left = tab.content()
    assert not any(fact in left for fact in (NAME, "40 771 953", "1951", "Study 3", "Kestrel"))
    assert not Axe().run(tab, options=RULES).violations_count


def test_the_end_told_while_the_list_fills_blanks_the_page(backstage: Backstage, tab: Any) -> None:
    def script() -> Iterator[str]:
        yield backstage.rows(*OLD)
        yield backstage.event("ended")

    backstage.script = script
    tab.goto(backstage.url)
    tab.wait_for_selector("text=This session has ended")
    assert NAME not in tab.content()


@pytest.mark.parametrize("status", [401, 404])
def test_coming_back_to_a_tab_that_is_no_longer_this_users_blanks_it_at_once(backstage: Backstage, tab: Any, status: int) -> None:
    plays(backstage)
    tab.goto(backstage.url)
    tab.wait_for_selector("#pane[data-done=yes]")
    backstage.status = status
    tab.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    tab.wait_for_selector("text=This session has ended")
    assert NAME not in tab.content()


def test_a_retry_says_which_sources_are_still_being_asked(backstage: Backstage, tab: Any) -> None:
    def script() -> Iterator[str]:
        yield backstage.strip(a_strip("some", "timeout", "asking", "ok"))
        backstage.go.wait(20)
        yield backstage.event("done")

    backstage.script = script
    tab.goto(backstage.url)
    with tab.expect_request(lambda asked: "source=s0" in asked.url) as retried:
        tab.click("#strip [data-retry=s0]")
    assert retried.value.url.endswith("/stream?source=s0&asking=s1")
    backstage.go.set()


def test_a_study_that_is_no_longer_in_the_list_is_closed(backstage: Backstage, tab: Any) -> None:
    def script() -> Iterator[str]:
        yield backstage.rows(*OLD)
        yield backstage.strip(a_strip("some", "ok", "asking"))
        backstage.go.wait(20)
        yield backstage.event("rows", rows=[], gone=["1.12"])
        yield backstage.strip(a_strip())
        yield backstage.event("done")

    backstage.script = script
    tab.goto(backstage.url)
    tab.click("#rows .srow[data-uid='1.12'] a.ttl")
    tab.wait_for_selector("#app[data-view=study]")
    backstage.go.set()
    tab.wait_for_selector("#app[data-view=list]")
    assert "Study 12" not in titles(tab)


def test_fifteen_idle_minutes_end_the_page(backstage: Backstage, tab: Any) -> None:
    tab.clock.install()
    plays(backstage)
    tab.goto(backstage.url)
    tab.wait_for_selector("#pane[data-done=yes]")
    tab.clock.run_for(14 * 60_000)
    assert NAME in tab.content()
    tab.clock.run_for(2 * 60_000)
    assert "Nobody used this tab for 15 minutes" in tab.inner_text("body")
    assert NAME not in tab.content()


STATES = {
    "asking": (a_strip("asking", "asking", "asking"), []), "none": (a_strip("all", "empty", "empty", none_found=True), []),
    "failed": (a_strip("failed", "timeout", "timeout"), []), "partial": (a_strip("partial", "ok", "timeout", "no-identifier", "refused"), OLD),
    "partial-empty": (a_strip("partial", "empty", "timeout"), []), "sixty": (a_strip("partial", *["timeout"] * 4, *["ok"] * 56), OLD * 1),
}  # fmt: skip


@pytest.mark.parametrize(("size", "theme"), [((1280, 800), "light"), ((1000, 650), "dark"), ((820, 1180), "light"), ((390, 700), "dark")])
def test_axe_finds_nothing_and_nothing_is_cut_off(backstage: Backstage, chrome: Any, theme: str, size: tuple[int, int]) -> None:
    context = chrome.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=theme)
    page = context.new_page()
    for state, (strip, rows) in STATES.items():
        plays(backstage, strip, rows=rows)
        page.goto(backstage.url)
        page.wait_for_selector("#pane[data-done=yes]")
        found = Axe().run(page, options=RULES).response["violations"]
        assert not found, (state, [(one["id"], one["nodes"][0]["html"]) for one in found])
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), state
        strip_box, pane_box = page.locator("#strip").bounding_box(), page.locator("#pane").bounding_box()
        assert strip_box["height"] == (34 if size[0] >= 900 else 72), state
        assert pane_box["y"] == page.locator(".banner").bounding_box()["height"] + strip_box["height"], state
    context.close()
