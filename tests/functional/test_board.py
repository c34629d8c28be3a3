"""The pre-op board over the demo hospital: the surgical list, how ready each case is and why, opening one, sign-off, messages."""

from __future__ import annotations

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
