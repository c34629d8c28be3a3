"""Speaks a reader's words to the viewer in a real browser: opens, scrolls, turns, and says what is on the screen.

Knows the page's selectors, so that no test does. Reads pixels from the canvas that is shown, never from the code behind it.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sandbox.catalogue import STUDIES
from tests import peers
from tests.town import Town

PANE = "#viewer-pane"
OUT = Path(__file__).parents[1] / "out" / "viewer"
EDGES = {"top": ".v-mt", "right": ".v-mr", "bottom": ".v-mb", "left": ".v-ml"}

# Read from a copy: reading the canvas itself would make the browser move it out of graphics memory, and say so.
_COPY = """const shown = document.querySelector('.v-picture') ?? document.querySelector('.v-cs canvas');
  const copy = window.copyOfCanvas ??= new OffscreenCanvas(1, 1);
  copy.width = shown.width; copy.height = shown.height;
  const pen = copy.getContext('2d', {willReadFrequently: true});
  pen.drawImage(shown, 0, 0);
  const {data, width, height} = pen.getImageData(0, 0, copy.width, copy.height);"""
_READ = f"""() => {{
  {_COPY}
  let text = '';
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return [width, height, btoa(text)];
}}"""
_HASH = f"""() => {{
  {_COPY}
  let hash = width + height;
  for (let i = 0; i < data.length; i += 4) hash = (hash * 31 + data[i] * 7 + data[i + 1] * 3 + data[i + 2]) | 0;
  return hash;
}}"""
# A frame goes from the key to the screen by way of two animation frames; waiting for them is waiting for the picture.
_PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
_CUT = """() => {
  const found = [];
  const say = (what, e) => found.push(`${what}: ${e.tagName}.${e.className} "${(e.textContent || '').trim().slice(0, 40)}"`);
  const shown = e => e.checkVisibility({opacityProperty: true, visibilityProperty: true}) && !e.closest('.visually-hidden, .v-hidden, .skip, [aria-hidden=true]');
  if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
  if (document.documentElement.scrollHeight > innerHeight) found.push('the page scrolls down');
  for (const e of document.querySelectorAll('#viewer-pane *, .banner *, .strip *')) {
    if (!shown(e) || e.closest('svg')) continue;
    const box = e.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    const scrolls = e.closest('.v-thumbs');
    if (!scrolls && (box.right > innerWidth + 1 || box.left < -1 || box.bottom > innerHeight + 1 || box.top < -1)) say('off the screen', e);
    const words = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (words && e.scrollHeight > e.clientHeight + 2 && getComputedStyle(e).overflowY !== 'visible' && e.clientHeight > 0) say('cut off below', e);
    if (words && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'hidden' && getComputedStyle(e).textOverflow !== 'ellipsis') say('cut off at the side', e);
    if (e.matches('button, input, a') && (box.width < 23.5 || box.height < 23.5) && !e.closest('label, p')) say('too small a target', e);
  }
  const places = [...document.querySelectorAll('.v-ov, .v-mk, .v-scroll')].filter(e => shown(e) && (e.textContent || e.matches('.v-scroll')));
  for (const [i, a] of places.entries()) for (const b of places.slice(i + 1)) {
    const [p, q] = [a.getBoundingClientRect(), b.getBoundingClientRect()];
    if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 1 && q.top < p.bottom - 1) { say('lies over another', a); say('  this one', b); }
  }
  return found;
}"""


def study_uid(key: str) -> str:
    return next(one.uid for one in STUDIES if one.key == key)


@dataclass
class Navigator:
    """One tab of one reader. `complaints` is what the browser had against the page."""

    page: Any
    town: Town
    complaints: list[str] = field(default_factory=list)
    chart: str = ""

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on(
            "console", lambda said: self.complaints.append(f"{said.type}: {said.text}") if said.type in ("error", "warning") else None
        )
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error(`CSP ${e.violatedDirective} ${e.blockedURI}`)); window.scriptRan = false; window.ran = () => { window.scriptRan = true; };"
        )

    # the chart and the list

    def opens_chart_of(self, patient: str) -> None:
        self.page.goto(self.town.launch_url(patient))
        self.chart = patient
        self.page.wait_for_selector("#pane[data-done=yes]")

    def has_chart_of(self, patient: str) -> None:
        """Opens the chart unless it is open already."""
        if self.chart != patient:
            self.opens_chart_of(patient)

    def row(self, title: str) -> Any:
        return self.page.locator("#rows .srow", has=self.page.locator("a.ttl bdi", has_text=re.compile(f"^{re.escape(title)}$"))).first

    def opens(self, title: str) -> None:
        self.row(title).locator("a.ttl").click()
        self.sees_a_picture()

    def has_open(self, title: str) -> None:
        """Opens the study unless it is open already."""
        if self.page.locator(f"{PANE} .v-head h2").all_text_contents() != [title]:
            self.opens(title)

    def closes(self) -> None:
        self.page.locator(f"{PANE} .v-head [aria-label=Close]").click()
        self.page.wait_for_selector("#app[data-view=list]")

    # what is seen

    def sees_a_picture(self) -> None:
        self.sees("shown")

    def sees(self, state: str) -> None:
        self.page.wait_for_selector(f"{PANE}[data-state={state}]")
        self.settles()

    def sees_everything_loaded(self) -> None:
        self.page.wait_for_selector(f"{PANE}[data-settled='1']")
        self.settles()

    def settles(self) -> None:
        self.page.evaluate(_PAINTED)

    def fact(self, name: str) -> str:
        return str(self.page.get_attribute(PANE, f"data-{name}"))

    @property
    def facts(self) -> dict[str, int]:
        return {name: int(self.fact(name)) for name in ("loaded", "total", "failed", "withheld")}

    @property
    def place(self) -> str:
        """`Image 2 of 6`, as the corner says it."""
        found = re.search(r"Image \d+ of \d+", self.corner("br"))
        return found[0] if found else ""

    def reaches(self, image: int, total: int) -> None:
        self.page.wait_for_function("words => document.querySelector('.v-br').textContent.includes(words)", arg=f"Image {image} of {total}")
        self.settles()

    def corner(self, which: str) -> str:
        return str(self.page.locator(f"{PANE} .v-{which}").text_content())

    @property
    def window(self) -> tuple[int, int]:
        found = re.search(r"W ([−\d]+) · L ([−\d]+)", self.corner("bl"))
        assert found, self.corner("bl")
        return int(found[1].replace("−", "-")), int(found[2].replace("−", "-"))

    @property
    def zoom(self) -> int:
        found = re.search(r"zoom (\d+) %", self.corner("bl"))
        assert found, self.corner("bl")
        return int(found[1])

    @property
    def edges(self) -> dict[str, str]:
        """Patient's side at each edge; empty where the file gives none."""
        told = {place: str(self.page.locator(f"{PANE} {mark}").text_content()) for place, mark in EDGES.items()}
        return {place: letter for place, letter in told.items() if letter}

    @property
    def status(self) -> str:
        return str(self.page.locator(f"{PANE} .v-stat").inner_text())

    @property
    def curtain(self) -> str:
        """What stands in the picture's place; empty when the picture is there."""
        place = self.page.locator(f"{PANE} .v-curtain")
        return str(place.inner_text()) if place.is_visible() else ""

    @property
    def note(self) -> str:
        return str(self.page.locator(f"{PANE} .v-note").text_content())

    @property
    def focus(self) -> str:
        return str(
            self.page.evaluate("(document.activeElement.getAttribute('aria-label') || document.activeElement.textContent || '').trim()")
        )

    def pixels(self) -> NDArray[np.uint8]:
        """The picture on the screen: height, width, RGB."""
        width, height, data = self.page.evaluate(_READ)
        return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[:, :, :3]

    def fingerprint(self) -> int:
        self.settles()
        return int(self.page.evaluate(_HASH))

    def changed_since(self, before: int) -> int:
        """Waits for another picture than `before`; its fingerprint."""
        self.page.wait_for_function(f"before => ({_HASH})() !== before", arg=before)
        return self.fingerprint()

    # what is done

    def chooses_colours(self, theme: str) -> None:
        """`Light` or `Dark` in the page's own menu: the EHR's style would decide otherwise."""
        self.page.locator("[data-menu]").click()
        self.page.locator("#more").get_by_text(theme, exact=True).click()
        self.page.wait_for_selector(f"html[data-bs-theme={theme.lower()}]")
        self.page.keyboard.press("Escape")

    def presses(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.settles()

    def looks_at_the_picture(self) -> None:
        self.page.locator(f"{PANE} .v-vp").focus()

    def tool(self, command: str) -> Any:
        return self.page.locator(f"{PANE} [data-command={command}]")

    def uses(self, command: str) -> None:
        more = self.page.locator(f"{PANE} .v-more")
        if not self.tool(command).is_visible() and more.is_visible():
            more.click()
        self.tool(command).click(force=True)  # a tool that is off says why when it is clicked
        self.settles()

    def turns_the_wheel(self, notches: int) -> None:
        box = self.page.locator(f"{PANE} .v-vp").bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        for _ in range(abs(notches)):
            self.page.mouse.wheel(0, 120 if notches > 0 else -120)
        self.settles()

    def drags(self, *points: tuple[float, float]) -> None:
        """The pointer down at the first point and up at the last; shares of the picture's width and height."""
        box = self.page.locator(f"{PANE} .v-vp").bounding_box()
        places = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=4)
        self.page.mouse.up()
        self.settles()

    def clicks_at(self, x: float, y: float) -> None:
        self.drags((x, y))

    def pulls_the_slider_to(self, share: float) -> None:
        box = self.page.locator(f"{PANE} .v-scroll").bounding_box()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * share, steps=3)
        self.page.mouse.up()
        self.settles()

    def sets_window(self, width: int, level: int) -> None:
        self.page.locator(f"{PANE} .v-presetbtn").click()
        for label, value in (("Window width", width), ("Window level", level)):
            self.page.get_by_label(label).fill(str(value))
        self.page.keyboard.press("Enter")
        self.page.keyboard.press("Escape")
        self.settles()

    def series_names(self) -> list[str]:
        return list(self.page.locator(f"{PANE} .v-th").evaluate_all("all => all.map(one => one.title)"))

    def picks_series(self, name: str) -> None:
        """Clicks the thumbnail of that name and waits until the series shows, is named, or fails."""
        tile = self.page.locator(f"{PANE} .v-th[title='{name}']")
        tile.click()
        self.page.wait_for_selector(f"{PANE} .v-th[title='{name}'][aria-current=true]")
        self.page.wait_for_selector(f":is({PANE}[data-state=shown], {PANE}[data-state=document], {PANE}[data-state=paper], {PANE}[data-state=error])")
        self.settles()

    def is_measured(self) -> list[str]:
        """The words beside the marks on the picture."""
        self.settles()
        texts = self.page.locator(f"{PANE} .v-cs svg text").evaluate_all("all => all.map(one => one.textContent)")
        return [" ".join(str(text).split()) for text in texts if str(text).strip()]

    def reads_marks(self, told: Callable[[str], bool]) -> str:
        """The words of all marks, once they are as `told` wants them; a busy machine draws them a little later."""
        end = time.monotonic() + 10
        while True:
            said = " ".join(self.is_measured())
            if told(said) or time.monotonic() > end:
                return said
            self.page.wait_for_timeout(100)

    def picture(self, name: str) -> None:
        OUT.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(OUT / f"{name}.png"))

    def cut_off(self) -> list[str]:
        """What is clipped, off the screen, too small to hit, or lies over something else."""
        return list(self.page.evaluate(_CUT))


@contextmanager
def reader(context: Any, town: Town) -> Iterator[Navigator]:
    """A tab of its own. Leaves with the tab closed; the browser must not have complained unless the test took that away."""
    page = context.new_page()
    navigator = Navigator(page, town)
    yield navigator
    page.close()
    assert not navigator.complaints, "\n".join(navigator.complaints)


@contextmanager
def browser() -> Iterator[Any]:
    with peers.chromium() as context:
        yield context
