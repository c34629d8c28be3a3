"""A person's viewer preferences over HTTP: read when the viewer is open, put back whole when something changes."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from smart_app.access import Action, requires
from smart_app.doors.preference_store import Preferences
from smart_app.doors.preferences import DEFAULTS, MOST_BYTES, Unreadable, preferences_of
from smart_app.errors import AppError, Fault, Side
from smart_app.web import current_launch

NOT_KEPT = Fault("preferences-unreadable", Side.PERSON, "Priors could not read these preferences, so they were not kept.", "Reload the page, then try again.", False, 400)


def make_blueprint(store: Preferences) -> Blueprint:
    blueprint = Blueprint("preferences", __name__)

    @blueprint.get("/l/<launch:handle>/preferences")
    @requires(Action.VIEW_IMAGES)
    def read(handle: str) -> Response:
        kept = store.of(current_launch())
        return _told({**DEFAULTS, "saved": False} if kept is None else kept)

    @blueprint.put("/l/<launch:handle>/preferences")
    @requires(Action.VIEW_IMAGES)
    def save(handle: str) -> Response:
        if (request.content_length or MOST_BYTES + 1) > MOST_BYTES:
            raise AppError(NOT_KEPT)
        try:
            wanted = preferences_of(request.get_json(force=True, silent=True))
        except (Unreadable, RecursionError):
            raise AppError(NOT_KEPT) from None
        store.save(current_launch(), wanted)
        return _told(wanted)

    return blueprint


def _told(preferences: dict[str, object]) -> Response:
    response = jsonify(preferences)
    response.headers["Cache-Control"] = "no-store"
    return response
