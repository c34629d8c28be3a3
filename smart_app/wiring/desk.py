"""The image desk: the work list over all requests of the site."""

from __future__ import annotations

from flask import Flask

from smart_app.desk import views as desk_views
from smart_app.desk.board import Board
from smart_app.parts import Parts

EVERY = 15
"""Seconds between two looks of an open desk."""


def add(app: Flask, parts: Parts) -> None:
    settings = parts.settings
    board = Board(parts.database, parts.requests, parts.clock, tenant=settings.tenant)
    pace = desk_views.Pace(EVERY, settings.sessions.idle_minutes * 60)
    site = next((ehr.organization or ehr.name for ehr in settings.ehrs), "")
    app.register_blueprint(desk_views.make_blueprint(board, parts.audit, pace, site=site))
