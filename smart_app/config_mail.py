"""Settings of how requests leave the house: the image desk's own addresses, and the mail server.

Their meaning is their `description`, held against `docs/configuration.md` by a test. `config` puts them into `Settings`.
"""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, Field, model_validator

from smart_app.config_archives import Frozen, SecretRef

ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*")
"""What may stand in a header as it is: RFC 5322 dot-atoms, and nothing that could end a line or begin another address."""


def is_address(text: str) -> bool:
    """Whether this is one plain e-mail address."""
    local = text.partition("@")[0]
    return len(text) <= 254 and ADDRESS.fullmatch(text) is not None and ".." not in local and not local.startswith(".") and not local.endswith(".")


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError("is not one plain e-mail address")
    return text


def _line(text: str) -> str:
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ValueError("must be one line")
    return text


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("is not a time zone such as Europe/Berlin")
    return name


Address = Annotated[str, AfterValidator(_address)]
Line = Annotated[str, Field(max_length=200), AfterValidator(_line)]


class Contact(Frozen):
    """Who the image desk is to people outside: printed on sheets, in mail and on the senders' pages."""

    site: Line = Field("", description="Name of the hospital to people outside; the first EHR's `organization` or `name` when empty.")
    desk: Line = Field("Image desk", description="What the office is called that answers questions.")
    phone: Line = Field("", description="Its telephone number.")
    hours: Line = Field("", description="When somebody answers there, for instance `07:00 to 19:00`.")
    fax: Line = Field("", description="Its fax number.")
    post: tuple[Line, ...] = Field((), max_length=8, description="Lines of the postal address that discs may be sent to.")
    time_zone: Annotated[str, AfterValidator(_zone)] = Field("UTC", description="Time zone in which times are printed for people outside.")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


class Mail(Frozen):
    """The mail server that takes our messages."""

    host: Line = Field(min_length=1, description="Name of the server, as its certificate says it.")
    port: int = Field(587, ge=1, le=65535, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="`starttls` and `tls` verify the certificate and never fall back; `none` is allowed for a server on this machine only."
    )
    ca_file: Path | None = Field(None, description="CA bundle to verify the server's certificate with.")
    username: Line | None = Field(None, description="User to sign in as; none signs in as nobody.")
    password: SecretRef | None = Field(None, description="Its password.")
    sender: Address = Field(description="Address that messages come from. What cannot be delivered comes back to it, so somebody should read it.")
    reply_to: Address | None = Field(None, description="Address that answers go to; `sender` when absent.")
    desk: Address | None = Field(None, description="Address of the image desk, which is told when a request is declined or somebody must phone; none: the work list alone says so.")
    timeout: float = Field(10, ge=1, le=30, description="Seconds that the server may be silent.")

    @model_validator(mode="after")
    def _protected(self) -> Mail:
        if self.security == "none" and not _is_here(self.host):
            raise ValueError("`security: none` would send links unprotected: use starttls or tls, or a server on this machine")
        if (self.username is None) != (self.password is None):
            raise ValueError("a user needs a password, and a password a user: give both or neither")
        return self


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
