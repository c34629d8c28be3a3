"""/healthz: this process answers. /readyz: it can work, that is, the database answers and is at our version."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from smart_app import migrations
from smart_app.access import public
from smart_app.db import Database

log = structlog.get_logger("priors.health")


def make_blueprint(db: Database) -> Blueprint:
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    @public
    def healthz() -> Response:
        return jsonify(status="ok")

    @blueprint.get("/readyz")
    @public
    def readyz() -> Response:
        why = _unready(db)
        response = jsonify(status="ok") if why is None else jsonify(status="not ready", why=why)
        response.status_code = 200 if why is None else 503
        return response

    return blueprint


def _unready(db: Database) -> str | None:
    """Why this process cannot work, in fixed words; None when it can."""
    try:
        with db.reading() as session:
            session.execute(text("SELECT 1"))
        if not migrations.is_current(db):
            return "the database is not at this version; run `priors db upgrade`"
    except SQLAlchemyError as error:
        log.warning("database_silent", kind=type(error).__name__)
        return "the database does not answer"
    return None
