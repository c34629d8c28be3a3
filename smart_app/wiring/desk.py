"""The image desk: the work list over all requests of the site."""

from __future__ import annotations

from flask import Flask

from smart_app.desk import request_views
from smart_app.desk import views as desk_views
from smart_app.desk.asking import Asking
from smart_app.desk.board import Board
from smart_app.desk.bulk import Bulk
from smart_app.desk.people import People
from smart_app.desk.saved import SavedViews
from smart_app.desk.sender_links import SenderLinks
from smart_app.desk.surroundings import Surroundings
from smart_app.parts import Parts

EVERY = 15
"""Seconds between two looks of an open desk."""


def add(app: Flask, parts: Parts) -> None:
    settings, db = parts.settings, parts.database
    people = People(db, parts.keyring, parts.clock, tenant=settings.tenant)
    saved = SavedViews(db, parts.keyring, parts.clock, tenant=settings.tenant)
    site = next((ehr.organization or ehr.name for ehr in settings.ehrs), "")
    around = Surroundings(
        parts.work, people, saved, parts.ledger, parts.clock, site=site, watch_seconds=EVERY, idle_seconds=settings.sessions.idle_minutes * 60
    )
    board = Board(db, parts.work, parts.facilities, people, parts.clock, tenant=settings.tenant)
    bulk = Bulk(db, parts.requests, tenant=settings.tenant)
    app.register_blueprint(desk_views.make_blueprint(board, bulk, around, parts.audit, has_sheets=True))
    asking = Asking(parts.requests, parts.facilities)
    links = SenderLinks(db, None, parts.requests, parts.audit)
    app.register_blueprint(request_views.make_blueprint(parts.requests, parts.facilities, parts.work, bulk, asking, links, around, parts.audit))
