"""The SMTP side: takes everything, or does what a test tells it to for one address or for all."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from contextlib import suppress
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.mailbox.inbox import Inbox

EVERYBODY = ""


class Scripts:
    """What to do with the next messages instead of taking them, by address. An answer such as `550 no such user`, or one of the words.

    `lost`: taken, and the connection is cut before that is said. `cut`: the connection is cut, and nothing was taken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.at_address: dict[str, list[str]] = {}
        self.at_data: dict[str, list[str]] = {}

    def take(self, script: dict[str, list[str]], address: str) -> str:
        with self._lock:
            for key in (address.casefold(), EVERYBODY):
                if script.get(key):
                    return script[key].pop(0)
        return ""


class Handler:
    def __init__(self, inbox: Inbox, scripts: Scripts) -> None:
        self._inbox, self._scripts = inbox, scripts

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if said := self._scripts.take(self._scripts.at_address, address):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        said = self._scripts.take(self._scripts.at_data, envelope.rcpt_tos[0])
        if not said or said == "lost":
            for to in envelope.rcpt_tos:
                self._inbox.deliver(to, envelope.content)
        if said in ("lost", "cut"):
            assert server.transport is not None
            server.transport.close()
            await asyncio.sleep(0)
            return "421 bye"
        return said or "250 taken"


class Mailserver:
    """A running server on `port` (0: a free one). With `certificate` it offers STARTTLS; with `users` it asks for a password."""

    def __init__(self, port: int = 0, *, certificate: ssl.SSLContext | None = None, users: dict[str, str] | None = None) -> None:
        self.inbox, self.scripts, self.host = Inbox(), Scripts(), "127.0.0.1"
        self.port = port or _free_port()
        more: dict[str, Any] = {"tls_context": certificate} if certificate else {}
        if users is not None:
            more |= {"auth_required": True, "auth_require_tls": certificate is not None, "authenticator": _authenticator(users)}
        self._controller = Controller(Handler(self.inbox, self.scripts), hostname=self.host, port=self.port, **more)
        self._controller.start()

    def stop(self) -> None:
        with suppress(AssertionError):
            self._controller.stop()

    def __enter__(self) -> Mailserver:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _authenticator(users: dict[str, str]) -> Any:
    def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and users.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=right, handled=True) if right else AuthResult(success=False, handled=False)

    return check


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
