"""The image desk: the work list over all requests of the site, one request, the directory, what needs a person."""

from __future__ import annotations

from flask import Flask

from smart_app.desk import new_views, request_views, site_views
from smart_app.desk import views as desk_views
from smart_app.desk.asking import Asking
from smart_app.desk.board import Board
from smart_app.desk.bulk import Bulk
from smart_app.desk.patients import Patients
from smart_app.desk.people import People
from smart_app.desk.saved import SavedViews
from smart_app.desk.sender_links import SenderLinks
from smart_app.desk.surroundings import Elsewhere, Surroundings
from smart_app.parts import Parts
from smart_app.wiring.intake import intake_of

EVERY = 15
"""Seconds between two looks of an open desk."""


def add(app: Flask, parts: Parts) -> None:
    settings, db, tenant = parts.settings, parts.database, parts.settings.tenant
    people = People(db, parts.keyring, parts.clock, tenant=tenant)
    saved = SavedViews(db, parts.keyring, parts.clock, tenant=tenant)
    site = next((ehr.organization or ehr.name for ehr in settings.ehrs), "")
    around = Surroundings(
        parts.work, people, saved, parts.ledger, parts.clock, site=site, watch_seconds=EVERY, idle_seconds=settings.sessions.idle_minutes * 60,
        elsewhere=(Elsewhere("What arrived", "intake", intake_of(parts).waiting),),
    )  # fmt: skip
    board = Board(db, parts.work, parts.facilities, people, parts.clock, tenant=tenant)
    bulk = Bulk(db, parts.requests, tenant=tenant)
    asking = Asking(parts.requests, parts.facilities)
    links = SenderLinks(db, parts.links if parts.links.is_on else None, parts.requests, parts.audit)
    patients = Patients(parts.outbound, {ehr.key: ehr for ehr in settings.ehrs}, parts.smart.broker.backend_provider, parts.keyring, parts.clock)
    for blueprint in (
        desk_views.make_blueprint(board, bulk, around, parts.audit, has_sheets=True),
        request_views.make_blueprint(parts.requests, parts.facilities, parts.work, bulk, asking, links, around, parts.audit),
        new_views.make_blueprint(patients, asking, parts.facilities, around, parts.audit),
        site_views.make_blueprint(parts.ledger, parts.work, parts.facilities, around, parts.audit),
    ):
        app.register_blueprint(blueprint)
