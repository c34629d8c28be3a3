"""One urllib3 pool for each origin of a lane, with our connections in it and certificates always verified."""

from __future__ import annotations

import ssl
from typing import Any

import certifi
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool

from smart_app.outbound.addresses import parse
from smart_app.outbound.connections import Dialer, GuardedHTTPConnection, GuardedHTTPSConnection, Resolver, TlsSocket
from smart_app.outbound.lane import Lane


def pool_for(lane: Lane, origin: str, pin_localhost: bool, resolver: Resolver) -> HTTPConnectionPool:
    target = parse(origin)
    dialer = Dialer(lane, target.scheme, pin_localhost, resolver)
    shared: dict[str, Any] = {"maxsize": lane.parallel, "block": False, "dialer": dialer}
    if target.scheme == "http":
        plain = HTTPConnectionPool(target.host, target.port, **shared)
        plain.ConnectionCls = GuardedHTTPConnection
        return plain
    secure = HTTPSConnectionPool(target.host, target.port, ssl_context=_tls(lane), cert_reqs="CERT_REQUIRED", **shared)
    secure.ConnectionCls = GuardedHTTPSConnection
    return secure


def _tls(lane: Lane) -> ssl.SSLContext:
    """Certificates and host names are always verified; a lane with its own CA trusts that CA alone."""
    context = ssl.create_default_context(cafile=str(lane.ca_file) if lane.ca_file else None)
    if lane.ca_file is None:
        context.load_verify_locations(certifi.where())  # slim containers have no system store
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = TlsSocket
    return context
