"""Digests: found under every key, told apart by their parts, and never the same for two sites."""

from __future__ import annotations

from smart_app.image_requests.digests import Digests
from smart_app.sealing import Keyring

OLD, NEW = b"o" * 32, b"n" * 32


def test_what_was_written_under_an_old_key_is_found_under_a_new_one() -> None:
    before, after = Digests(Keyring({"old": OLD}), "t"), Digests(Keyring({"new": NEW, "old": OLD}), "t")
    written = before.now("subject", "northgate", "p1")
    assert written in after.any("subject", "northgate", "p1")
    assert after.now("subject", "northgate", "p1") != written
    assert after.now("subject", "northgate", "p1") == after.any("subject", "northgate", "p1")[0]


def test_parts_do_not_run_together_and_sites_differ() -> None:
    ring = Keyring({"k": OLD})
    mine, theirs = Digests(ring, "t"), Digests(ring, "u")
    assert len({mine.now("a", "bc"), mine.now("ab", "c"), mine.now("abc"), mine.now("a", "b", "c"), theirs.now("a", "bc")}) == 5
