"""The two hosts: whoever sends images reaches another name than whoever looks at them, so that no cookie and no script crosses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from smart_app.config import Settings

Where = tuple[str | int, ...]


def portal_dangers(settings: Settings, is_loopback: Callable[[str], bool]) -> Iterator[tuple[Where, str, str]]:
    """Where, why, and the cure."""
    where: Where = ("portal_url",)
    if settings.portal_url is None:
        return
    try:
        parts, ours = urlsplit(settings.portal_url), urlsplit(settings.public_url).hostname
        parts.port  # noqa: B018  raises on a port that is no number
    except ValueError:
        parts, ours = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield where, "is not an http(s) URL.", "Give the origin under which senders reach the portal, for instance https://send.example.org"
        return
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        yield where, "holds more than an origin.", "Give scheme, host and port only."
    if parts.hostname == ours:
        yield where, "is the host of `public_url`: senders and clinicians would share cookies and scripts.", "Give it a host name of its own."
    if parts.scheme == "http" and not (settings.development and is_loopback(parts.hostname)):
        yield where, "is plain http: codes and images would travel unprotected.", "Use https; plain http is allowed for loopback with `development: true` only."
