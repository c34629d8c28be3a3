"""What a form asks of the work list: anything may be sent, nothing of a person stands in an address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from smart_app.desk.selection import MOST_PAGES, Selection
from smart_app.image_requests.queries import View
from smart_app.image_requests.types import State, Urgency

NAMES = ("view", "state", "facility", "owner", "urgency", "words", "sort", "page")


def test_a_form_says_what_is_wanted() -> None:
    form = MultiDict([("view", "overdue"), ("state", "sent"), ("state", "opened"), ("facility", "kestrel"), ("owner", "4f"), ("urgency", "today"),
                      ("words", "  otto   grunwald "), ("sort", "-patient"), ("page", "3")])  # fmt: skip
    assert Selection.of(form) == Selection(View.OVERDUE, (State.SENT, State.OPENED), "kestrel", "4f", Urgency.TODAY, "otto grunwald", "patient", True, 3)


@pytest.mark.parametrize(("name", "value"), [("view", "x"), ("state", "gone"), ("urgency", ""), ("sort", "name; DROP"), ("sort", "-"), ("page", "-1"), ("page", "٣"), ("page", "x")])
def test_what_is_not_understood_does_not_narrow(name: str, value: str) -> None:
    assert Selection.of(MultiDict([(name, value)])) == Selection()


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=120)), max_size=12))
def test_whatever_is_sent_comes_back_the_same_from_its_own_fields(pairs: list[tuple[str, str]]) -> None:
    selection = Selection.of(MultiDict(pairs))
    assert Selection.of(MultiDict(list(selection.fields()))) == selection
    assert 1 <= selection.page <= MOST_PAGES
    assert "words" not in dict(selection.addressed())


def test_a_head_pressed_twice_turns_the_order_round() -> None:
    once = Selection(page=4).sorted_by("patient")
    assert (once.sort, once.descending, once.page) == ("patient", False, 1)
    assert once.sorted_by("patient").descending
    assert not once.sorted_by("patient").sorted_by("due").descending
