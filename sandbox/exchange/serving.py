"""Which server stands for which exchange of the demo world."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from sandbox import world
from sandbox.exchange.documents import create_document_server
from sandbox.exchange.imaging import create_imaging_exchange
from sandbox.faults import Faults

CLIENT = "priors-larkmoor"


def create_exchange(key: str, folder: Path, base: str, *, faults: Faults, secret: str | None) -> Flask:
    """The exchange `key` of the world at `base`, over its pictures. `secret` is Priors' OAuth client secret there."""
    archive = world.archive(key)
    if key == "dunmere":
        return create_document_server(folder, base, archive=archive, faults=faults)
    return create_imaging_exchange(folder, base, archive=archive, faults=faults, client=(CLIENT, secret or ""))
