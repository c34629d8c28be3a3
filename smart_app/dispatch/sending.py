"""Handlers of `dispatch`, `tell` and `recall`: what a change of a request sends out. Each may be called again after any crash.

The key of the work names the change (`<request>.<sequence>`); what it means is read from the request's history, never from the work.
Before an address gets a link, the link exists; what was sent is written into the request's story in the transaction that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from jinja2 import Environment

from smart_app.db import Database
from smart_app.dispatch import letters
from smart_app.dispatch.letters import Kind, Letter, Site
from smart_app.dispatch.outbox import Outbox
from smart_app.dispatch.pages import instructions
from smart_app.dispatch.ways import Out, Way, way_of
from smart_app.image_requests.service import Requests
from smart_app.image_requests.types import Actor, Happened, ImageRequest, Party, RouteKind, State
from smart_app.image_requests.workflow import OPEN, Act, Deed
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.types import Job, NeedsAttention
from smart_app.links.store import Links
from smart_app.links.types import Link, Purpose

SYSTEM = Actor(Party.SYSTEM, name="Priors")
ASKING = frozenset({Act.SEND.value, Act.REOPEN.value})


class Partners(Protocol):
    """What is needed of `fhir_api.partner.Partners`."""

    def send(self, request: ImageRequest) -> None: ...


@dataclass(frozen=True)
class Change:
    """One change of a request, and the request as it stands now."""

    job: Job
    request: ImageRequest
    event: Happened
    history: tuple[Happened, ...]

    @property
    def is_latest_asking(self) -> bool:
        """No later change asked again: that one sends."""
        return not any(one.action in ASKING and one.sequence > self.event.sequence for one in self.history)


class Dispatch:
    """One a process; safe for threads."""

    def __init__(
        self, db: Database, requests: Requests, ledger: Ledger, links: Links, outbox: Outbox, sites: Callable[[str], Site], pages: Environment,
        *, desk: str | None = None, partners: Partners | None = None, link_days: float = 14,
    ) -> None:  # fmt: skip
        """`sites`: who we are, by EHR. `desk`: our own desk's address. `link_days`: how long a new link lives."""
        self._db, self._requests, self._ledger, self._links, self._outbox, self._sites, self._pages = db, requests, ledger, links, outbox, sites, pages
        self._desk, self._partners, self._link_days = desk, partners, link_days

    def dispatch(self, job: Job) -> None:
        """A request was sent or asked again, or somebody is to be reminded."""
        change = self._change(job)
        if change.request.state not in OPEN:
            return
        if change.event.action == Deed.REMIND.value:
            self._remind(change)
        elif change.is_latest_asking:
            self._ask(change)

    def tell(self, job: Job) -> None:
        """Whoever sent is told what became of it; our desk is told of a no."""
        change = self._change(job)
        out = way_of(change.request)
        match change.event.action:
            case Act.DECLINE.value:
                self.tell_desk(job, change.request, "declined")
            case Act.STORE.value if out.way is Way.MAIL and change.request.state is State.STORED:  # it may have been taken out of view meanwhile
                self._mail(change, letters.thanks(change.request, self._site(change)), out.to, "The sender was told by e-mail that it is stored.")
            case Act.STORE_PART.value | Act.REJECT.value if out.way is Way.MAIL and change.request.state in OPEN:
                link = self.link_for(change.request)
                letter = letters.more(change.request, self._site(change), self._links.address(link), link.expires_at)
                self._mail(change, letter, out.to, "The sender was told by e-mail that something is missing.")

    def recall(self, job: Job) -> None:
        """Cancelled or expired: links end first, then whoever was asked is told."""
        change = self._change(job)
        if change.request.state in OPEN:
            return
        live = [link for link in self._links.of_request(change.request.id) if not link.ended]
        if live:
            with self._db.transaction() as session:
                for link in live:
                    self._links.revoke(session, link, "revoked")
        out = way_of(change.request)
        if out.way is Way.MAIL and self._outbox.was_given(change.request.id, (Kind.ASK.value,)):
            self._mail(change, letters.recall(change.request, self._site(change)), out.to, "Told by e-mail that it is no longer needed.")

    def tell_desk(self, job: Job, request: ImageRequest, what: str) -> None:
        """A letter to our own desk's mailbox, if it has one."""
        if self._desk is not None and self._outbox.is_on:
            site = self._sites(request.asked.patient.issuer)
            self._outbox.send(job, request.id, letters.for_desk(request, site, what), site, self._desk, lambda session: None)

    def link_for(self, request: ImageRequest) -> Link:
        """The request's living link; a new one if there is none. :raises NeedsAttention: receiving is off."""
        if not self._links.is_on:
            raise NeedsAttention("receiving-off")
        living = self.living_link(request.id)
        if living is not None:
            return living
        with self._db.transaction() as session:
            return self._links.issue(session, Purpose.REQUEST, request.id, days=self._link_days)

    def living_link(self, request: str) -> Link | None:
        return next((link for link in self._links.of_request(request) if not link.ended), None)

    def _ask(self, change: Change) -> None:
        out, request = way_of(change.request), change.request
        if out.way is Way.PARTNER:
            if self._partners is None:
                raise NeedsAttention("no-partner")
            self._partners.send(request)
            return
        if out.way is Way.PAPER:
            self._paper(change, out)
            return
        if not self._outbox.is_on:
            raise NeedsAttention("mail-off")
        link, site = self.link_for(request), self._site(change)
        steps = instructions(self._pages, "phone", "computer", "disc") if request.asked.route.kind is RouteKind.PATIENT else ()
        letter = letters.ask(request, site, self._links.address(link), link.expires_at, out.code_by, steps)
        self._mail(change, letter, out.to, "E-mail handed over to their mail server. It names no patient.")
        if out.code_to:
            self._mail(change, letters.code(request, site, self._links.code(link)), out.code_to, "The code went to their second address.")

    def _paper(self, change: Change, out: Out) -> None:
        """The sheet is there from now on; a person must see to it that it leaves."""
        id, key = change.request.id, change.job.key
        if self._links.is_on:
            self.link_for(change.request)
        words, reason = (f"The sheet is ready. Print it and fax it to {out.to}.", "sheet-to-fax") if out.to else ("The sheet is ready to print and hand over.", "sheet-to-print")
        with self._db.transaction() as session:
            if self._outbox.note_sheet(session, f"dispatch:{key}:sheet", id, out.to):
                self._requests.tell(id, words, SYSTEM, session=session)
                self._ledger.add(session, "by-hand", f"{id}.{change.event.sequence}.{reason}")

    def _remind(self, change: Change) -> None:
        """At most one a day, however many asked for it."""
        out, request = way_of(change.request), change.request
        if out.way is not Way.MAIL or self._reminded_since(request.id, change.event):
            return
        link, site = self.link_for(request), self._site(change)
        asked_at = next((one.at for one in reversed(change.history) if one.action in ASKING), request.created_at)
        letter = letters.remind(request, site, self._links.address(link), link.expires_at, asked_at)
        self._mail(change, letter, out.to, "Reminder handed over to their mail server.")

    def _reminded_since(self, request: str, event: Happened) -> bool:
        sent = (one.accepted_at for one in self._outbox.of_request(request) if one.letter == Kind.REMIND.value)
        return any(at is not None and at.date() == event.at.date() for at in sent)

    def _mail(self, change: Change, letter: Letter, to: str, story: str) -> None:
        id = change.request.id
        try:
            self._outbox.send(change.job, id, letter, self._site(change), to, lambda session: self._requests.tell(id, story, SYSTEM, session=session))
        except NeedsAttention as attention:
            self._say(change, attention.reason)
            raise

    def _say(self, change: Change, reason: str) -> None:
        words = FAULTS.get(reason)
        last = next((one for one in reversed(self._requests.history(change.request.id)) if one.action == Deed.TELL.value), None)
        if words and (last is None or last.note != words):
            self._requests.tell(change.request.id, words, SYSTEM)

    def _site(self, change: Change) -> Site:
        return self._sites(change.request.asked.patient.issuer)

    def _change(self, job: Job) -> Change:
        id, _, sequence = job.key.rpartition(".")
        history = self._requests.history(id)
        event = next(one for one in history if str(one.sequence) == sequence)
        return Change(job, self._requests.get(id), event, history)


FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "mail-off": "Not sent: no mail server is set up here. Our side: print the sheet and fax it, or phone.",
        "receiving-off": "Not sent: receiving is not set up here, so there is no link to give. Our side: ask for a disc by phone or post.",
        "no-address": "Not sent: what the directory has for them is not an e-mail address. Our side: correct it, then try again.",
        "mail-address-refused": "Their mail server refuses this address. Their side, or a wrong address: correct it, or phone.",
        "mail-content-refused": "Their mail server refuses the message. Their side: phone, or print the sheet and fax it.",
        "mail-not-taken": "Their mail server did not take the message in 4 hours. Their side: phone, or print the sheet and fax it.",
        "mail-server-away": "Our mail server did not answer for 4 hours. Our side: phone, or print the sheet and fax it.",
        "mail-sender-refused": "Our mail server refuses our own address. Our side: the set-up must be corrected.",
        "mail-sign-in-refused": "Our mail server refuses our sign-in. Our side: the set-up must be corrected.",
        "mail-certificate": "The mail server's certificate could not be verified, so nothing was sent. Our side: the set-up must be corrected.",
        "mail-server-set-up": "The mail server offers no protected connection, so nothing was sent. Our side: the set-up must be corrected.",
        "mail-unknown": "We do not know whether their mail server took the message. It was given twice and is not given again: phone.",
    }
)
"""What happened, whose side, what to do: by fixed word of the fault."""
