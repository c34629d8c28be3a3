"""Sealing of what must not be readable in a stolen database: tokens, demographics, study facts.

AES-256-GCM with a random nonce a value; the place it belongs to (`table.column:row`) is authenticated,
so that a sealed value moved to another row does not open. The key id stands in front, for rotation.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES = 12


class CannotOpen(Exception):
    """The value was sealed with a key that is not in the keyring, moved, or altered."""


class Keyring:
    """Named 32-byte keys. The first seals, all of them open.

    `lasting` names the key of digests that must stay the same as long as the database lives; without it, the oldest (last) of the ring.
    """

    def __init__(self, keys: Mapping[str, bytes], lasting: str | None = None) -> None:
        if not keys or any(len(key) != 32 for key in keys.values()):
            raise ValueError("the keyring needs at least one key, each of 32 bytes")
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = next(iter(keys))
        self._keys = dict(keys)
        self.lasting = lasting or tuple(keys)[-1]
        if self.lasting not in self._keys:
            raise ValueError("the lasting key is not in the ring")

    def seal(self, plain: bytes, *, place: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        name = self._current.encode()
        return name + b":" + nonce + self._ciphers[self._current].encrypt(nonce, plain, place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """:raises CannotOpen: unknown key, another place, or altered bytes."""
        name, _, rest = bytes(sealed).partition(b":")
        cipher = self._ciphers.get(name.decode("ascii", "replace"))
        if cipher is None:
            raise CannotOpen(f"no key {name[:31]!r} in the keyring")
        try:
            return cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place.encode())
        except InvalidTag as error:
            raise CannotOpen(place.partition(":")[0]) from error

    @property
    def current(self) -> str:
        return self._current

    @property
    def key_ids(self) -> tuple[str, ...]:
        """All keys of the ring, the current one first."""
        return tuple(self._keys)

    def with_lasting(self, key_id: str) -> Keyring:
        """The same ring; digests that must last are made with this key of it."""
        return Keyring(self._keys, key_id)

    def derive(self, purpose: str, key_id: str | None = None) -> bytes:
        """A 32-byte key for one other purpose (CSRF, audit seal), separate from the sealing key."""
        secret = self._keys[key_id or self._current]
        return HKDF(hashes.SHA256(), 32, None, purpose.encode()).derive(secret)
