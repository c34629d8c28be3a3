"""Writes a letter out as an e-mail: text and simple HTML, encoded headers, an id that is the same at every try. Pure; safety.md K7."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from jinja2 import Environment

from smart_app.config_mail import is_address
from smart_app.dispatch.letters import Button, Letter, Site, Steps


class NoAddress(Exception):
    """What stands in the directory is not one plain e-mail address."""


def message_id(secret: bytes, key: str, sender: str) -> str:
    """The same for the same work, whoever sends it and however often; says nothing to others."""
    return f"<{hmac.new(secret, key.encode(), hashlib.sha256).hexdigest()[:40]}@{sender.rpartition('@')[2]}>"


def compose(letter: Letter, site: Site, pages: Environment, *, id: str, to: str, sender: str, reply_to: str, at: datetime) -> EmailMessage:
    """:raises NoAddress: `to` is not an address; nothing that a person typed gets into a header in another way."""
    if not is_address(to):
        raise NoAddress
    message = EmailMessage(policy=SMTP)
    name = one_line(f"{site.name}, {site.contact.desk}" if site.contact.desk else site.name)
    message["Message-ID"], message["Date"] = id, format_datetime(at)
    message["From"], message["To"] = Address(name, addr_spec=sender), Address(addr_spec=to)
    message["Reply-To"] = Address(name, addr_spec=reply_to)
    message["Subject"] = one_line(letter.subject)
    # Out-of-office answers to a machine help nobody (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    shown = {"letter": letter, "site": site, "Steps": Steps, "Button": Button}
    message.set_content(pages.get_template("dispatch/mail.txt").render(shown), cte="quoted-printable")
    message.add_alternative(pages.get_template("dispatch/mail.html").render(shown), subtype="html", cte="quoted-printable")
    return message


def one_line(text: str) -> str:
    """Without anything that could end a header or turn the direction of writing."""
    return "".join(letter for letter in text if letter.isprintable())
