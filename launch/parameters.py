"""Reads the query of a launch or callback: each name once, bounded, printable. Anything else is refused calmly."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from launch.errors import MissingParameter, SignInBroken

MAX_QUERY = 16_384
LIMITS = {"iss": 2048, "launch": 4096, "b": 8, "sought": 4096, "as": 16, "state": 512, "code": 4096, "error": 200}
"""Longest value of each parameter we read; all others are ignored, whatever they hold."""


def single(args: MultiDict[str, str], query: bytes) -> dict[str, str]:
    """The parameters that we know, by name.

    :raises SignInBroken: one comes twice, is too long, or holds control characters.
    """
    if len(query) > MAX_QUERY:
        raise SignInBroken(reason="query too long")
    found: dict[str, str] = {}
    for name, limit in LIMITS.items():
        values = args.getlist(name)
        if len(values) > 1:
            raise SignInBroken(reason=f"{name} comes twice")
        if values and (len(values[0]) > limit or not values[0].isprintable()):
            raise SignInBroken(reason=f"{name} is too long or unreadable")
        if values:
            found[name] = values[0]
    return found


def required(params: dict[str, str], *names: str) -> None:
    """:raises MissingParameter: naming the first that is absent or empty."""
    for name in names:
        if not params.get(name):
            raise MissingParameter(name, reason=f"{name} missing")
