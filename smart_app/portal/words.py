"""What senders read: who we are, what is wanted, and the faults of this side in plain words. No decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from smart_app.errors import Fault, Side
from smart_app.image_requests.types import Wanted

NO_ROOM = Fault("no-room", Side.US, "We have no room at the moment; nothing of this file was kept.", "Leave the page open, it tries again.", True, 507)
NOT_SAFE = Fault("disk-failed", Side.US, "Our disk did not take this; nothing of it is received.", "Leave the page open, it tries again.", True, 503)
TOO_MUCH = Fault("too-much", Side.PERSON, "This is more than one link may bring, so it was not begun.", "Leave something out, or call us.", False, 413)
NOT_WHOLE = Fault("not-whole", Side.PERSON, "Some of the files have not come yet.", "Send them, or leave them out.", False, 409)
MOVED = Fault("moved", Side.US, "The request has changed meanwhile.", "Open the link again.", True, 409)
NOT_READ = Fault("not-understood", Side.PERSON, "We could not read this.", "Go back and try again.", False, 400)
BROKEN_OFF = Fault("broken-off", Side.PERSON, "The rest of this did not come.", "Leave the page open, it goes on from there.", True, 503)
NOT_SHOWN = Fault("not-shown", Side.PERSON, "Show first that the link is meant for you.", "Open the link again.", False, 404)
TOO_MANY = Fault("too-many", Side.US, "Many are asking at the moment, so this was not taken.", "Call us.", True, 503)
RECEIVING_OFF = Fault("receiving-off", Side.SETUP, "Receiving images is not set up here.", "Whoever looks after Priors can do that.", False, 503)
TOO_FAST = Fault("too-fast", Side.PERSON, "This was tried too often from here.", "Wait a minute, then try again.", True, 429)

DECLINES = {
    "no-patient": "No such patient here",
    "no-study": "We have no such images",
    "release": "We need a signed release form first",
    "elsewhere": "The images are now at another hospital",
    "other": "Another reason",
}
PATIENTS_DECLINES = {
    "no-images": "I do not have these images",
    "at-hospital": "A hospital has them: ask there",
    "no-drive": "I have a disc, and no drive for it",
    "unwilling": "I do not want to send them",
    "other": "Another reason",
}
"""What a patient or family may answer."""
"""Reasons that a sender can press; `other` wants words."""
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")


@dataclass(frozen=True)
class Site:
    """Who receives."""

    name: str
    contact: str


def day(iso: str) -> str:
    """`21 May 2026`; what is no date comes back as it is."""
    try:
        parsed = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{parsed.day} {parsed:%b} {parsed.year}"


def wanted_words(wanted: Wanted) -> str:
    """`CT perfusion of the head, 21 May 2026, and its report. Other studies are welcome too.`"""
    when = day(wanted.date_from)
    if wanted.date_to and wanted.date_to != wanted.date_from:
        when = f"from {when} to {day(wanted.date_to)}" if wanted.date_from else f"until {day(wanted.date_to)}"
    words = ", ".join(word for word in (wanted.title, when) if word)
    if wanted.accession:
        words += f" (number {wanted.accession})"
    if wanted.missing:
        words += f"; missing here: {wanted.missing}"
    if wanted.report:
        words += ", and its report"
    thin = " The thin slices, please, if you have them." if wanted.thin else ""
    return f"{words}.{thin}" + (" All others of the same region, too." if wanted.others else " Other studies are welcome too.")
