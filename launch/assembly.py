"""Puts the library together from what the app hands it. The only module that knows every part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from launch.assertions import keys_of, public_jwks
from launch.broker import TokenBroker
from launch.clock import Clock
from launch.discovery import Discovery
from launch.http import Http
from launch.id_token import IdTokens
from launch.issuers import IssuerDirectory
from launch.keys import KeySets
from launch.service import Launcher
from launch.session import SessionStore
from launch.tokens import TokenClient


@dataclass(frozen=True)
class SmartLaunch:
    """The library, ready for use."""

    launcher: Launcher
    broker: TokenBroker
    jwks: Mapping[str, Any]
    """Our public keys, for /jwks.json."""


def assemble(
    directory: IssuerDirectory, store: SessionStore, http: Http, clock: Clock, *, lifetime: timedelta, tenant: str = "default"
) -> SmartLaunch:
    """:raises ValueError: a signing key does not fit its algorithm."""
    discovery = Discovery(http, clock)
    tokens = TokenClient(http, clock)
    id_tokens = IdTokens(KeySets(discovery, http, clock), clock)
    return SmartLaunch(
        launcher=Launcher(directory, store, discovery, tokens, id_tokens, clock, lifetime=lifetime, tenant=tenant),
        broker=TokenBroker(store, directory, discovery, tokens, clock),
        jwks=public_jwks(keys_of(directory)),
    )
