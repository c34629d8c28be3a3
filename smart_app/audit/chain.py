"""The arithmetic of the chain: what is hashed, with which key. Pure. safety.md A2."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from smart_app.audit.models import AuditHead, AuditRecord
from smart_app.sealing import Keyring

GENESIS = "0" * 64
_SEALED = (
    "id", "tenant", "sequence", "event", "code", "verb", "outcome", "issuer", "subject", "user_name", "launch", "address",
    "request_id", "patient", "details", "previous", "key_id",
)  # fmt: skip


class Sealer:
    """Keyed hashes: who can write the database but does not hold the keyring cannot make a matching one."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._derived: dict[str, bytes] = {}

    @property
    def current(self) -> str:
        return self._keyring.current

    def of_record(self, record: AuditRecord) -> str | None:
        """None when the record names a key that is not in the keyring."""
        return self.of_fields({name: getattr(record, name) for name in (*_SEALED, "at")})

    def of_fields(self, fields: Mapping[str, Any]) -> str | None:
        """The same of a record that is not in the database yet."""
        values = [fields[name] for name in _SEALED] + [fields["at"].isoformat(timespec="microseconds")]
        return self._mac(fields["key_id"], "record", values)

    def of_head(self, head: AuditHead) -> str | None:
        return self._mac(head.key_id, "head", [head.tenant, head.sequence, head.hash, head.key_id])

    def _mac(self, key_id: str, kind: str, values: list[object]) -> str | None:
        key = self._derived.get(key_id)
        if key is None:
            try:
                key = self._derived[key_id] = self._keyring.derive("audit-seal", key_id)
            except KeyError:
                return None
        canonical = json.dumps([kind, *values], ensure_ascii=True, separators=(",", ":"))
        return hmac.new(key, canonical.encode(), hashlib.sha256).hexdigest()


def same(left: str | None, right: str) -> bool:
    return left is not None and hmac.compare_digest(left, right)
