"""The image desk over HTTP: what is due and late, whose it is, and who may see it (`smart_app.desk.board`, `smart_app.audit.desk_events`)."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from smart_app.image_requests.types import State
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


def marks(page: str) -> dict[str, str]:
    """Ticks by number."""
    return {value.split(":")[0]: value for value in re.findall(r'name="request" value="([^"]+)"', page)}


def outcomes(page: str) -> dict[str, str]:
    return {id: re.sub(r"\s+", " ", html.unescape(said)) for id, said in re.findall(r"<li><b>(RQ-\w+)</b>(?: <bdi>[^<]*</bdi>)?: ([^<]+)</li>", page)}


def test_what_is_done_with_many_says_of_each_what_came_of_it(desk: Office) -> None:
    open_one, gone, stale = desk.ask("p1", "GRUNWALD, Otto"), desk.ask("p2", "LISKA, Veronika"), desk.ask("p3", "OKONJO, Grace")
    worker = desk.worker()
    ticks = marks(worker.get("/desk?view=all").text)
    desk.parts.requests.act(gone.id, Act.DECLINE, SENDER, reason="No such patient here")
    gone_now = f"{gone.id}:{desk.parts.requests.get(gone.id).version}"
    desk.parts.requests.act(stale.id, Act.OPEN, SENDER)
    told = worker.post("/desk/bulk", view="all", do="remind", request=[ticks[open_one.id], gone_now, ticks[stale.id], "RQ-NOTTHERE:1", "rubbish"])
    assert told.status_code == 200
    assert "1 done, 3 not" in told.text
    assert outcomes(told.text) == {
        open_one.id: "A reminder goes out", gone.id: "Not done: it is “Declined” by now.", "RQ-NOTTHERE": "Not done: there is no such request here.",
        stale.id: "Not done: somebody changed it since this page was shown. Look at it again.",
    }  # fmt: skip
    again = worker.post("/desk/bulk", view="all", do="remind", request=[ticks[open_one.id]])
    assert "0 done, 1 not" in again.text, "a form sent twice reminds once"
    assert desk.parts.requests.get(open_one.id).reminded == 1
    assert worker.post("/desk/bulk", forged=True, do="cancel", text="x", request=[ticks[open_one.id]]).status_code == 403
    assert desk.parts.requests.get(open_one.id).state is State.SENT


def test_work_is_given_to_somebody_who_was_here_and_to_nobody_else(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto")
    ruiz, amsel = desk.worker("J. Ruiz"), desk.worker()
    ruiz.get("/desk")
    page = amsel.get("/desk").text
    people = {name.removesuffix(" (you)"): id for id, name in re.findall(r'<option value="(\w{32})"[^>]*>([^<]+)</option>', page)}
    assert set(people) == {"J. Ruiz", "T. Amsel"}
    amsel.post("/desk/bulk", do="assign", give_to=people["J. Ruiz"], request=[marks(page)[one.id]])
    assert desk.parts.requests.get(one.id).owner == "J. Ruiz"
    assert names(ruiz.get("/desk?view=mine").text) == ["GRUNWALD, Otto"]
    assert names(amsel.get("/desk?view=mine").text) == []
    assert names(amsel.post("/desk/find", view="all", owner=people["J. Ruiz"]).text) == ["GRUNWALD, Otto"]
    assert names(amsel.post("/desk/find", view="all", owner="f" * 32).text) == [], "an owner nobody knows shows nothing"
    refused = amsel.post("/desk/bulk", do="assign", give_to="f" * 32, request=[marks(amsel.get("/desk").text)[one.id]])
    assert (refused.status_code, desk.parts.requests.get(one.id).owner) == (400, "J. Ruiz")
    amsel.post("/desk/bulk", do="assign", give_to="nobody", request=[marks(amsel.get("/desk").text)[one.id]])
    assert desk.parts.requests.get(one.id).owner == ""


def test_due_times_move_and_what_is_cancelled_needs_a_reason(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto")
    worker = desk.worker()
    tick = [marks(worker.get("/desk").text)[one.id]]
    for form in ({"do": "move", "needed_by": "soon"}, {"do": "move", "needed_by": "0001-01-01T00:00"}, {"do": "cancel", "text": " "}, {"do": "burn"}, {}):
        assert worker.post("/desk/bulk", request=tick, **form).status_code == 400
    assert desk.parts.requests.get(one.id).version == one.version
    worker.post("/desk/bulk", request=tick, do="move", needed_by="2026-05-22T07:30")
    assert desk.parts.requests.get(one.id).asked.needed_by == datetime(2026, 5, 22, 7, 30).astimezone()
    tick = [marks(worker.get("/desk?view=all").text)[one.id]]
    worker.post("/desk/bulk", request=tick, do="cancel", text="Surgery was called off")
    assert (desk.parts.requests.get(one.id).state, desk.parts.requests.get(one.id).reason) == (State.CANCELLED, "Surgery was called off")
    assert worker.post("/desk/bulk", do="note", text="x").status_code == 400, "nothing is ticked"


def test_a_saved_view_is_its_owners_and_its_address_says_nothing(desk: Office) -> None:
    desk.ask("p1", "GRUNWALD, Otto")
    desk.ask("p2", "LISKA, Veronika", facility=FERRY)
    worker, other = desk.worker(), desk.worker("J. Ruiz")
    saved = worker.post("/desk/views", title="Oncology board", view="all", facility="ferrybank", words="liska")
    assert saved.status_code == 303
    path = saved.headers["Location"].removeprefix(f"/l/{worker.handle}")
    assert "liska" not in path.casefold()
    page = worker.get(path).text
    assert (names(page), "Oncology board" in page) == (["LISKA, Veronika"], True)
    assert other.get(path).status_code == 404
    assert other.post("/desk/views/remove", saved=path.partition("=")[2]).status_code == 404
    assert worker.post("/desk/views", title="  ").status_code == 400
    assert worker.post("/desk/views/remove", saved=path.partition("=")[2]).status_code == 303
    assert worker.get(path).status_code == 404
    with desk.parts.database.engine.connect() as connection:
        assert b"liska" not in repr(connection.execute(text("SELECT * FROM desk_views")).all()).encode().lower()


def test_the_file_for_a_spreadsheet_holds_text_only_and_is_on_the_record(desk: Office) -> None:
    one = desk.ask("p1", "=CMD('calc'), Otto", title="@SUM(1+9)*cmd|' /C calc'!A0")
    desk.ask("p2", "LISKA, Veronika", hours=None)
    worker = desk.worker()
    seen = worker.post("/desk/export", view="all")
    assert (seen.status_code, seen.mimetype) == (200, "text/csv")
    assert seen.headers["Content-Disposition"] == 'attachment; filename="requests-2026-05-21-1200.csv"'
    rows = list(csv.DictReader(io.StringIO(seen.data.decode("utf-8-sig"))))
    assert rows[0]["Request"] == one.id
    assert [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t"))] == []
    assert rows[0]["Patient"] == "'=CMD('calc'), Otto"
    (record,) = desk.audited("DeskExported")
    assert (json.loads(record.details)["what"], json.loads(record.details)["count"]) == ("csv", 2)
    assert one.id in record.details


def test_the_phone_list_names_numbers_and_no_codes(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto", facility=FERRY)
    desk.ask("p2", "LISKA, Veronika")
    worker = desk.worker()
    page = worker.post("/desk/phone-list", view="all", request=[marks(worker.get("/desk").text)[one.id]]).text
    assert "0555 0201" in page
    assert "GRUNWALD" in page
    assert "LISKA" not in page
    (record,) = desk.audited("DeskExported")
    assert json.loads(record.details) == {"what": "phone-list", "count": 1, "requests": one.id}


def test_what_is_done_with_many_leaves_the_list_as_it_was_filtered(desk: Office) -> None:
    one = desk.ask("p1", "GRUNWALD, Otto")
    desk.ask("p2", "LISKA, Veronika", hours=5)
    worker = desk.worker()
    page = worker.get("/desk?view=all").text
    me = re.search(r'<option value="(\w{32})"', page).group(1)  # type: ignore[union-attr]
    told = worker.post("/desk/bulk", view="all", do="assign", give_to=me, request=[marks(page)[one.id]]).text
    assert names(told) == ["GRUNWALD, Otto", "LISKA, Veronika"]


def test_more_than_one_page_is_turned_and_put_in_order_over_all_of_them(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_app.desk.board.PAGE", 2)
    for number, name in enumerate(("DELTA, D", "ALPHA, A", "CHARLIE, C", "BRAVO, B", "ECHO, E")):
        desk.ask(f"p{number}", name, hours=number + 1)
    worker = desk.worker()
    first = worker.post("/desk/find", view="all")
    assert "Page 1 of 3, 5 requests" in first.text
    assert names(first.text) == ["DELTA, D", "ALPHA, A"]
    assert names(worker.post("/desk/find", view="all", page="3").text) == ["ECHO, E"]
    assert names(worker.post("/desk/find", view="all", page="99").text) == ["ECHO, E"], "the last page there is"
    assert names(worker.post("/desk/find", view="all", order="patient").text) == ["ALPHA, A", "BRAVO, B"]
    assert names(worker.post("/desk/find", view="all", order="-patient", page="2").text) == ["CHARLIE, C", "BRAVO, B"]
    assert len(worker.post("/desk/export", view="all").data.splitlines()) == 6, "a file holds all pages"


def test_a_list_that_was_not_looked_through_whole_says_so_on_the_page_and_in_the_file(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        desk.ask(f"p{number}", f"NAME{number}, A", hours=number + 1)
    for module in ("smart_app.desk.board.MOST_SEARCHED", "smart_app.image_requests.queries.MOST_SEARCHED"):
        monkeypatch.setattr(module, 3)
    worker = desk.worker()
    found = worker.post("/desk/find", view="all", words="name3")
    assert "1 request more was not looked through: this list may be incomplete." in found.text
    assert "not looked through" not in worker.get("/desk?view=all").text, "a page in order of time leaves nothing out"
    assert "1 request more was not looked through" in worker.post("/desk/find", view="all", order="patient").text
    assert "INCOMPLETE: 1 request more is not in this file" in worker.post("/desk/export", view="all").text
