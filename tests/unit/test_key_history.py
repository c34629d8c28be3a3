"""After a key was rotated everything is found; a key that is missing, or another under its name, stops the start in words."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smart_app.audit.log import AuditLog
from smart_app.clock import utc_now
from smart_app.config_file import WrongConfiguration
from smart_app.db import Database
from smart_app.intake.items import Items
from smart_app.intake.models import WithdrawnStudyRow
from smart_app.intake.receipts import withdrawn_of
from smart_app.key_history import remembered
from smart_app.links.store import Links
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from smart_app.spool.store import Spool

OLD, NEW, NEWEST = secrets.token_bytes(32), secrets.token_bytes(32), secrets.token_bytes(32)


def started(database: Database, *keys: tuple[str, bytes], tenant: str = "t") -> Keyring:
    return remembered(database, Keyring(dict(keys)), utc_now, tenant)


def test_what_must_last_stays_with_the_oldest_key_in_whatever_order_the_ring_is_listed(database: Database) -> None:
    assert started(database, ("old", OLD)).lasting == "old"
    rotated = started(database, ("new", NEW), ("old", OLD))
    assert (rotated.current, rotated.lasting) == ("new", "old")
    assert started(database, ("newest", NEWEST), ("old", OLD), ("new", NEW)).lasting == "old"


def test_a_key_that_was_used_and_is_gone_stops_the_start(database: Database) -> None:
    started(database, ("new", NEW), ("old", OLD))
    with pytest.raises(WrongConfiguration, match="'old' has sealed what is in this database") as refused:
        started(database, ("new", NEW))
    assert [problem.setting for problem in refused.value.problems] == ["sealing_keys"]
    assert "Put it back" in str(refused.value)


def test_another_key_under_the_same_name_stops_the_start(database: Database) -> None:
    started(database, ("k", OLD))
    with pytest.raises(WrongConfiguration, match="is not the one that this database knows"):
        started(database, ("k", NEW))


def test_two_sites_with_one_database_have_keys_of_their_own(database: Database) -> None:
    started(database, ("k", OLD), tenant="t")
    assert started(database, ("k", NEW), tenant="u").lasting == "k"


def test_neither_key_nor_derived_key_of_another_purpose_is_written_down(database: Database) -> None:
    ring = started(database, ("k", OLD))
    with database.engine.connect() as connection:
        (proof,) = connection.exec_driver_sql("SELECT proof FROM known_keys").scalars()
    assert OLD.hex() != proof
    assert proof not in {ring.derive(purpose).hex() for purpose in ("intake", "links", "spool", "audit-seal", "image requests")}


def test_links_and_uploads_are_found_under_a_rotated_key(database: Database, tmp_path: Path) -> None:
    before = started(database, ("old", OLD))
    links = Links(database, before, AuditLog(database, before, utc_now), utc_now, tenant="t", portal_url="https://send.example")
    with database.transaction() as session:
        made = links.issue(session, Purpose.REQUEST, "RQ-1")
    token, code = links.token(made), links.code(made)
    file = Spool(database, before, utc_now, tmp_path, tenant="t").identity("upload", "IM1", "512", "", "")

    after = started(database, ("new", NEW), ("old", OLD))
    later = Links(database, after, AuditLog(database, after, utc_now), utc_now, tenant="t", portal_url="https://send.example")
    found = later.find(token)
    assert found is not None
    assert (found.id, later.code(found), [one.id for one in later.of_request("RQ-1")]) == (made.id, code, [made.id])
    assert Spool(database, after, utc_now, tmp_path, tenant="t").identity("upload", "IM1", "512", "", "") == file


def test_a_received_study_is_the_same_and_a_withdrawn_one_stays_withdrawn(database: Database) -> None:
    before = started(database, ("old", OLD))
    items = Items(database, before, utc_now, tenant="t")
    with database.transaction() as session:
        session.add(WithdrawnStudyRow(archive="northgate", study=items.digest("study", "2.25.7"), item="i", at=datetime(2026, 5, 21, tzinfo=UTC)))
    after = started(database, ("new", NEW), ("old", OLD))
    assert Items(database, after, utc_now, tenant="t").id("RQ-1", "2.25.7") == items.id("RQ-1", "2.25.7")
    is_withdrawn = withdrawn_of(database, after, utc_now, "t")
    assert is_withdrawn("northgate", "2.25.7")
    assert not is_withdrawn("northgate", "2.25.8")
