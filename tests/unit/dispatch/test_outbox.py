"""J8: one piece of work is one message in the mailbox, whatever is killed when; a doubt is given once more under the same id, and no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from sandbox.mailbox.smtp import EVERYBODY, Mailserver
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.dispatch import letters
from smart_app.dispatch.models import MessageRow
from smart_app.dispatch.outbox import DOUBT, PATIENCE, Outbox
from smart_app.dispatch.transport import Post
from smart_app.jobs.types import Job, Later, NeedsAttention
from smart_app.sealing import Keyring
from tests.unit.dispatch.correspondence import PAGES, SITE, mail_settings, request
from tests.unit.launch.ehr_sim import MovingClock

JOB = Job("dispatch", "RQ-7Q2M4TKX.1", 1, lambda: None)
TO = "images@harrow.example"


class Killed(BaseException):
    """As a process that is no more: nothing catches it."""


class World:
    def __init__(self, database: Database, keyring: Keyring, server: Mailserver) -> None:
        self.database, self.server, self.clock = database, server, MovingClock()
        self.settings, self.keyring = mail_settings(server), keyring
        self.outbox = self.another(Post(self.settings, None))
        self.noted: list[str] = []

    def another(self, post: Post, clock: Clock | None = None) -> Outbox:
        return Outbox(self.database, self.keyring, clock or self.clock, self.settings, post, PAGES)

    def send(self, outbox: Outbox | None = None, to: str = TO, then: Callable[[Session], None] | None = None) -> None:
        note = then or (lambda session: self.noted.append("accepted"))
        (outbox or self.outbox).send(JOB, "RQ-7Q2M4TKX", letters.thanks(request(), SITE), SITE, to, note)

    @property
    def copies(self) -> list[int]:
        return [one.copies for one in self.server.inbox.all()]


@pytest.fixture
def world(database: Database, keyring: Keyring, mailbox: Mailserver) -> World:
    return World(database, keyring, mailbox)


def test_the_same_work_is_one_message(world: World) -> None:
    for _ in range(3):
        world.send()
    assert (world.copies, world.noted) == ([1], ["accepted"])
    (sent,) = world.outbox.of_request("RQ-7Q2M4TKX")
    assert (sent.letter, sent.to, sent.state) == ("thanks", TO, "accepted")
    with world.database.engine.connect() as connection:
        assert TO not in repr(connection.execute(text("SELECT * FROM outgoing_messages")).all())


class DyingPost(Post):
    """A process that dies at a named moment of its first message."""

    moment = ""

    def hand_over(self, message: object, to: str, giving: Callable[[], None]) -> None:
        if self.moment == "before anything":
            raise Killed
        if self.moment == "when it is about to be given":

            def given() -> None:
                giving()
                raise Killed

            super().hand_over(message, to, given)  # type: ignore[arg-type]
        super().hand_over(message, to, giving)  # type: ignore[arg-type]
        if self.moment == "after the server took it":
            raise Killed


@pytest.mark.parametrize(
    ("moment", "copies"),
    [("before anything", 1), ("when it is about to be given", 1), ("after the server took it", 2), ("while acceptance is written", 2)],
)
def test_a_process_that_is_killed_leaves_one_message_in_the_mailbox(world: World, moment: str, copies: int) -> None:
    dying = DyingPost(world.settings, None)
    dying.moment = moment

    def die(session: Session) -> None:
        raise Killed

    with pytest.raises(Killed):
        world.send(world.another(dying), then=die if moment == "while acceptance is written" else None)
    if moment != "before anything":
        with pytest.raises(Later) as later:
            world.send()
        assert later.value.seconds <= DOUBT.total_seconds()
    world.clock.forward(seconds=DOUBT.total_seconds() + 1)
    world.send()
    world.send()
    assert world.copies == [copies], "given again under the same id, so the mailbox shows one"
    assert world.noted == ["accepted"]


def test_a_doubt_is_given_once_more_and_then_shown(world: World) -> None:
    world.server.scripts.at_data[EVERYBODY] = ["lost", "cut", "lost"]
    for _ in range(2):
        with pytest.raises(Later):
            world.send()
        world.clock.forward(seconds=DOUBT.total_seconds() + 1)
    for _ in range(2):
        with pytest.raises(NeedsAttention, match="mail-unknown"):
            world.send()
    assert (world.copies, world.noted) == ([1], [])


def test_a_doubt_is_not_forgotten_while_the_server_is_away(world: World) -> None:
    world.server.scripts.at_data[EVERYBODY] = ["lost"]
    with pytest.raises(Later):
        world.send()
    world.clock.forward(seconds=DOUBT.total_seconds() + 1)
    world.server.scripts.at_address[EVERYBODY] = ["451 later"] * 3
    for _ in range(3):
        with pytest.raises(Later):
            world.send()
    world.send()
    assert world.copies == [2]
    with world.database.reading() as session:
        assert session.get_one(MessageRow, f"dispatch:{JOB.key}:thanks").handings == 2


def test_not_now_is_tried_again_and_not_for_ever(world: World) -> None:
    world.server.scripts.at_address[EVERYBODY] = ["451 greylisted"] * 5
    waits: list[float] = []
    for _ in range(4):
        with pytest.raises(Later) as later:
            world.send()
        waits.append(later.value.seconds)
    assert waits == sorted(waits)
    assert waits[0] <= 60
    world.clock.forward(seconds=PATIENCE.total_seconds() + 1)
    with pytest.raises(NeedsAttention, match="mail-not-taken"):
        world.send()
    world.send()
    assert (world.copies, world.noted) == ([1], ["accepted"])


def test_a_refusal_is_shown_and_a_corrected_address_is_tried(world: World) -> None:
    world.server.scripts.at_address[TO] = ["550 no such user"]
    with pytest.raises(NeedsAttention, match="mail-address-refused"):
        world.send()
    assert world.outbox.of_request("RQ-7Q2M4TKX")[0].state == "refused"
    with pytest.raises(NeedsAttention, match="no-address"):
        world.send(to="nowhere")
    world.send(to="library@harrow.example")
    assert [one.to for one in world.server.inbox.all()] == ["library@harrow.example"]
    assert world.outbox.of_request("RQ-7Q2M4TKX")[0].to == "library@harrow.example"


def test_of_two_that_send_at_once_one_does(world: World) -> None:
    """As two workers do when a lease was lost: the second comes just before the first has given its message."""
    turns: list[str] = []

    class Slow(Post):
        def hand_over(self, message: object, to: str, giving: Callable[[], None]) -> None:
            if not turns:
                turns.append("first waits")
                world.send()
            super().hand_over(message, to, giving)  # type: ignore[arg-type]

    with pytest.raises(Later):
        world.send(world.another(Slow(world.settings, None)))
    world.send()
    assert (world.copies, world.noted) == ([1], ["accepted"])


def test_without_a_mail_server_it_is_said(world: World) -> None:
    off = Outbox(world.database, world.keyring, world.clock, None, None, PAGES)
    assert not off.is_on
    with pytest.raises(NeedsAttention, match="mail-off"):
        world.send(off)
