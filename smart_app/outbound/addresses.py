"""What may be called: URLs by parsed equality, addresses by block-list. Pure; connects nowhere. safety.md S1, S2, S4."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import unquote, urlsplit

from smart_app.outbound.lane import Lane

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL = 8192
_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LOOKS_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_PORT = re.compile(r"[0-9]{1,5}")

# Never, whatever an entry allows: cloud metadata, link-local, multicast, "this network", and every form that carries
# another address inside (ipaddress calls some of these global).
_NEVER = tuple(ip_network(net) for net in (
    "0.0.0.0/8", "169.254.0.0/16", "100.100.100.200/32", "192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32", "2002::/16",
    "fe80::/10", "fec0::/10", "ff00::/8", "fd00:ec2::254/128",
))  # fmt: skip
_SHARED = ip_network("100.64.0.0/10")


class Refused(ValueError):
    """This URL or address may not be called. The message holds no part of it."""


@dataclass(frozen=True)
class Target:
    """A URL taken apart: `origin` for the allow-list, `path` with its query for the request line."""

    origin: str
    scheme: str
    host: str
    port: int
    path: str


def parse(url: str) -> Target:
    """Take an absolute http(s) URL apart, strictly.

    :raises Refused: other schemes, user info, fragments, odd characters, dot segments, numeric short forms of addresses.
    """
    if len(url) > MAX_URL or not _PRINTABLE.fullmatch(url) or any(c in url for c in '\\#<>"^`{|}'):
        raise Refused("characters")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise Refused("form") from None
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not parts.netloc or "@" in parts.netloc or "%" in parts.netloc:
        raise Refused("form")
    host, port = _host_and_port(parts.netloc.lower(), DEFAULT_PORTS[scheme])
    _check_path(parts.path)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.startswith("/"):
        raise Refused("form")
    shown = f"[{host}]" if ":" in host else host
    return Target(f"{scheme}://{shown}:{port}", scheme, host, port, path)


def origin_of(url: str) -> str:
    """The origin of a configured URL with its port written out: `https://pacs.example:443`. :raises Refused:"""
    return parse(url).origin


def approved(lane: Lane, url: str) -> Target:
    """The target, if this lane may call it. :raises Refused: not in the lane's origins, or plain http where not allowed."""
    target = parse(url)
    if target.origin not in lane.origins:
        raise Refused("origin")
    if target.scheme == "http" and not (lane.allow_http or lane.allow_loopback):
        raise Refused("plain http")
    return target


def permitted(lane: Lane, scheme: str, address: str) -> bool:
    """Whether a connection of this lane may go to this very address."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False  # a scoped address (fe80::1%eth0) among others
    if any(ip.version == net.version and ip in net for net in _NEVER):
        return False
    if ip.is_loopback:
        return lane.allow_loopback
    if scheme == "http" and not lane.allow_http:
        return False
    return ip.is_global or (lane.allow_private and _is_private(ip))


def _is_private(ip: IPv4Address | IPv6Address) -> bool:
    return ip.is_private or (ip.version == 4 and ip in _SHARED)


def _host_and_port(netloc: str, default: int) -> tuple[str, int]:
    if netloc.startswith("["):
        literal, closed, rest = netloc[1:].partition("]")
        host = _ipv6(literal)
        if not closed or (rest and not rest.startswith(":")):
            raise Refused("host")
        text = rest[1:] if rest else str(default)
    else:
        host, colon, text = netloc.partition(":")
        text = text if colon else str(default)
        _check_name(host)
    if not _PORT.fullmatch(text) or not 0 < int(text) < 65536:
        raise Refused("port")
    return host, int(text)


def _ipv6(literal: str) -> str:
    try:
        return IPv6Address(literal).compressed
    except ValueError:
        raise Refused("host") from None


def _check_name(host: str) -> None:
    """A DNS name or a canonical dotted quad. `127.1`, `0x7f.1` and `2130706433` would be addresses to the resolver."""
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise Refused("host")
    if _LOOKS_NUMERIC.fullmatch(host.rpartition(".")[2]):
        try:
            IPv4Address(host)
        except ValueError:
            raise Refused("host") from None


def _check_path(path: str) -> None:
    for segment in re.split(r"/|\\", unquote(path)):
        if segment in (".", ".."):
            raise Refused("path")
