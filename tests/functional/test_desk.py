"""The image desk over HTTP: what is due and late, whose it is, and who may see it (`smart_app.desk.board`, `smart_app.audit.desk_events`)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from smart_app.image_requests.workflow import Act
from tests.functional.desk_office import FERRY, NOON, SENDER, STAFF, Office, office


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    with office(tmp_path, monkeypatch) as made:
        yield made


def names(page: str) -> list[str]:
    return re.findall(r'<b><bdi>([^<]+)</bdi></b>', page)


def counts(page: str) -> dict[str, int]:
    return {title.strip(): int(count) for title, count in re.findall(r'<a href="[^"]+/desk[^"]*"[^>]*>([^<]+)<span class="n[^"]*">(\d+)</span>', page)}


def test_the_day_is_listed_with_what_is_late_first_and_counted(desk: Office) -> None:
    late, soon = desk.ask("p1", "GRUNWALD, Otto", hours=-17, facility=FERRY), desk.ask("p2", "MARCHETTI, Rosalind Jane", hours=0.75)
    desk.ask("p3", "OKONJO, Grace", hours=60)
    desk.ask("p4", "ABARA, Chidi", hours=None)
    gone = desk.ask("p5", "LISKA, Veronika", hours=2)
    desk.parts.requests.act(gone.id, Act.CANCEL, STAFF, reason="not needed")
    worker = desk.worker()
    page = worker.get("/desk")
    assert page.status_code == 200
    assert names(page.text) == ["GRUNWALD, Otto", "MARCHETTI, Rosalind Jane"]
    assert "Overdue 17 h" in page.text
    assert "in 45 min" in page.text
    expected = {"Due today": 2, "Overdue": 1, "To be sent": 0, "To review": 0, "All open": 4, "Needs attention": 0, "Mine": 0, "Nobody’s": 4, "Before surgery": 0}
    assert {title: count for title, count in counts(page.text).items() if title in expected} == expected
    assert names(worker.get("/desk?view=all").text) == ["GRUNWALD, Otto", "MARCHETTI, Rosalind Jane", "OKONJO, Grace", "ABARA, Chidi"]
    assert names(worker.get("/desk?view=overdue").text) == ["GRUNWALD, Otto"]
    assert names(worker.get("/desk?view=all&state=cancelled").text) == ["LISKA, Veronika"]
    (record, *_) = desk.audited("DeskShown")
    told = json.loads(record.details)
    assert told["requests"].split(",") == [late.id, soon.id]
    assert "MARCHETTI" not in record.details


def test_words_are_looked_for_in_the_body_of_a_post_and_never_in_an_address(desk: Office) -> None:
    found = desk.ask("p1", "MÜLLER, Ännchen")
    desk.ask("p2", "GRUNWALD, Otto", facility=FERRY)
    worker = desk.worker()
    for words in ("müller", "ferry", found.id.lower(), "40000001", "40 000 001"):
        assert len(names(worker.post("/desk/find", words=words).text)) == 1, words
    page = worker.post("/desk/find", words="nobody of this name").text
    assert "No request matches the filter" in page
    assert len(names(worker.get("/desk?words=grunwald").text)) == 2
    assert worker.post("/desk/find", forged=True, words="grunwald").status_code == 403
    assert "grunwald" not in " ".join(one.details for one in desk.audited("DeskShown")).casefold()


def test_an_open_page_is_told_only_what_changed_and_does_not_keep_its_session_alive(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto")
    worker = desk.worker()
    known = re.search(r'data-known="(\w+)"', worker.get("/desk").text).group(1)  # type: ignore[union-attr]
    shown = len(desk.audited("DeskShown"))
    same = worker.post("/desk/watch", known=known).json
    assert set(same) == {"launch", "known"}
    assert len(desk.audited("DeskShown")) == shown
    desk.parts.requests.act(one.id, Act.OPEN, SENDER)
    changed = worker.post("/desk/watch", known=known).json
    assert "Opened" in changed["rows"]
    assert changed["known"] != known
    desk.now = NOON.replace(minute=14)
    assert worker.post("/desk/watch", known=changed["known"]).status_code == 200
    desk.now = NOON.replace(minute=16)
    assert worker.post("/desk/watch", known=changed["known"]).status_code == 401


@pytest.mark.parametrize(("roles", "patient", "status"), [
    (("staff",), None, 200), (("reviewer",), None, 200), (("administrator",), None, 403), (("auditor",), None, 403), ((), "p1", 403), ((), None, 403),
])  # fmt: skip
def test_only_the_desk_sees_the_desk(desk: Office, roles: tuple[str, ...], patient: str | None, status: int) -> None:
    desk.ask("p1", "GRUNWALD, Otto")
    worker = desk.worker(roles=roles, patient_id=patient)
    for seen in (worker.get("/desk"), worker.post("/desk/find", words="otto"), worker.post("/desk/watch", known="")):
        assert seen.status_code == status
        assert ("GRUNWALD" in seen.text) is (status == 200)
