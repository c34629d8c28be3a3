"""The senders' side: its door, what receives, its pages."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from smart_app.config import Settings
from smart_app.image_requests.words import still_missing
from smart_app.jobs.types import Handler
from smart_app.parts import Parts
from smart_app.portal import asking_views, photo_views
from smart_app.portal import views as portal_views
from smart_app.portal.abandoned import Abandoned
from smart_app.portal.feedback import Feedback
from smart_app.portal.offers import Offers
from smart_app.portal.pace import Pace
from smart_app.portal.receiving import ABANDONED, Receiving, Shelf
from smart_app.portal.telling import Telling
from smart_app.portal.visit import Door
from smart_app.portal.words import Site
from smart_app.spool.taking import Limits, Taking
from smart_app.wiring.intake import items_of


def site_of(settings: Settings) -> Site:
    """Who receives, and whom senders call, as it ends a sentence: `the image desk, 555 0142, 07:00 to 19:00`."""
    first, contact = settings.ehrs[0], settings.contact
    called = ", ".join(word for word in (f"the {contact.desk[:1].lower()}{contact.desk[1:]}", contact.phone, contact.hours) if word)
    return Site(contact.site or first.organization or first.name, called)


def door_of(parts: Parts) -> Door:
    return Door(parts.database, parts.keyring, parts.audit, parts.links, parts.requests, parts.clock)


def receiving_of(parts: Parts, door: Door) -> Receiving:
    given = parts.settings.receiving
    limits = Limits(given.most_bytes, given.most_files, given.spare_bytes)
    shelf = Shelf(parts.spool, Taking(parts.database, parts.spool, parts.clock, limits))
    return Receiving(parts.database, door, shelf, parts.requests, parts.ledger, parts.audit, parts.clock)


def offers_of(parts: Parts) -> Offers:
    return Offers(parts.database, parts.keyring, parts.audit, parts.links, parts.ledger, parts.clock, tenant=parts.settings.tenant, days=parts.settings.receiving.link_days)


def handlers(parts: Parts) -> Mapping[str, Handler]:
    door = door_of(parts)
    return {ABANDONED: Abandoned(door, receiving_of(parts, door), parts.spool, parts.clock)}


def add(app: Flask, parts: Parts) -> None:
    door, site = door_of(parts), site_of(parts.settings)
    app.jinja_env.globals["site"] = site
    items = items_of(parts)
    telling = Telling(parts.spool, Feedback(items).of, lambda request: still_missing(parts.requests.history(request)))
    app.jinja_env.globals["can_receive"] = parts.links.is_on
    app.register_blueprint(asking_views.make_blueprint(offers_of(parts), Pace(10, 3600), site))
    app.register_blueprint(photo_views.make_blueprint(parts.database, parts.links, lambda context: parts.holdings.patient(context.handle)))
    app.register_blueprint(portal_views.make_blueprint(door, receiving_of(parts, door), telling, site, Pace(60, 60)))
