"""The image desk: the work list over all requests of the site, one request, the directory, what needs a person."""

from __future__ import annotations

from flask import Flask

from smart_app.access import Action
from smart_app.audit.events import Who
from smart_app.desk import arrivals, new_views, offer_views, request_views, site_views
from smart_app.desk import views as desk_views
from smart_app.desk.asking import Asking
from smart_app.desk.board import Board
from smart_app.desk.bulk import Bulk
from smart_app.desk.emergency import EmergencyLinks
from smart_app.desk.offers import Offering, Waiting
from smart_app.desk.people import People
from smart_app.desk.saved import SavedViews
from smart_app.desk.sender_links import SenderLinks
from smart_app.desk.surroundings import Elsewhere, Surroundings
from smart_app.intake.received import OPEN, Received
from smart_app.intake.showing import STATES
from smart_app.intake.types import ItemState
from smart_app.links.types import Purpose
from smart_app.parts import Parts
from smart_app.portal.offers import NoSuchOffer, Offer, Offers
from smart_app.wiring.intake import items_of, patients_of
from smart_app.wiring.portal import offers_of

HOW = {
    Purpose.INBOUND: "Ahead of a patient", Purpose.BROUGHT: "Brought by the patient or family", Purpose.OFFERED: "Asked whether it may send", Purpose.PHOTO: "Photo from the chart",
}  # fmt: skip
EVERY = 15
"""Seconds between two looks of an open desk."""


def add(app: Flask, parts: Parts) -> None:
    settings, db, tenant = parts.settings, parts.database, parts.settings.tenant
    people = People(db, parts.keyring, parts.clock, tenant=tenant)
    saved = SavedViews(db, parts.keyring, parts.clock, tenant=tenant)
    site = next((ehr.organization or ehr.name for ehr in settings.ehrs), "")
    items, offering = items_of(parts), _offering(offers_of(parts))

    def unasked() -> tuple[arrivals.Arrived, ...]:
        return tuple(_arrived(one) for one in items.in_state(*OPEN, unasked=True))

    elsewhere = (
        Elsewhere("Review what came", "intake?view=review", lambda: items.counts().get(ItemState.IN_REVIEW, 0), Action.REVIEW_INTAKE, endpoint="intake.overview"),
        Elsewhere("Second person", "intake?view=second", lambda: items.counts().get(ItemState.SECOND_PERSON, 0), Action.REVIEW_INTAKE, endpoint="intake.overview"),
        Elsewhere("Arrived unasked", "desk/unasked", lambda: len(unasked()), key="unasked", is_loud=lambda: any(one.is_urgent for one in unasked())),
        Elsewhere("Asked to send", "desk/offers", lambda: len(offering.waiting()), key="offers"),
    )
    around = Surroundings(
        parts.work, people, saved, parts.ledger, parts.clock, site=site, watch_seconds=EVERY, idle_seconds=settings.sessions.idle_minutes * 60, elsewhere=elsewhere
    )
    board = Board(db, parts.work, parts.facilities, people, parts.clock, tenant=tenant, beside=lambda: (sorted(items.counts().items()), len(offering.waiting())))
    bulk = Bulk(db, parts.requests, tenant=tenant)
    asking = Asking(parts.requests, parts.facilities)
    links = SenderLinks(db, parts.links if parts.links.is_on else None, parts.requests, parts.audit)
    patients = patients_of(parts)
    for blueprint in (
        desk_views.make_blueprint(board, bulk, around, parts.audit, has_sheets=True),
        request_views.make_blueprint(parts.requests, parts.facilities, parts.work, bulk, asking, links, around, parts.audit, came=lambda id: tuple(_came(one) for one in items.of_scope(id))),
        new_views.make_blueprint(patients, asking, parts.facilities, around, parts.audit),
        arrivals.make_blueprint(unasked, around, parts.audit),
        offer_views.make_blueprint(offering, around, parts.audit),
        site_views.make_blueprint(parts.ledger, parts.work, parts.facilities, around, parts.audit, EmergencyLinks(db, parts.links, parts.audit)),
    ):
        app.register_blueprint(blueprint)


def _offering(offers: Offers) -> Offering:
    def allow(id: str, who: Who) -> bool:
        try:
            offers.allow(id, who)
        except NoSuchOffer:
            return False
        return True

    def decline(id: str, who: Who, note: str) -> bool:
        try:
            offers.decline(id, who, note)
        except NoSuchOffer:
            return False
        return True

    return Offering(lambda: tuple(_waiting(one) for one in offers.all()), allow, decline)


def _came(one: Received) -> request_views.Came:
    summary = one.summary
    images = f"{summary.images} image{'' if summary.images == 1 else 's'}"
    return request_views.Came(one.id, f"{', '.join(summary.modalities) or 'Study'}, {images}: {one.state.value.replace('-', ' ')}")


def _arrived(one: Received) -> arrivals.Arrived:
    patient = one.content.patient
    return arrivals.Arrived(
        one.id, one.arrived_at, one.content.sender, HOW.get(one.purpose, ""), one.summary.title, one.summary.images, one.urgent, patient.name if patient else "", STATES[one.state],
    )  # fmt: skip


def _waiting(one: Offer) -> Waiting:
    asked = one.asked
    sender = ", ".join(part for part in (asked.organization, asked.person) if part)
    reach = ", ".join(part for part in (asked.phone, asked.email) if part)
    return Waiting(one.id, one.made_at, sender, reach, asked.about, asked.initials, asked.urgent, asked.is_patient)
