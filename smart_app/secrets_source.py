"""Reading the secrets that the configuration refers to. Nothing here is ever logged or shown."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from typing import Protocol

from smart_app.config import Settings
from smart_app.sealing import Keyring


class Reference(Protocol):
    """Either of the two is set (`SecretRef`, `SealingKey`)."""

    @property
    def env(self) -> str | None: ...
    @property
    def file(self) -> os.PathLike[str] | None: ...


class NoSecret(Exception):
    """The reference leads to nothing usable; the text says why, never what was found."""


def read(reference: Reference, environ: Mapping[str, str] = os.environ) -> str:
    """:raises NoSecret: variable unset, file unreadable, or empty."""
    if reference.env is not None:
        value = environ.get(reference.env, "").strip()
        if not value:
            raise NoSecret(f"the environment variable {reference.env} is not set")
        return value
    assert reference.file is not None
    try:
        with open(reference.file, encoding="utf-8") as stream:
            value = stream.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NoSecret(f"its file cannot be read ({type(error).__name__})") from error
    if not value:
        raise NoSecret("its file is empty")
    return value


def sealing_key(reference: Reference, environ: Mapping[str, str] = os.environ) -> bytes:
    """32 bytes from base64url. :raises NoSecret: absent, not base64url, of another length, or plainly no secret."""
    text = read(reference, environ)
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise NoSecret("it is not base64url") from error
    if len(key) != 32:
        raise NoSecret(f"it holds {len(key)} bytes, not 32")
    if len(set(key)) < 8:
        raise NoSecret("it is not random")
    return key


def keyring(settings: Settings, environ: Mapping[str, str] = os.environ) -> Keyring:
    return Keyring({key.id: sealing_key(key, environ) for key in settings.sealing_keys})
