"""Transport failures in the domain's words: a refused connection is not a timeout, whatever urllib3 derives it from."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from urllib3.exceptions import MaxRetryError, NewConnectionError, ProtocolError, ReadTimeoutError

from smart_app.errors import TimedOut, Unreachable
from smart_app.outbound import Lane
from smart_app.outbound.pools import pool_for
from smart_app.outbound.replies import before_body


def lane(**changes: object) -> Lane:
    return Lane("archive:a", frozenset({"https://a.example.org:443"}), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NewConnectionError(None, "refused"), Unreachable),  # type: ignore[arg-type]
        (MaxRetryError(None, "/", NewConnectionError(None, "refused")), Unreachable),  # type: ignore[arg-type]
        (ReadTimeoutError(None, "/", "slow"), TimedOut),  # type: ignore[arg-type]
        (ProtocolError("reset", ConnectionResetError()), Unreachable),
        (ProtocolError("slow", TimeoutError()), TimedOut),
        (TimeoutError(), TimedOut),
    ],
)
def test_failures_before_the_body(error: Exception, kind: type[Exception]) -> None:
    assert type(before_body(error)) is kind


def test_a_secure_pool_always_verifies(tmp_path: Path) -> None:
    pool = pool_for(lane(), "https://a.example.org:443", False, lambda *_: [])  # type: ignore[arg-type]
    context = pool.conn_kw.get("ssl_context") or pool.ssl_context  # type: ignore[attr-defined]
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    pool.close()


def test_a_lane_takes_as_many_connections_as_it_may_use() -> None:
    pool = pool_for(lane(parallel=3), "https://a.example.org:443", False, lambda *_: [])  # type: ignore[arg-type]
    assert pool.pool is not None
    assert pool.pool.maxsize == 3
    pool.close()
