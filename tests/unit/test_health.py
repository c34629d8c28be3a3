"""Alive is one thing, ready another."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from sqlalchemy import text

import smart_app.factory  # noqa: F401  so that every table is known
from smart_app import health, migrations
from smart_app.db import Database


def _client(db: Database):
    app = Flask("health", static_folder=None)
    app.register_blueprint(health.make_blueprint(db))
    return app.test_client()


def test_ready_only_at_our_version(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'p.sqlite3'}")
    client = _client(db)
    assert client.get("/healthz").json == {"status": "ok"}
    before = client.get("/readyz")
    assert (before.status_code, "priors db upgrade" in before.json["why"]) == (503, True)
    migrations.upgrade(db)
    assert client.get("/readyz").status_code == 200
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert client.get("/readyz").status_code == 503
    db.engine.dispose()


def test_not_ready_without_a_database(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'missing' / 'p.sqlite3'}")
    answer = _client(db).get("/readyz")
    assert (answer.status_code, answer.json["why"]) == (503, "the database does not answer")
    assert str(tmp_path) not in answer.text
    assert _client(db).get("/healthz").status_code == 200
