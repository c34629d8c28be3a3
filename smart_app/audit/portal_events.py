"""What the audit says of links and of what senders do with them. Never a token, a code or a file name."""

from __future__ import annotations

from dataclasses import dataclass

from smart_app.audit.events import Event, Outcome


@dataclass(frozen=True, kw_only=True)
class LinkMade(Event):
    """A link to send images was made; `link` is its id, which opens nothing."""

    link: str
    purpose: str
    request: str = ""
    code = "110100"
    verb = "C"


@dataclass(frozen=True, kw_only=True)
class LinkOpened(Event):
    """Somebody showed that a link is meant for them, and saw what is wanted."""

    link: str
    request: str = ""
    code = "110114"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class LinkProofFailed(Event):
    """A wrong birth date or code; `left` tries remain in the link's life."""

    link: str
    left: int
    request: str = ""
    outcome: Outcome = Outcome.MINOR
    code = "110113"
    verb = "E"


@dataclass(frozen=True, kw_only=True)
class LinkEnded(Event):
    """`why`: `locked` after five wrong proofs, `revoked` or `completed`."""

    link: str
    why: str
    request: str = ""
    code = "110113"
    verb = "D"


@dataclass(frozen=True, kw_only=True)
class UploadBegun(Event):
    link: str
    upload: str
    request: str = ""
    code = "110107"
    verb = "C"


@dataclass(frozen=True, kw_only=True)
class UploadFinished(Event):
    """All that a sender had is safely received: `count` files, `bytes` bytes. `by`: `sender` or `time`."""

    link: str
    upload: str
    count: int
    bytes: int
    left_out: int = 0
    by: str = "sender"
    request: str = ""
    code = "110107"
    verb = "C"


@dataclass(frozen=True, kw_only=True)
class ImagesOffered(Event):
    """Another site asked on the public page whether it may send; or staff answered: `asked`, `allowed` or `declined`."""

    offer: str
    answer: str
    code = "110100"
    verb = "C"
