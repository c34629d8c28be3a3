"""One configured destination as the network layer sees it: what may be called there, and how much at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Lane:
    """A destination with its own allow-list and its own share of connections.

    `origins` are normalised with `origin_of` ("https://host:443"). Times are seconds.
    """

    key: str
    """`ehr:northgate` or `archive:kestrel`."""
    origins: frozenset[str]
    allow_http: bool = False
    allow_private: bool = False
    allow_loopback: bool = False
    """Development only; plain http is then allowed too, but to loopback alone."""
    ca_file: Path | None = None
    connect: float = 3
    first_byte: float = 10
    """To the first byte, and between any two reads after it."""
    parallel: int = 8
