"""The table of states: every way that is not in it is refused."""

from __future__ import annotations

import itertools

import pytest

from smart_app.image_requests.types import Party, State
from smart_app.image_requests.workflow import CLOSED, OPEN, TABLE, Act, NotAllowed, after, can


def test_what_is_not_in_the_table_is_refused() -> None:
    for state, act, party in itertools.product(State, Act, Party):
        rule = TABLE[act]
        if state in rule.sources and party in rule.parties:
            assert can(state, act, party)
            assert after(state, act, party, "because") is rule.to
        else:
            assert not can(state, act, party)
            with pytest.raises(NotAllowed):
                after(state, act, party, "because")


def test_every_state_is_draft_open_or_closed_and_can_be_left_and_reached() -> None:
    assert {State.DRAFT} | OPEN | CLOSED == set(State)
    assert not OPEN & CLOSED
    assert {rule.to for rule in TABLE.values()} | {State.DRAFT} == set(State)
    assert set().union(*(rule.sources for rule in TABLE.values())) == set(State)


def test_nobody_but_the_system_says_stored() -> None:
    for act in (Act.STORE, Act.STORE_PART, Act.EXPIRE):
        assert TABLE[act].parties == {Party.SYSTEM}


@pytest.mark.parametrize("act", [act for act, rule in TABLE.items() if rule.needs_reason])
def test_a_reason_is_asked_for(act: Act) -> None:
    rule = TABLE[act]
    for nothing in ("", "  "):
        with pytest.raises(NotAllowed) as refused:
            after(next(iter(rule.sources)), act, next(iter(rule.parties)), nothing)
        assert refused.value.why == "reason"
