"""Two reviewers, impatient and at the same moment: one decision, one object at the archive, and nothing decided about images that nobody has looked at."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from smart_app.image_requests.types import State
from smart_app.intake.items import Items
from smart_app.intake.types import ItemState
from smart_app.wiring.intake import items_of
from tests.attacks.arena import Arena, Said, at_once
from tests.functional.test_intake import HERS
from tests.unit.intake.hospital import made

pytestmark = pytest.mark.parametrize("here", ["sqlite", "postgresql"], indirect=True, scope="module")
CLICKS = 20
_numbers = itertools.count(100)


class Delivery:
    """One study of her that waits for a reviewer; `certain` by its number, or for two people."""

    def __init__(self, arena: Arena, *, certain: bool = True) -> None:
        self.arena, self.study = arena, str(next(_numbers))
        self.more: dict[str, Any] = HERS | ({} if certain else {"AccessionNumber": "X", "IssuerOfPatientID": ""})
        self.request = arena.desk.ask() if not _open(arena) else _open(arena)[0]
        self.send(1, 2)
        (self.item,) = [one for one in arena.desk.listed("grant") if self.items.get(one).summary.study.endswith(f".{self.study}")]
        self.form = arena.desk.form(arena.desk.call("grant", f"/intake/{self.item}").text)
        mine = [f"{self.item}:{self.version}"]
        self.form |= {"shown": mine, "keep": mine}

    @property
    def items(self) -> Items:
        return items_of(self.arena.parts)

    @property
    def version(self) -> int:
        return self.items.get(self.item).version

    @property
    def state(self) -> ItemState:
        return self.items.get(self.item).state

    def send(self, *numbers: int) -> None:
        self.arena.desk.send(self.request, [made(self.study, number, **self.more) for number in numbers])
        self.arena.desk.work()

    def press(self, who: str, action: str, **more: str) -> Callable[[], Said]:
        return lambda: self.arena.as_(self.arena.people[who], "POST", f"/intake/{self.item}/{action}", self.form | more)

    def decided(self) -> list[str]:
        return [one["action"] for one in self.arena.desk.world.audited("IntakeDecided") if one["item"] == self.item]

    def at_the_archive(self) -> list[str]:
        """Every object of it that was ever sent there."""
        return [uid for post in self.arena.desk.archive.posts for uid in post if f".{self.study}." in uid]


def _open(arena: Arena) -> list[str]:
    return [one.id for one in arena.parts.requests.of_patient("northgate", "p1") if one.state not in (State.STORED, State.CANCELLED)]


def statuses(said: list[Any]) -> Counter[int]:
    assert all(isinstance(one, Said) for one in said), said
    return Counter(one.status for one in said)


def test_forty_confirmations_of_two_reviewers_are_one(here: Arena) -> None:
    delivery = Delivery(here)
    said = statuses(at_once([delivery.press(who, "store") for who in ("grant", "lindqvist") for _ in range(CLICKS)]))
    assert said == {303: 1, 409: 2 * CLICKS - 1}
    assert delivery.decided() == ["confirm"]
    here.desk.work()
    assert sorted(Counter(delivery.at_the_archive()).values()) == [1, 1]
    assert delivery.state is ItemState.STORED
    assert len([one for one in here.desk.world.audited("IntakeStored") if one["item"] == delivery.item]) == 1


def test_one_person_who_presses_twenty_times_is_one_person(here: Arena) -> None:
    delivery = Delivery(here, certain=False)
    assert statuses(at_once([delivery.press("grant", "store") for _ in range(CLICKS)])) == {303: 1, 409: CLICKS - 1}
    assert (delivery.state, delivery.decided()) == (ItemState.SECOND_PERSON, ["confirm"])
    mine = [f"{delivery.item}:{delivery.version}"]
    delivery.form |= {"keep": mine, "shown": mine, "version": str(delivery.version)}
    assert statuses(at_once([delivery.press("grant", "store") for _ in range(CLICKS)])) == {403: CLICKS}
    here.desk.work()
    assert delivery.at_the_archive() == []


@pytest.mark.parametrize("against", [("aside", {}), ("quality", {"quality": "not-usable", "remark": "The head is cut off on all of it."}), ("leave", {})])
def test_confirm_against_anything_else_is_one_of_the_two(here: Arena, against: tuple[str, dict[str, str]]) -> None:
    delivery, (action, more) = Delivery(here), against
    presses = [delivery.press("grant", "store"), delivery.press("lindqvist", action, **more)] * 8
    said = statuses(at_once(presses))
    assert (said[303], sum(said.values())) == (1, 16), said
    assert len(delivery.decided()) == 1
    here.desk.work()
    sent = delivery.at_the_archive()
    if delivery.decided() == ["confirm"]:
        assert (delivery.state, len(sent)) == (ItemState.STORED, 2)
    else:
        assert delivery.state in (ItemState.SET_ASIDE, ItemState.NOT_USABLE, ItemState.LEFT)
        assert sent == []


def test_taken_out_and_shown_again_at_once_is_one_of_the_two_and_lists_agree(here: Arena) -> None:
    delivery = Delivery(here)
    delivery.press("grant", "store")()
    here.desk.work()
    delivery.form |= {"version": str(delivery.version)}
    said = statuses(at_once([delivery.press(who, "withdraw", remark="It is her sister's after all") for who in ("grant", "lindqvist")] * 8))
    assert (said[303], delivery.state) == (1, ItemState.WITHDRAWN)
    delivery.form |= {"version": str(delivery.version)}
    said = statuses(at_once([delivery.press(who, "restore") for who in ("grant", "lindqvist")] * 8))
    assert (said[303], delivery.state) == (1, ItemState.IN_REVIEW), "two people show it again"


def test_an_image_that_comes_while_a_reviewer_presses_is_never_stored_unseen(here: Arena) -> None:
    """Whatever comes first: a decision about two images never stores a third."""
    for _ in range(4):
        delivery = Delivery(here)
        pressed: list[Said] = []
        gate = threading.Barrier(2)

        def press(delivery: Delivery = delivery, gate: threading.Barrier = gate, pressed: list[Said] = pressed) -> None:
            gate.wait(30)
            pressed.append(delivery.press("grant", "store")())

        other = threading.Thread(target=press)
        other.start()
        gate.wait(30)
        delivery.send(3)
        other.join(30)
        here.desk.work()
        assert not any(uid.endswith(".3") for uid in delivery.at_the_archive()), pressed
        assert pressed[0].status in (303, 409)
        if delivery.state is ItemState.STORED:
            raise AssertionError("stored, with an image that nobody has looked at")
        assert delivery.state is ItemState.IN_REVIEW
        assert here.parts.requests.get(delivery.request).state is not State.STORED
        delivery.form = here.desk.form(here.desk.call("grant", f"/intake/{delivery.item}").text)
        mine = [f"{delivery.item}:{delivery.version}"]
        delivery.form |= {"keep": mine, "shown": mine}
        assert delivery.press("grant", "store")().status == 303
        here.desk.work()
        assert delivery.state is ItemState.STORED
        assert sorted(Counter(delivery.at_the_archive()).values()) == [1, 1, 1]


def test_two_reviewers_who_tick_the_same_studies_in_another_order_do_not_block_each_other(here: Arena) -> None:
    one, two = Delivery(here), Delivery(here)
    keep = [f"{each.item}:{each.version}" for each in (one, two)]
    forms = [one.form | {"keep": keep, "shown": keep}, one.form | {"keep": keep[::-1], "shown": keep[::-1]}]
    said = statuses(at_once([lambda form=form, who=who: here.as_(here.people[who], "POST", f"/intake/{one.item}/store", form) for form, who in zip(forms, ("grant", "lindqvist"), strict=True)] * 8))  # type: ignore[misc]
    assert said == {303: 1, 409: 15}
