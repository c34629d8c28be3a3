"""When a source last answered is known to every worker, and costs no write a list."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from smart_app.db import Database
from smart_app.studies.last_answers import LastAnswers

NOW = datetime(2026, 5, 21, 10, 14, tzinfo=UTC)


def test_another_worker_reads_it(database: Database) -> None:
    LastAnswers(database, "t").note("hale", NOW)
    assert LastAnswers(database, "t").all() == {"hale": NOW}
    assert LastAnswers(database, "other").all() == {}, "another site's sources are its own"


def test_the_latest_stays(database: Database) -> None:
    one, other = LastAnswers(database, "t"), LastAnswers(database, "t")
    one.note("hale", NOW)
    other.note("hale", NOW - timedelta(hours=1))
    assert one.all() == {"hale": NOW}
    other.note("hale", NOW + timedelta(hours=1))
    assert one.all() == {"hale": NOW + timedelta(hours=1)}


def test_within_a_minute_nothing_is_written(database: Database) -> None:
    last = LastAnswers(database, "t")
    last.note("hale", NOW)
    last.note("hale", NOW + timedelta(seconds=59))
    assert last.all() == {"hale": NOW}
    last.note("hale", NOW + timedelta(seconds=60))
    assert last.all() == {"hale": NOW + timedelta(seconds=60)}
