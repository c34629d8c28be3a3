"""What our letters say: fixed words, the patient's initials at most, and no date of the patient's. safety.md K5, K7.

A letter is read by whoever reads a mailbox. What is wanted, whose it is and what a reviewer wrote is on the page behind the link, after
proof (decision 20). Pure: a letter is made from a request, the site and a link, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from smart_app.config_mail import Contact
from smart_app.image_requests.types import ImageRequest, RouteKind, Urgency


class Kind(StrEnum):
    ASK = "ask"
    CODE = "code"
    REMIND = "remind"
    THANKS = "thanks"
    MORE = "more"
    """Something is missing, or not what was asked for."""
    RECALL = "recall"
    DESK = "desk"
    """To our own desk: it must look at a request."""
    ALLOW = "allow"
    """To a site that asked whether it may send us images: it may."""
    REFUSE = "refuse"


class CodeBy(StrEnum):
    """How the sender learns the code, which never travels with the link."""

    PHONE = "phone"
    MESSAGE = "message"
    """Another message, to another address of the same facility."""


@dataclass(frozen=True)
class Steps:
    """Instructions under a heading."""

    title: str
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Button:
    """The one address in a letter."""

    words: str
    address: str


Part = str | Steps | Button


@dataclass(frozen=True)
class Letter:
    """One message, before it is written out as text and HTML."""

    kind: Kind
    subject: str
    parts: tuple[Part, ...]
    foot: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """We, as people outside know us."""

    name: str
    contact: Contact

    def day(self, at: datetime) -> str:
        local = at.astimezone(self.contact.zone)
        return f"{local.day} {local:%b} {local.year}"

    def clock(self, at: datetime) -> str:
        return f"{at.astimezone(self.contact.zone):%H:%M}"

    @property
    def desk(self) -> str:
        """`Image desk, 555 0142, 07:00 to 19:00`"""
        return ", ".join(word for word in (self.contact.desk, self.contact.phone, self.contact.hours) if word)

    @property
    def call_us(self) -> str:
        return f"call us: {self.contact.phone}" if self.contact.phone else "answer this message"


HOW_URGENT: Mapping[Urgency, str] = MappingProxyType(
    {
        Urgency.EMERGENCY: "This is an emergency. The images are needed now.",
        Urgency.TODAY: "The images are needed today.",
        Urgency.ROUTINE: "",
    }
)


def ask(request: ImageRequest, site: Site, address: str, until: datetime, code: CodeBy, steps: tuple[Steps, ...] = ()) -> Letter:
    """The link, and what the page will ask for. `steps`: instructions, for a patient."""
    who = request.asked.patient.initials
    patient = request.asked.route.kind is RouteKind.PATIENT
    how = {CodeBy.MESSAGE: "The code comes in a message of its own.", CodeBy.PHONE: f"The code is not sent by e-mail. {_phone(site)}"}[code]
    unknown = "" if patient else f"If you do not know whom this is about, {site.call_us}. We give no names by e-mail."
    return _letter(
        Kind.ASK, request.id, site, f"Images asked for: {request.id}",
        f"{site.name} asks you for images of {who}", HOW_URGENT[request.asked.urgency],
        "Open this link to see what is asked for. You can send it there, or say that you cannot." if patient else "Open this link to see what is asked for, and to send it or decline.",
        Button("Open the request", address),
        f"The page asks for two things: the patient's birth date, and a code of six letters and numbers. {how}", unknown,
        f"You need no account. The link works until {site.day(until)}.", *steps,
    )  # fmt: skip


def code(request: ImageRequest, site: Site, code: str) -> Letter:
    """The code alone: no link, so that one mailbox does not hold both."""
    return _letter(
        Kind.CODE, request.id, site, f"Code for {request.id}", f"The code for request {request.id} of {site.name} is:", code,
        "The link went to another address of your hospital. Please pass the code on to whoever has it, by phone or in person.",
    )  # fmt: skip


def remind(request: ImageRequest, site: Site, address: str, until: datetime, asked_at: datetime) -> Letter:
    when = f"on {site.day(asked_at)} at {site.clock(asked_at)}"
    return _letter(
        Kind.REMIND, request.id, site, f"Reminder: images asked for: {request.id}",
        f"{site.name} asked you {when} for images of {request.asked.patient.initials} We do not have all of them yet.",
        HOW_URGENT[request.asked.urgency], Button("Open the request", address),
        f"It is the same link as before, and works until {site.day(until)}. If you cannot send the images, say so there or {site.call_us}.",
    )  # fmt: skip


def thanks(request: ImageRequest, site: Site) -> Letter:
    return _letter(
        Kind.THANKS, request.id, site, f"Checked and stored: {request.id}", f"Thank you. What you sent to {site.name} for request {request.id} is checked and stored.",
        "There is nothing more to do.",
    )  # fmt: skip


def more(request: ImageRequest, site: Site, address: str, until: datetime) -> Letter:
    """What exactly is missing was written by a person about a patient: it is on the page, after proof."""
    return _letter(
        Kind.MORE, request.id, site, f"Something is still missing: {request.id}", f"Thank you. {site.name} looked through what you sent for request {request.id}. Not all of it is what we need.",
        "Open your link to read what is missing and to send it. What you sent before stays with us.", Button("Read what is missing", address),
        f"The page asks again for the birth date and the code. The link works until {site.day(until)}.",
    )  # fmt: skip


def recall(request: ImageRequest, site: Site) -> Letter:
    return _letter(
        Kind.RECALL, request.id, site, f"No longer needed: {request.id}", f"{site.name} no longer needs the images of request {request.id}.",
        "The link is closed. There is nothing to do, and nothing to send.",
    )  # fmt: skip


def allow(offer: str, site: Site, address: str, until: datetime) -> Letter:
    """Of what they wrote nothing is repeated: it came from whoever filled in a public page."""
    return _letter(
        Kind.ALLOW, offer, site, f"You may send images: {offer}", f"You asked {site.name} whether you may send us images. You may.", "Open this link to send them.",
        Button("Send images", address), f"The page asks for a code of six letters and numbers. The code is not sent by e-mail. {_phone(site)}",
        f"You need no account. The link works until {site.day(until)}.",
    )  # fmt: skip


def refuse(offer: str, site: Site) -> Letter:
    return _letter(
        Kind.REFUSE, offer, site, f"About the images that you offered: {offer}", f"You asked {site.name} whether you may send us images. We cannot take them this way.",
        f"If you think that this is a mistake, {site.call_us}.",
    )  # fmt: skip


DESK_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "declined": "was declined. The reason is on the work list.",
        "call-them": "has had no answer. Somebody must phone: the number and what to say are on the work list.",
        "ask-another": "has had no answer, and no other hospital is lined up. Somebody must choose whom to ask.",
    }
)


def for_desk(request: ImageRequest, site: Site, what: str) -> Letter:
    """To our own people: the number of a request and a fixed sentence."""
    return _letter(Kind.DESK, request.id, site, f"Please look at {request.id}", f"Request {request.id} {DESK_WORDS[what]}", HOW_URGENT[request.asked.urgency])


def _phone(site: Site) -> str:
    return f"Our image desk tells you the code by phone: {site.contact.phone}." if site.contact.phone else "Our image desk tells you the code by phone."


def _letter(kind: Kind, reference: str, site: Site, subject: str, *parts: Part) -> Letter:
    questions = f"Questions: {site.desk}. Reference {reference}." if site.desk else f"Reference {reference}."
    warning = "Please do not send images, names or birth dates by e-mail."
    return Letter(kind, subject, tuple(part for part in parts if part), (questions, warning) if kind is not Kind.DESK else ())
