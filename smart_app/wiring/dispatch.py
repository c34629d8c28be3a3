"""How requests leave the house: letters, paper, reminders; their handlers, and the pages of sheets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from flask import Flask
from jinja2 import Environment

import smart_app
from smart_app import secrets_source
from smart_app.dispatch import fonts, views
from smart_app.dispatch.followup import BY_HAND, EVERY_SECONDS, FollowUp
from smart_app.dispatch.letters import Site
from smart_app.dispatch.offered import Answer, Offered
from smart_app.dispatch.outbox import Outbox
from smart_app.dispatch.pages import environment
from smart_app.dispatch.paper import Paper
from smart_app.dispatch.sending import Dispatch
from smart_app.dispatch.sheets import Sheets
from smart_app.dispatch.transport import Post
from smart_app.jobs.types import Handler
from smart_app.parts import Parts
from smart_app.portal.offers import TELL_OFFER, NoSuchOffer, Offers, OfferState
from smart_app.wiring import fhir_api, portal

PACKAGE = Path(smart_app.__file__).parent
TEMPLATES = next(folder for folder in (PACKAGE / "templates", PACKAGE.parent / "templates") if (folder / "dispatch").is_dir())
FOLLOW_UP = "follow-up"


@dataclass(frozen=True)
class Sending:
    """What handlers and pages share."""

    dispatch: Dispatch
    outbox: Outbox
    follow_up: FollowUp
    sites: Callable[[str], Site]
    pages: Environment


def make(parts: Parts) -> Sending:
    settings, mail, pages = parts.settings, parts.settings.mail, environment(TEMPLATES)
    post = Post(mail, secrets_source.read(mail.password) if mail.password else None) if mail else None
    outbox = Outbox(parts.database, parts.keyring, parts.clock, mail, post, pages, doubt=timedelta(seconds=settings.work_lease_seconds))
    sites = _sites(parts)
    dispatch = Dispatch(parts.database, parts.requests, parts.ledger, parts.links, outbox, sites, pages, desk=mail.desk if mail else None, link_days=settings.receiving.link_days, partners=fhir_api.partners(parts))
    follow_up = FollowUp(parts.database, parts.requests, parts.ledger, parts.clock, dispatch.tell_desk, tenant=settings.tenant, mails=mail is not None)
    return Sending(dispatch, outbox, follow_up, sites, pages)


def handlers(parts: Parts) -> Mapping[str, Handler]:
    made = make(parts)
    offered = Offered(partial(_answer, portal.offers_of(parts)), parts.links, made.outbox, made.sites(""))
    return {TELL_OFFER: offered.tell, "dispatch": made.dispatch.dispatch, "tell": made.dispatch.tell, "recall": made.dispatch.recall, BY_HAND: made.follow_up.by_hand, FOLLOW_UP: made.follow_up.sweep}


def periods() -> Mapping[str, int]:
    return {FOLLOW_UP: EVERY_SECONDS}


def add(app: Flask, parts: Parts) -> None:
    sheets = Sheets(parts.requests, parts.links, _sites(parts))
    paper = Paper(environment(TEMPLATES), lambda: fonts.style(PACKAGE / "static" / "viewer"))
    app.register_blueprint(views.make_blueprint(sheets, paper, parts.audit))


def _answer(offers: Offers, id: str) -> Answer | None:
    try:
        offer = offers.get(id)
    except NoSuchOffer:
        return None
    return None if offer.state is OfferState.WAITING else Answer(offer.asked.email, offer.link)


def _sites(parts: Parts) -> Callable[[str], Site]:
    """Who we are, by the EHR that a request's patient belongs to."""
    contact = parts.settings.contact
    names = {ehr.key: contact.site or ehr.organization or ehr.name for ehr in parts.settings.ehrs}
    first = next(iter(names.values()))
    return lambda issuer: Site(names.get(issuer, first), contact)
