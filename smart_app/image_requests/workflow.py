"""The states of a request as data: which action leads from where to where, and who may do it. Pure; the only place that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from smart_app.image_requests.types import Party, State

S, P = State, Party


class Act(StrEnum):
    SEND = "send"
    OPEN = "open"
    """The sender has proved who they are and sees what is wanted."""
    ACCEPT = "accept"
    DECLINE = "decline"
    RECEIVE = "receive"
    """The first byte is safely received."""
    SUBMIT = "submit"
    """The sender has sent all that they have."""
    STORE = "store"
    STORE_PART = "store-part"
    REJECT = "reject"
    """Nothing of what came was what was asked for: the request is open again."""
    WITHDRAW = "withdraw"
    """What was stored for it was taken out of view again: nothing of it is called stored until it is settled anew."""
    SUPERSEDE = "supersede"
    """The same, while another request asks for it already: this one ends, and is not called stored."""
    REOPEN = "reopen"
    CANCEL = "cancel"
    EXPIRE = "expire"


@dataclass(frozen=True)
class Rule:
    """From where to where, by whom."""

    sources: frozenset[State]
    to: State
    parties: frozenset[Party]
    needs_reason: bool = False


OPEN = frozenset({S.SENT, S.OPENED, S.ACCEPTED, S.RECEIVING, S.IN_REVIEW, S.STORED_IN_PART})
"""Somebody still waits for something. An identical second request is refused while one is here or a draft."""
CLOSED = frozenset({S.STORED, S.DECLINED, S.CANCELLED, S.EXPIRED})
TAKES_UPLOADS = frozenset({S.SENT, S.OPENED, S.ACCEPTED, S.RECEIVING, S.IN_REVIEW, S.STORED_IN_PART})
OURS = frozenset({P.CLINICIAN, P.STAFF})

TABLE: Mapping[Act, Rule] = MappingProxyType(
    {
        Act.SEND: Rule(frozenset({S.DRAFT}), S.SENT, OURS | {P.SYSTEM}),
        Act.OPEN: Rule(frozenset({S.SENT}), S.OPENED, frozenset({P.SENDER, P.PARTNER})),
        Act.ACCEPT: Rule(frozenset({S.SENT, S.OPENED}), S.ACCEPTED, frozenset({P.SENDER, P.PARTNER, P.STAFF})),
        Act.DECLINE: Rule(frozenset({S.SENT, S.OPENED, S.ACCEPTED}), S.DECLINED, frozenset({P.SENDER, P.PARTNER, P.STAFF}), needs_reason=True),
        Act.RECEIVE: Rule(frozenset({S.SENT, S.OPENED, S.ACCEPTED, S.IN_REVIEW, S.STORED_IN_PART}), S.RECEIVING, frozenset({P.SENDER, P.PARTNER, P.STAFF})),
        Act.SUBMIT: Rule(frozenset({S.RECEIVING}), S.IN_REVIEW, frozenset({P.SENDER, P.PARTNER, P.STAFF, P.SYSTEM})),
        Act.STORE: Rule(frozenset({S.ACCEPTED, S.RECEIVING, S.IN_REVIEW, S.STORED_IN_PART}), S.STORED, frozenset({P.SYSTEM})),
        Act.STORE_PART: Rule(frozenset({S.ACCEPTED, S.RECEIVING, S.IN_REVIEW, S.STORED_IN_PART}), S.STORED_IN_PART, frozenset({P.SYSTEM}), needs_reason=True),
        Act.REJECT: Rule(frozenset({S.RECEIVING, S.IN_REVIEW}), S.ACCEPTED, frozenset({P.REVIEWER, P.SYSTEM}), needs_reason=True),
        Act.WITHDRAW: Rule(frozenset({S.STORED, S.STORED_IN_PART}), S.IN_REVIEW, frozenset({P.REVIEWER}), needs_reason=True),
        Act.SUPERSEDE: Rule(frozenset({S.STORED}), S.CANCELLED, frozenset({P.REVIEWER}), needs_reason=True),
        Act.REOPEN: Rule(CLOSED, S.SENT, frozenset({P.STAFF, P.REVIEWER}), needs_reason=True),
        Act.CANCEL: Rule(frozenset({S.DRAFT}) | OPEN, S.CANCELLED, OURS, needs_reason=True),
        Act.EXPIRE: Rule(frozenset({S.DRAFT, S.SENT, S.OPENED, S.ACCEPTED}), S.EXPIRED, frozenset({P.SYSTEM})),
    }
)


class Deed(StrEnum):
    """What is done to a request and leaves its state as it is."""

    DRAFT = "draft"
    """Saved for the desk, which sends it."""
    NOTE = "note"
    ASSIGN = "assign"
    """Somebody looks after it from now on, or nobody does."""
    MOVE = "move"
    """It is needed by another time."""
    REMIND = "remind"
    """Whoever was asked is reminded."""
    READDRESS = "readdress"
    """A draft is given another facility, or another way to it."""
    FOLLOW = "follow"
    """The appointment that it hangs on was moved or called off."""
    TELL = "tell"
    """The system tells what it did or could not do: a message handed over, a message that came back."""


WAITS_FOR_SENDER = frozenset({S.SENT, S.OPENED, S.ACCEPTED, S.RECEIVING, S.STORED_IN_PART})
DEEDS: Mapping[Deed, tuple[frozenset[State], frozenset[Party], bool]] = MappingProxyType(
    {
        Deed.DRAFT: (frozenset({S.DRAFT}), OURS | {P.REVIEWER}, False),
        Deed.NOTE: (frozenset(State), OURS | {P.REVIEWER}, True),
        Deed.ASSIGN: (frozenset(State), frozenset({P.STAFF, P.REVIEWER, P.SYSTEM}), False),
        Deed.MOVE: (frozenset({S.DRAFT}) | OPEN, OURS | {P.REVIEWER, P.SYSTEM}, False),
        Deed.REMIND: (WAITS_FOR_SENDER, frozenset({P.STAFF, P.REVIEWER, P.SYSTEM}), False),
        Deed.READDRESS: (frozenset({S.DRAFT}), OURS | {P.REVIEWER}, False),
        Deed.FOLLOW: (frozenset({S.DRAFT}) | OPEN, frozenset({P.SYSTEM}), False),
        Deed.TELL: (frozenset(State), frozenset({P.SYSTEM}), True),
    }
)
"""In which states, by whom, and whether it needs words."""


class NotAllowed(Exception):
    """`why`: `state` or `party` or `reason`."""

    def __init__(self, act: Act | Deed, why: str) -> None:
        super().__init__(f"{act.value}: {why}")
        self.act, self.why = act, why


def may_do(state: State, deed: Deed, party: Party) -> bool:
    states, parties, _ = DEEDS[deed]
    return state in states and party in parties


def check(state: State, deed: Deed, party: Party, words: str = "") -> None:
    """:raises NotAllowed:"""
    states, parties, needs_words = DEEDS[deed]
    for holds, why in ((party in parties, "party"), (state in states, "state"), (bool(words.strip()) or not needs_words, "reason")):
        if not holds:
            raise NotAllowed(deed, why)


def can(state: State, act: Act, party: Party) -> bool:
    rule = TABLE[act]
    return state in rule.sources and party in rule.parties


def after(state: State, act: Act, party: Party, reason: str = "") -> State:
    """The state that `act` leads to. :raises NotAllowed:"""
    rule = TABLE[act]
    if party not in rule.parties:
        raise NotAllowed(act, "party")
    if state not in rule.sources:
        raise NotAllowed(act, "state")
    if rule.needs_reason and not reason.strip():
        raise NotAllowed(act, "reason")
    return rule.to
