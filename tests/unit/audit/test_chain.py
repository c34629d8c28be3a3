"""What is sealed: every column of a record, and the head."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smart_app.audit.chain import Sealer, same
from smart_app.audit.models import AuditHead, AuditRecord
from smart_app.sealing import Keyring

VALUES = {column.name: f"{column.name}-value" for column in AuditRecord.__table__.columns} | {
    "sequence": 7, "outcome": 0, "key_id": "k", "at": datetime(2026, 5, 21, tzinfo=UTC),
}  # fmt: skip


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(Keyring({"k": b"k" * 32}))


@pytest.mark.parametrize("column", sorted(set(VALUES) - {"hash", "key_id"}))
def test_every_column_counts(sealer: Sealer, column: str) -> None:
    value = VALUES[column]
    other = value + timedelta(microseconds=1) if isinstance(value, datetime) else value + 1 if isinstance(value, int) else value + "x"
    assert sealer.of_record(AuditRecord(**VALUES)) != sealer.of_record(AuditRecord(**VALUES | {column: other}))


def test_values_cannot_move_between_columns(sealer: Sealer) -> None:
    left = AuditRecord(**VALUES | {"event": "ab", "code": "c"})
    right = AuditRecord(**VALUES | {"event": "a", "code": "bc"})
    assert sealer.of_record(left) != sealer.of_record(right)


def test_an_unknown_key_seals_nothing(sealer: Sealer) -> None:
    assert sealer.of_record(AuditRecord(**VALUES | {"key_id": "other"})) is None
    assert not same(None, "anything")


def test_a_head_is_not_a_record(sealer: Sealer) -> None:
    head = AuditHead(tenant="t", sequence=1, hash="h", key_id="k", seal="")
    assert sealer.of_head(head) != sealer.of_head(AuditHead(tenant="t", sequence=2, hash="h", key_id="k", seal=""))
    assert sealer.of_head(head) != Sealer(Keyring({"k": b"x" * 32})).of_head(head)
