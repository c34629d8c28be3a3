"""P1, P2, P3 and P11: a cold browser opens the study, in Priors and in OHIF, on the same archive.

Cold: a new profile, a browser that has finished starting, no page before. Both are watched in the same way, from inside
the page: an image counts when a canvas of at least 200 x 200 CSS pixels shows at least 5 % lit pixels in 16 grey levels.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Playwright, sync_playwright

from bench.launching import launched
from bench.places import Places
from bench.samples import Samples
from bench.study import LoadStudy

SETTLE = 2000
"""ms between the browser's start and the navigation: its own start competes for the cores."""
LIMIT = 60_000
FLAGS = [
    "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist", "--disable-dev-shm-usage",
]  # fmt: skip
WATCH = """
(() => {
  if (window.top !== window || window.watched) return;
  const seen = window.watched = { first: null, frames: 0, lastFrame: null, bytes: 0 };
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (/\\/frames\\/\\d+$/.test(entry.name)) { seen.frames += 1; seen.lastFrame = entry.responseEnd; }
    }
  }).observe({ type: 'resource', buffered: true });
  const probe = document.createElement('canvas');
  probe.width = probe.height = 64;
  const context = probe.getContext('2d', { willReadFrequently: true });
  const canvases = (root, found) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.tagName === 'CANVAS') found.push(element);
      if (element.shadowRoot) canvases(element.shadowRoot, found);
    }
    return found;
  };
  const shows = (canvas) => {
    const box = canvas.getBoundingClientRect();
    if (box.width < 200 || box.height < 200 || !canvas.width || !canvas.height) return false;
    context.clearRect(0, 0, 64, 64);
    context.drawImage(canvas, 0, 0, 64, 64);
    const data = context.getImageData(0, 0, 64, 64).data;
    const levels = new Set();
    let lit = 0;
    for (let i = 0; i < data.length; i += 4) {
      const value = (data[i] + data[i + 1] + data[i + 2]) / 3;
      if (value > 12 && data[i + 3] > 0) { lit += 1; levels.add(value >> 2); }
    }
    return lit > 205 && levels.size >= 16;
  };
  const look = () => {
    if (canvases(document, []).some(shows)) seen.first = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""
MARKS = ("priors:first-picture", "priors:first-image", "priors:all-images")


@dataclass(frozen=True)
class Visit:
    """One cold visit. Milliseconds from navigation; `all` is every image decoded (Priors) or arrived (OHIF, to its favour)."""

    first: float
    all: float
    marks: dict[str, float]


def measure(places: Places, samples: Samples, rounds: int, far_rounds: int, byte_rounds: int, pictures: Path) -> None:
    """OHIF, Priors, OHIF, Priors … in turn. `pictures` gets a screenshot of each, to be looked at."""
    pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        for at in range(max(rounds, far_rounds)):
            for suffix, load, ohif, wanted in (("", places.near, places.ohif_near, rounds), (" far", places.far, places.ohif_far, far_rounds)):
                if at >= wanted:
                    continue
                _keep(samples, "ohif", suffix, _ohif(playwright, ohif, load, pictures / f"ohif{suffix.strip()}.png"))
                _keep(samples, "priors", suffix, _priors(playwright, places, load, pictures / f"priors{suffix.strip()}.png"))
        for _ in range(byte_rounds):
            samples.add("bytes before first image ohif", _bytes(playwright, f"{places.ohif_near}/viewer?StudyInstanceUIDs={places.near.study}", {}, ""))
            ours = launched(places.plan)
            samples.add("bytes before first image priors", _bytes(playwright, ours.page(places.near), dict(ours.cookies), ours.app))


def _keep(samples: Samples, who: str, suffix: str, visit: Visit) -> None:
    samples.add(f"first image {who}{suffix}", visit.first)
    samples.add(f"all images {who}{suffix}", visit.all)
    for name, value in visit.marks.items():
        samples.add(f"{name} {who}{suffix}", value)


def _ohif(playwright: Playwright, site: str, load: LoadStudy, picture: Path) -> Visit:
    with _cold(playwright) as context:
        page = _open(context, f"{site}/viewer?StudyInstanceUIDs={load.study}")
        first = _first(page)
        page.wait_for_function(f"() => window.watched.frames >= {load.slices}", timeout=LIMIT, polling=100)
        everything = page.evaluate("() => window.watched.lastFrame")
        page.screenshot(path=picture)
        return Visit(first, everything, {})


def _priors(playwright: Playwright, places: Places, load: LoadStudy, picture: Path) -> Visit:
    """A live launch whose list was loaded, in a browser that has seen none of it; nothing of the series is kept by Priors either."""
    ours = launched(places.plan)
    places.priors.forget()
    with _cold(playwright) as context:
        _let_in(context, dict(ours.cookies), ours.app)
        page = _open(context, ours.page(load))
        first = _first(page)
        page.wait_for_function("() => performance.getEntriesByName('priors:all-images').length > 0", timeout=LIMIT, polling=100)
        _to_the_last(page, load.slices)
        page.wait_for_function("() => performance.getEntriesByName('priors:first-image').length > 0", timeout=LIMIT, polling=100)
        marks = page.evaluate(f"() => Object.fromEntries({list(MARKS)}.map((name) => [name, performance.getEntriesByName(name)[0]?.startTime ?? 0]))")
        state = page.evaluate("() => ({ ...document.getElementById('viewer-pane').dataset })")
        if state.get("loaded") != str(load.slices):
            raise RuntimeError(f"Priors has loaded {state.get('loaded')} of {load.slices} images")
        page.screenshot(path=picture)
        return Visit(first, marks["priors:all-images"], marks)


def _to_the_last(page: Any, slices: int) -> None:
    """Ready means that a person gets there: the last image is gone to, whatever draws it then."""
    page.evaluate("() => document.querySelector('.v-vp').focus()")
    page.keyboard.press("End")
    page.wait_for_function(f"() => document.querySelector('.v-br').textContent.includes('Image {slices} of {slices}')", timeout=LIMIT)


def _bytes(playwright: Playwright, url: str, cookies: dict[str, str], app: str) -> float:
    """Bytes on the wire until the first image is seen. A visit of its own: the tool that counts them slows the page."""
    with _cold(playwright) as context:
        _let_in(context, cookies, app)
        page = context.new_page()
        page.wait_for_timeout(SETTLE)
        total = {"bytes": 0}
        tool = context.new_cdp_session(page)
        tool.send("Network.enable")
        tool.on("Network.dataReceived", lambda event: total.update(bytes=total["bytes"] + event["encodedDataLength"]))
        page.add_init_script(WATCH)
        page.goto(url, wait_until="commit", timeout=LIMIT)
        _first(page)
        return float(total["bytes"])


def _let_in(context: BrowserContext, cookies: dict[str, str], app: str) -> None:
    """Secure cookies can be handed over for https only; the browser sends them to http on loopback too."""
    if cookies:
        url = app.replace("http://", "https://")
        context.add_cookies([{"name": name, "value": value, "url": url, "secure": True, "httpOnly": True} for name, value in cookies.items()])


def _open(context: BrowserContext, url: str) -> Any:
    page = context.new_page()
    page.add_init_script(WATCH)
    page.wait_for_timeout(SETTLE)
    page.goto(url, wait_until="commit", timeout=LIMIT)
    return page


def _first(page: Any) -> float:
    try:
        page.wait_for_function("() => window.watched && window.watched.first !== null", timeout=LIMIT, polling=50)
    except Exception as error:
        raise RuntimeError(f"no image within {LIMIT // 1000} s at {page.url.split('/')[-1][:40]}: {page.inner_text('body')[:300]!r}") from error
    return float(page.evaluate("() => window.watched.first"))


@contextlib.contextmanager
def _cold(playwright: Playwright) -> Iterator[BrowserContext]:
    profile = tempfile.mkdtemp(prefix="priors-bench-")
    context = playwright.chromium.launch_persistent_context(
        profile, executable_path=shutil.which("chromium"), headless=True, args=FLAGS, viewport={"width": 1280, "height": 800}
    )
    try:
        yield context
    finally:
        context.close()
        shutil.rmtree(profile, ignore_errors=True)
