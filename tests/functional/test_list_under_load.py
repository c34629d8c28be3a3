"""Slow and dead archives cost other pages nothing: streams hand over, silent archives are paused, and both stay honest."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from smart_app.outbound.breaker import FAILURES
from smart_app.studies.listing import GIVEN_UP
from smart_app.studies.telling import COME_BACK
from tests.functional.listing_world import SAME_NUMBER, World, once, study, world
from tests.functional.test_listing import listed, strip
from tests.unit.archives.scripted import Say

Event = tuple[str, dict[str, Any]]


class Page:
    """A list being loaded, in a thread of its own."""

    def __init__(self, hospital: World) -> None:
        self.events: list[Event] = []
        self._arrived = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(hospital,), daemon=True)
        self._thread.start()

    def _read(self, hospital: World) -> None:
        for event in hospital.stream():
            with self._arrived:
                self.events.append(event)
                self._arrived.notify()

    def until(self, wanted: str) -> dict[str, Any]:
        with self._arrived:
            assert self._arrived.wait_for(lambda: any(event == wanted for event, _ in self.events), 4), f"no {wanted}"
        return next(data for event, data in self.events if event == wanted)

    def end(self) -> list[Event]:
        self._thread.join(8)
        assert not self._thread.is_alive()
        return self.events


def rest(hospital: World, later: dict[str, Any]) -> list[Event]:
    return list(hospital.stream("?" + urlencode([("since", later["since"]), *(("asking", key) for key in later["asking"])])))


def until(events: Iterator[Event], wanted: str) -> dict[str, Any]:
    return next(data for event, data in events if event == wanted)


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """Set at the latest when the test ends."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def one_seat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch, deadline=5, web_threads=4) as made:
        yield made


def test_a_stream_hands_over_when_its_thread_is_needed_and_nothing_is_lost(one_seat: World, held: threading.Event) -> None:
    one_seat.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    one_seat.archives["kestrel"] = lambda asked: (held.wait(4), once(study("2.25.2", "K-9"))(asked))[1]
    first = Page(one_seat)
    first.until("rows")
    second = Page(one_seat)  # somebody else's list, as far as the seats can tell
    later = first.until("later")
    assert first.end()[-1][0] == "later", "the thread is free"
    assert "kestrel" in later["asking"]
    assert later["after"] == COME_BACK
    assert (later["launch"], later["patient"]) == (first.events[0][1]["launch"], first.events[0][1]["patient"])
    nothing_new = rest(one_seat, later)
    assert [event for event, _ in nothing_new] == ["later"], "what is on the page stands"
    assert nothing_new[0][1]["after"] > COME_BACK
    assert strip(first.events)["tone"] == "some"
    assert all(not data["none_found"] for event, data in first.events if event == "strip")
    held.set()
    events = nothing_new
    while events[-1][0] == "later":
        events = rest(one_seat, events[-1][1])
    assert events[-1][0] == "done"
    assert set(listed(events)) == {"2.25.1", "2.25.2"}
    assert (strip(events)["tone"], strip(events)["answered"]) == ("all", 4)
    assert next(data for event, data in events if event == "rows")["all"] is True
    audited = [record["source"] for record in one_seat.audited("SourceAnswered")]
    assert "kestrel" in audited[: len(audited) - audited[::-1].index("page")], "recorded before it was shown"
    assert second.end()[-1][0] == "done"


def test_nobody_hands_over_while_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch) as hospital:
        hospital.archives["kestrel"] = lambda asked: Say(204, hang=0.3)
        pages = [Page(hospital) for _ in range(3)]
        assert all(event != "later" for page in pages for event, _ in page.end())


def test_a_round_whose_process_is_gone_is_said_to_be_lost(one_seat: World) -> None:
    list(one_seat.stream())
    long_ago = datetime.now(UTC) - timedelta(seconds=6) - GIVEN_UP
    one_seat.parts.holdings.forget(one_seat.handle)
    events = rest(one_seat, {"since": long_ago.isoformat(), "asking": ["kestrel", "ehr:northgate/reports", "nobody"]})
    assert events[-1][0] == "done"
    assert "Priors lost its question to Kestrel Cancer Centre" in strip(events)["notes_html"]
    assert strip(events)["none_found"] is False
    assert {record["source"] for record in one_seat.audited("SourceAnswered")} >= {"kestrel", "ehr:northgate/reports"}


@pytest.mark.parametrize("since", ["", "yesterday", "2026-11-24T10:00:00"])
def test_a_round_that_never_was_is_not_here(one_seat: World, since: str) -> None:
    assert one_seat.get(f"/studies/stream?since={since}&asking=kestrel").status_code == 404


def test_a_silent_archive_is_paused_after_some_tries_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, monkeypatch) as hospital:
        hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
        hospital.servers["kestrel"].close()
        for _ in range(FAILURES):
            events = list(hospital.stream())
            if "paused" in strip(events)["html"]:
                break
        events = list(hospital.stream("?source=kestrel"))
    told = strip(events)
    assert "paused" in told["html"]
    assert "Kestrel Cancer Centre did not answer several times, so it was not asked now." in told["notes_html"]
    assert "It is asked again in" in told["notes_html"]
    assert (told["tone"], told["none_found"]) == ("partial", False)
    assert "No imaging found" not in json.dumps(events)
    assert set(listed(events)) == {"2.25.1"}, "the others are not touched by it"


def test_rows_told_early_and_never_finished_are_a_part_on_the_next_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: threading.Event) -> None:
    with world(tmp_path, monkeypatch) as hospital:
        hospital.archives["kestrel"] = lambda asked: once(study("2.25.2", "K-9"))(asked) if asked.one("offset") == "0" else (held.wait(4), Say(204))[1]
        stream = hospital.stream()
        assert [row["uid"] for row in until(stream, "rows")["rows"]] == ["2.25.2"]
        assert hospital.parts.holdings.held(hospital.handle, "kestrel", "2.25.2") is not None, "a row on screen can be opened"
        assert hospital.audited("SourceAnswered")[-1]["state"] in ("asking", "empty", "ok")
        stream.close()  # the page goes away
        hospital.archives["kestrel"] = lambda asked: Say(204)
        told = strip(list(hospital.stream("?source=brannoc")))
        assert "answered in part, then stopped" in told["notes_html"]
        assert told["none_found"] is False
