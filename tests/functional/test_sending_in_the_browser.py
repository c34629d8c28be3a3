"""The senders' pages in a real browser, desktop and phone: a disc with somebody else on it, a lost network, a second browser, a photo."""

from __future__ import annotations

import socket
import struct
import zlib
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from pydantic_core import to_json

from sandbox import discs
from sandbox.serving import serve
from smart_app.intake.arrival import Tally
from smart_app.links.types import Purpose
from smart_app.wiring.intake import items_of
from tests.functional.looks import OUT, complaints
from tests.unit.portal import senders
from tests.unit.portal.senders import World

SHOTS = OUT / "portal"
SIZES = {"desk": (1280, 800), "frame": (1000, 650), "phone": (390, 844), "tablet": (820, 1180)}
PATIENT = senders.Patient("northgate", "p1", "MARCHETTI, Rosalind Jane", "MARCHETTI", "Rosalind Jane", "1951-08-09", "Female", "40771953")


@pytest.fixture(scope="module")
def disc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return discs.make(tmp_path_factory.mktemp("discs"), small=True, today=date(2026, 5, 21))["stbrannoc-two-people"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    origins = {"public_url": f"http://app.localhost:{port}", "portal_url": f"http://send.localhost:{port}"}
    with senders.world(tmp_path, monkeypatch, patient=PATIENT, is_bundled=True, **origins) as made, serve(made.app, port=port):
        yield made


def browser(chromium: Any, size: str = "desk", scheme: str = "light") -> Any:
    """Another browser: its own cookies."""
    context = chromium.browser.new_context(viewport=dict(zip(("width", "height"), SIZES[size], strict=True)), color_scheme=scheme) if chromium.browser else chromium
    page = context.new_page()
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    page.emulate_media(color_scheme=scheme)
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    return page


def prove(page: Any, world: World, link: Any = None) -> None:
    link = link or world.link
    page.goto(world.parts.links.address(link))
    page.fill("#day", "9")
    page.select_option("#month", "8")
    page.fill("#year", "1951")
    page.fill("#code", world.parts.links.code(link).lower())
    page.click("text=Go on")
    page.wait_for_selector("#step-drop:not([hidden])")


def checked(page: Any, name: str) -> None:
    """A picture to look at, in the size and theme of this browser; no accessibility finding; nothing wider than the screen, nor than a smaller phone's."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)
    assert complaints(page, name) == []
    size = page.viewport_size
    if "phone" in name:
        page.set_viewport_size({"width": 320, "height": 640})
        page.screenshot(path=str(SHOTS / f"{name}-320.png"), full_page=True)
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), name
    page.set_viewport_size(size)


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("frame", "dark"), ("tablet", "light")])
def test_a_disc_with_somebody_else_on_it(chromium: Any, world: World, disc: Path, size: str, scheme: str) -> None:
    page = browser(chromium, size, scheme)
    page.goto(world.parts.links.address(world.link))
    expect(page.locator("main")).to_contain_text("Northgate University asked for images of R. M. Before")
    checked(page, f"proof-{size}-{scheme}")
    prove(page, world)
    checked(page, f"drop-{size}-{scheme}")
    page.set_input_files("#pick-folder", str(disc))
    page.wait_for_selector("#step-found:not([hidden])")
    expect(page.locator("#found .card3").first).to_contain_text("MARCHETTI, Rosalind")
    expect(page.locator("#found .card3").first).to_contain_text("Born 9 Aug 1951. This is the person asked for.")
    expect(page.locator("#found .n-bad")).to_contain_text("of MARCHETTI, ROBERT, born 2 Feb 1949. It will not be sent.")
    expect(page.locator("#found")).to_contain_text("5 files left out")
    expect(page.locator("#found input[type=checkbox]")).to_have_count(1)
    checked(page, f"found-{size}-{scheme}")
    page.click("[data-do=send]")
    page.wait_for_selector("#step-done:not([hidden])")
    expect(page.locator("#h-done")).to_have_text("Every file is safely received")
    checked(page, f"done-{size}-{scheme}")
    kept = senders.stored(world)
    mine = {path.relative_to(disc.parent).as_posix(): path.read_bytes() for path in files_of(disc)}
    assert all(mine[name] == data for name, data in kept.items())
    assert not [name for name, data in kept.items() if b"ROBERT" in data], "not even the disc's table of contents, which names him"
    assert sum(data[128:132] == b"DICM" for data in kept.values()) == 14, "all of hers"
    assert (world.state(), world.work("screen") != []) == ("in-review", True)
    page.click("text=Save a receipt")
    expect(page.locator("main")).to_contain_text("14 of 14 files")
    checked(page, f"receipt-{size}-{scheme}")
    assert page.problems == []
    page.close()


def test_a_lost_network_and_a_closed_laptop_lose_and_double_nothing(chromium: Any, world: World, tmp_path: Path) -> None:
    big = tmp_path / "scans"
    big.mkdir()
    contents = {f"report{at}.pdf": b"%PDF-1.7\n" + bytes([at]) * (3_000_000 if at else 20_000_000) for at in range(6)}
    for name, data in contents.items():
        (big / name).write_bytes(data)
    page, cuts = browser(chromium), [0]

    def cut(route: Any) -> None:
        cuts[0] += 1
        if cuts[0] in (2, 3, 5):
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/pieces", cut)
    prove(page, world)
    page.set_input_files("#pick-files", [str(path) for path in files_of(big)])
    page.wait_for_selector("#step-found:not([hidden])")
    expect(page.locator("[data-do=send]")).to_have_text("Send 6 files, 35 MB")
    page.click("[data-do=send]")
    expect(page.locator("#trouble")).to_contain_text("The connection was lost at", timeout=20_000)
    page.wait_for_function("/[1-9]\\d* MB safely received/.test(document.querySelector('#received').textContent)")
    checked(page, "sending-desk-light")
    page.close(run_before_unload=False)
    upload = world.parts.spool.open_of(world.link.id)
    other = browser(chromium, "frame")
    prove(other, world)
    if upload is not None:  # the laptop was closed before all of it was there
        expect(other.locator("#resume")).to_contain_text("safely received")
        checked(other, "resume-frame-light")
        other.set_input_files("#pick-files", [str(path) for path in files_of(big)])
        other.wait_for_selector("#step-found:not([hidden])")
        other.click("[data-do=send]")
    other.wait_for_selector("#step-done:not([hidden])")
    assert senders.stored(world) == contents
    other.close()


def test_a_phone_takes_a_photo_and_says_that_it_cannot_send_more(chromium: Any, world: World, tmp_path: Path) -> None:
    photo = tmp_path / "IMG_1.png"
    photo.write_bytes(_png())
    page = browser(chromium, "phone")
    page.goto(world.parts.links.address(world.link))
    checked(page, "proof-phone-light")
    page.fill("#day", "9")
    page.select_option("#month", "8")
    page.fill("#year", "1950")
    page.fill("#code", "222222")
    page.click("text=Go on")
    expect(page.get_by_role("alert")).to_contain_text("4 tries left in all")
    checked(page, "wrong-phone-light")
    prove(page, world)
    assert page.get_attribute("#pick-camera", "capture") == "environment"
    expect(page.locator("#drop")).to_be_hidden()
    checked(page, "drop-phone-light")
    page.set_input_files("#pick-camera", str(photo))
    page.wait_for_selector("#step-found:not([hidden])")
    checked(page, "found-phone-light")
    page.click("[data-do=send]")
    page.wait_for_selector("#step-done:not([hidden])")
    checked(page, "done-phone-light")
    assert list(senders.stored(world).values()) == [photo.read_bytes()]
    page.close()


def test_what_is_wrong_is_told_with_what_to_do_about_it(chromium: Any, world: World, tmp_path: Path) -> None:
    photo = tmp_path / "IMG_1.png"
    photo.write_bytes(_png())
    page = browser(chromium, "phone")
    prove(page, world)
    page.set_input_files("#pick-camera", str(photo))
    page.wait_for_selector("#step-found:not([hidden])")
    page.click("[data-do=send]")
    page.wait_for_selector("#step-done:not([hidden])")
    items = items_of(world.parts)
    with world.parts.database.transaction() as session:
        items.mark_screened(session, world.parts.spool.of_link(world.link.id)[0].id, to_json(Tally(8, 2, 0, tuple((f"IM{at}", "cut") for at in range(6)))))
    expect(page.locator("#checked")).to_contain_text("6 files: This file breaks off in the middle")
    expect(page.locator("#h-done")).to_have_text("Safely received, with a problem")
    expect(page.locator("#step-done")).not_to_contain_text("Nothing more to do")
    checked(page, "problem-phone-light")
    page.get_by_role("button", name="I cannot send them").click()
    expect(page.locator("#checked")).to_contain_text("knows that you cannot send them")
    assert "cannot be sent" in world.parts.requests.history(world.request.id)[-1].note
    page.get_by_role("button", name="Add the 6 images").click()
    expect(page.locator("#step-drop")).to_be_visible()
    page.close()


def test_a_zip_is_looked_into_and_only_hers_is_sent(chromium: Any, world: World, disc: Path) -> None:
    page = browser(chromium, "phone", "dark")
    prove(page, world)
    page.set_input_files("#pick-files", str(disc.with_suffix(".zip")))
    page.wait_for_selector("#step-found:not([hidden])")
    expect(page.locator("#found .n-bad")).to_contain_text("Somebody else is among these files")
    checked(page, "found-phone-dark")
    page.click("[data-do=send]")
    page.wait_for_selector("#step-done:not([hidden])")
    kept = senders.stored(world)
    assert len(kept) == 14
    assert not [name for name, data in kept.items() if b"ROBERT" in data]
    page.close()


def test_a_photo_from_the_chart_needs_no_code_and_belongs_to_the_first_phone(chromium: Any, world: World, tmp_path: Path) -> None:
    link = world.issue(Purpose.PHOTO, days=1 / 96)
    page = browser(chromium, "phone")
    page.goto(world.parts.links.address(link))
    checked(page, "photo-phone-light")
    page.click("text=Go on")
    page.wait_for_selector("#step-drop:not([hidden])")
    expect(page.locator("[data-pick]")).to_have_count(1)
    checked(page, "camera-phone-light")
    page.close()


@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_who_was_not_asked_asks_first(chromium: Any, world: World, size: str, scheme: str) -> None:
    page = browser(chromium, size, scheme)
    page.goto(f"{world.parts.settings.portal_url}/")
    expect(page).to_have_url(f"{world.parts.settings.portal_url}/ask")
    page.fill("#email", "nobody")
    page.click("form button")
    expect(page.get_by_role("alert")).to_contain_text("Something is missing or cannot be read.")
    checked(page, f"ask-{size}-{scheme}")
    for name, value in (("organization", "Harrow Vale"), ("person", "Dr H"), ("email", "h@harrow.example"), ("about", "CT head for the stroke team")):
        page.fill(f"#{name}", value)
    page.click("form button")
    expect(page.locator("h1")).to_contain_text("Northgate University has your question")
    checked(page, f"asked-{size}-{scheme}")
    page.close()


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((x * y) % 256 for x in range(64)) for y in range(64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
