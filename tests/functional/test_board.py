"""The pre-op board over the demo hospital: the surgical list, how ready each case is and why, opening one, sign-off, messages."""

from __future__ import annotations

import re

import pytest

from tests.functional.board_story import Team
from tests.town import Town

GRUNWALD, PAREKH, NAKAMURA, THORNBURY, CANCELLED = "GRUNWALD, Otto", "PAREKH, Sunita", "NAKAMURA, Ken", "THORNBURY, Edith", "PENHALIGON, Morwenna"


@pytest.fixture(scope="module")
def team(town: Town) -> Team:
    return Team.signed_in(town)


def test_the_list_is_the_hospitals_day_and_nobody_was_looked_for_yet(team: Team) -> None:
    rows = team.rows()
    assert set(rows) == {GRUNWALD, PAREKH, NAKAMURA, "OYELARAN, Femi Ade", THORNBURY, CANCELLED}
    words = team.words(GRUNWALD)
    assert "07:30 OR 4" in words
    assert "Aortic valve replacement" in words
    assert "Prof. Lindqvist · Dr Sato" in words
    assert "Looking" in words
    assert "Ready" not in words
    assert "Cancelled" in team.words(CANCELLED)


def test_an_echo_that_is_only_elsewhere_puts_the_case_at_risk(team: Team) -> None:
    assert team.look(GRUNWALD).status == 200
    words = team.words(GRUNWALD)
    assert "At risk" in words
    assert "known, not here · a new one is ordered" in words, words
    side = team.read(team.case(GRUNWALD)).text
    assert "Because: valve surgery; asked: echo within 6 months, coronary angiogram within 12 months, CT chest within 12 months (useful)." in side


def test_what_is_here_in_full_is_told_with_place_report_and_who_saw_it(team: Team) -> None:
    team.look(PAREKH)
    words = team.words(PAREKH)
    assert "St Brannoc District · 2 series, 2 runs · no report · not seen yet" in words
    assert words.endswith("Ready not seen yet")


def test_nothing_anywhere_is_said_to_be_nothing_only_when_all_answered(team: Team) -> None:
    team.look(THORNBURY)
    assert "Film of the joint : request, THORNBURY, Edith None in 6 sources, all answered At risk" in team.words(THORNBURY)


def test_a_case_is_opened_in_a_launch_of_its_own(team: Team) -> None:
    opened = team.open(PAREKH)
    assert opened.status == 303
    location = opened.headers["location"]
    own = location.split("/")[2]
    assert own != team.handle
    assert "PAREKH" in team.jar.get(team.town.plan.app + location).text
    # The board itself has no patient: nothing of one is there under its own handle.
    assert team.jar.get(f"{team.town.plan.app}/l/{team.handle}/studies").status == 404
    # Neither does the case's launch reach the board, or another patient's.
    assert team.jar.get(f"{team.town.plan.app}/l/{own}/board").status == 403


def test_only_the_team_reads_the_board_and_only_its_own_cases(team: Team) -> None:
    clerk = Team.signed_in(team.town, "clerk-moss")
    assert clerk.read().status == 403
    other = Team.signed_in(team.town)
    case = team.case(PAREKH)
    assert re.search(r'content="([^"]+)"', other.read().text)
    assert other.post(f"/cases/{case}/open").status == 404  # another board's name for a case means nothing here
    assert team.post(f"/cases/{case}/open", token="forged").status == 403


def test_what_is_missing_is_asked_for_already_filled_in(team: Team) -> None:
    opened = team.open(THORNBURY, kind="joint")
    form = team.jar.get(team.town.plan.app + opened.headers["location"])
    assert form.status == 200
    assert 'value="Film of the joint"' in form.text
    assert "Needed before surgery: Hip replacement, left" in form.text


def test_a_request_hangs_on_the_operation(team: Team) -> None:
    own = team.open(GRUNWALD, kind="echo").headers["location"]
    assert 'value="Appointment/surgery-grunwald" selected' in team.jar.get(team.town.plan.app + own).text


def test_sign_off_and_going_on_without_are_decided_by_people_and_stay_on_the_record(team: Team) -> None:
    risk, ready = team.case(GRUNWALD), team.case(PAREKH)
    assert team.post(f"/cases/{risk}/decide", do="ready").status == 409
    assert team.post(f"/cases/{risk}/decide", do="without").status == 400
    assert team.post(f"/cases/{risk}/decide", do="without", reason="Imaging is repeated in theatre").status == 303
    assert "Signed off Dr Mika Sato, without echo" in team.words(GRUNWALD)
    assert team.post(f"/cases/{risk}/decide", do="withdraw").status == 303
    assert "At risk" in team.words(GRUNWALD)
    assert team.post(f"/cases/{ready}/decide", do="ready").status == 303
    assert "Signed off Dr Mika Sato" in team.words(PAREKH)
    assert "Took the sign-off back" in team.read(risk).text


def test_a_message_reaches_the_team_and_is_only_text(team: Team) -> None:
    case = team.case(NAKAMURA)
    assert team.post(f"/cases/{case}/say", text="I want the loops <script>alert(1)</script>").status == 303
    other = Team.signed_in(team.town)
    page = other.read(other.case(NAKAMURA)).text
    assert "I want the loops &lt;script&gt;" in page


def test_when_the_board_ends_its_cases_end(team: Team) -> None:
    mine = Team.signed_in(team.town)
    own = mine.open(PAREKH).headers["location"]
    assert mine.jar.get(team.town.plan.app + own).status == 200
    token = re.search(r'name="csrf" content="([^"]+)"', mine.read().text)
    assert token
    end = mine.here.replace("/board", "/end")
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": team.town.plan.app, "Sec-Fetch-Site": "same-origin"}
    assert mine.jar.send("POST", end, headers=headers, body=f"csrf={token[1]}".encode()).status in (200, 303)
    assert mine.jar.get(team.town.plan.app + own).status == 401
