"""What was delivered, by mailbox. As many mail stores do, a second copy with the same Message-ID is counted and not shown again."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

LINK = re.compile(r"https?://[^\s<>\"']+")


@dataclass(frozen=True)
class Delivered:
    """One message in one mailbox."""

    number: int
    to: str
    at: datetime
    raw: bytes
    copies: int = 1
    """How often a server was given it."""

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def text(self) -> str:
        return self._part("plain")

    @property
    def html(self) -> str:
        return self._part("html")

    @property
    def links(self) -> tuple[str, ...]:
        return tuple(LINK.findall(self.text))

    def _part(self, kind: str) -> str:
        part = self.message.get_body((kind,))
        return str(part.get_content()) if part is not None else ""


class Inbox:
    """Safe for threads; in memory, and gone with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[int, Delivered] = {}

    def deliver(self, to: str, raw: bytes) -> None:
        id = message_from_bytes(raw, policy=policy.default)["Message-ID"]
        with self._lock:
            known = next((one for one in self._all.values() if one.to == to and id and one.message["Message-ID"] == id), None)
            if known is not None:
                self._all[known.number] = replace(known, copies=known.copies + 1)
                return
            number = len(self._all) + 1
            self._all[number] = Delivered(number, to, datetime.now(UTC), raw)

    def all(self, to: str = "") -> tuple[Delivered, ...]:
        """The newest first."""
        with self._lock:
            return tuple(one for one in reversed(self._all.values()) if not to or one.to.casefold() == to.casefold())

    def get(self, number: int) -> Delivered | None:
        with self._lock:
            return self._all.get(number)

    def clear(self) -> None:
        with self._lock:
            self._all.clear()
