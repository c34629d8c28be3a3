"""Keyed digests by which rows of requests are found without naming anybody. Lookups try each key of the keyring, so a rotated key loses nothing."""

from __future__ import annotations

import hashlib
import hmac

from smart_app.sealing import Keyring

PURPOSE = "image requests"


class Digests:
    def __init__(self, keyring: Keyring, tenant: str) -> None:
        self._tenant = tenant
        self._keys = {name: keyring.derive(PURPOSE, name) for name in keyring.key_ids}
        self._current = keyring.current

    def now(self, *parts: str) -> str:
        """Under the current key: what is written."""
        return self._under(self._current, parts)

    def any(self, *parts: str) -> tuple[str, ...]:
        """Under every key: what is looked for."""
        return tuple(self._under(name, parts) for name in self._keys)

    def _under(self, key: str, parts: tuple[str, ...]) -> str:
        joined = "".join(f"{len(part)}:{part}" for part in (self._tenant, *parts))
        return hmac.new(self._keys[key], joined.encode(), hashlib.sha256).hexdigest()
