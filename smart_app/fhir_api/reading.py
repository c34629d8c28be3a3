"""What a Task that a partner has changed means for a request. Pure; lenient with form, strict with meaning.

A partner's word moves a request only as far as its word goes: `in-progress` is their work, not our receiving, which is said when the
first byte is safely here; `completed` is their opinion, and stored is said when it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from smart_app.fhir.wire import codings, text
from smart_app.image_requests.types import Party, State
from smart_app.image_requests.workflow import Act, can

MAX_REASON = 500
NO_REASON = "They gave no reason"
MEANS: Mapping[str, Act] = MappingProxyType(
    {"received": Act.OPEN, "accepted": Act.ACCEPT, "in-progress": Act.ACCEPT, "rejected": Act.DECLINE, "failed": Act.DECLINE, "cancelled": Act.DECLINE}
)
_ON_THE_WAY = frozenset({State.ACCEPTED, State.RECEIVING, State.IN_REVIEW, State.STORED_IN_PART})
_THERE: Mapping[Act, frozenset[State]] = MappingProxyType(
    {Act.OPEN: _ON_THE_WAY | {State.OPENED}, Act.ACCEPT: _ON_THE_WAY, Act.DECLINE: frozenset({State.DECLINED})}
)
NOT_YET = frozenset({"draft", "requested", "ready", "on-hold", "completed"})
"""Says nothing that would move a request."""


@dataclass(frozen=True)
class Said:
    """A status of FHIR and the words with it. `act`: what it asks of the request, None for nothing."""

    status: str
    reason: str
    act: Act | None


def said(task: Mapping[str, Any]) -> Said | None:
    """What this Task says; None when it says nothing that FHIR knows."""
    status = task.get("status")
    if not isinstance(status, str) or status not in (*MEANS, *NOT_YET):
        return None
    return Said(status, _reason(task.get("statusReason")), MEANS.get(status))


def move(state: State, heard: Said) -> Act | None:
    """The act that brings a request from `state` to what was heard; None when it is there already, or beyond."""
    return heard.act if heard.act is not None and can(state, heard.act, Party.PARTNER) else None


def stands(state: State, heard: Said) -> bool:
    """Whether the request is already where, or beyond where, this would bring it."""
    return heard.act is not None and state in _THERE.get(heard.act, frozenset())


def _reason(value: object) -> str:
    """Words of a CodeableConcept: its text, or else the names of its codes."""
    words = text(value.get("text")) if isinstance(value, Mapping) else None
    if not words:
        words = ", ".join(name for one in codings(value) if (name := text(one.get("display")) or text(one.get("code"))))
    return words[:MAX_REASON]
