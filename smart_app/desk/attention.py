"""Work that went wrong and waits for a person, in words: what was not done, whose side it is on, what to do next. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from smart_app.jobs.types import Stuck

WHAT: Mapping[str, str] = MappingProxyType(
    {
        "dispatch": "A request was not sent out", "tell": "Somebody was not told how a request ended", "recall": "Somebody was not told that a request is over",
        "mirror": "A request was not written to the EHR", "screen": "What arrived was not looked through", "store": "What arrived was not stored",
        "by-hand": "Somebody is needed", "tell-offer": "Somebody who offered images was not told",
    }
)  # fmt: skip
"""By kind of work."""
WHY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "mail-address-refused": ("Their mail server does not know the address.", "Look at it in the directory, or phone them."),
        "mail-sender-refused": ("The mail server does not let Priors send. Our side.", "Tell the administrator of Priors."),
        "mail-certificate": ("The mail server did not prove who it is. Our side.", "Tell the administrator of Priors."),
        "mail-server-set-up": ("The mail server is set up in a way that Priors cannot use. Our side.", "Tell the administrator of Priors."),
        "mail-server-away": ("The mail server did not answer for hours. Our side.", "Try again, or print the fax sheet."),
        "mail-not-taken": ("The mail server put it off for hours.", "Try again, or print the fax sheet."),
        "mail-unknown": ("The mail server never said whether it took it.", "Ask them before you try again: it may arrive twice."),
        "mail-content-refused": ("Their mail server does not take the message.", "Phone them, or print the fax sheet."),
        "mail-sign-in-refused": ("The mail server does not let Priors sign in. Our side.", "Tell the administrator of Priors."),
        "call-them": ("Nobody has answered in time.", "Phone them, and write a note of what they said: then it leaves this list."),
        "ask-another": ("Nobody has answered in time, and no other hospital is lined up.", "Ask another hospital, or write a note why not."),
        "sheet-to-fax": ("A fax sheet is ready.", "Print it and fax it, then write a note that it was faxed."),
        "sheet-to-print": ("A sheet for the patient is ready.", "Print it and hand it over, then write a note that it was."),
        "mail-off": ("No mail server is set up here.", "Print the fax sheet, and tell the administrator of Priors."),
        "no-address": ("There is no address to send it to.", "Put one into the directory, or print the fax sheet."),
        "no-partner": ("The partner system is not set up here.", "Ask in another way, and tell the administrator of Priors."),
        "receiving-off": ("Receiving is switched off here, so there is no link to send.", "Ask for a disc by phone or fax."),
        "no-archive": ("No archive here takes studies. Our side.", "Tell the administrator of Priors. What arrived is kept."),
        "no-identifier": ("The archive’s number of this patient is not known.", "Give the patient a number there, then try again. What arrived is kept."),
    }
)  # fmt: skip
"""By the fixed word of a handler: whose side, and what to do next."""
UNKNOWN = ("It was tried five times, and something failed each time. Our side, most likely.", "Try again. If it comes back, give the administrator of Priors the reference.")
REQUEST = re.compile(r"(RQ-[0-9A-Z]{8})(?:\.\d+(?:\.[a-z-]+)?)?")


@dataclass(frozen=True)
class Trouble:
    kind: str
    key: str
    what: str
    why: str
    next: str
    reference: str
    since: datetime
    request: str = ""
    """The request that it is about, where the key names one."""


def troubles(stuck: Iterable[Stuck]) -> tuple[Trouble, ...]:
    return tuple(trouble(one) for one in stuck)


def trouble(one: Stuck) -> Trouble:
    found = REQUEST.fullmatch(one.key)
    why, then = WHY.get(one.reason, UNKNOWN)
    what = WHAT.get(one.kind, f"Work of the kind “{one.kind}” was not done")
    return Trouble(one.kind, one.key, what, why, then, f"{one.kind} {one.key}: {one.reason}", one.since, found.group(1) if found else "")
