"""The HTTP this library is handed: it connects nowhere itself, and every call names the issuer's lane.

Owns the translation of a transport failure into the page a person sees. A lane's allow-list decides what may be called.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from launch.errors import EhrMisconfigured, EhrSilent, LaunchError
from launch.issuers import Issuer

if TYPE_CHECKING:
    import requests

PATIENCE = 10.0
"""Seconds a person is kept waiting for the EHR before "The EHR did not answer"."""
MAX_DOCUMENT = 512_000
"""Bytes of a discovery document, key set or token answer."""
SILENT = frozenset({"timeout", "unreachable", "busy", "paused", "cut"})


class Patience:
    """One budget for all calls of one step that a person waits for: two slow answers do not add up."""

    def __init__(self, seconds: float = PATIENCE) -> None:
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, always a little: the call itself then times out and says so."""
        return max(0.05, self._ends - time.monotonic())


class Answer(Protocol):
    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...


class Http(Protocol):
    """Shape of the one outbound client. Failures are exceptions with `fault.code`, or OSErrors from the transport."""

    def request(
        self,
        lane: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] = ...,
        body: bytes | None = None,
        deadline: float,
        max_bytes: int,
    ) -> Answer: ...

    def guard(self, lane: str, session: requests.Session, *, deadline: float, max_bytes: int) -> None:
        """Make `session` obey this lane: its allow-list, the total deadline in seconds, the byte cap."""
        ...

    def approves(self, lane: str, url: str) -> bool: ...


def lane_of(issuer: Issuer) -> str:
    return f"ehr:{issuer.key}"


@contextmanager
def ehr_faults(what: str) -> Iterator[None]:
    """Whatever the transport raises inside becomes a LaunchError; `what` names the step, for the log.

    :raises EhrSilent: no answer in time, unreachable, broken off.
    :raises EhrMisconfigured: the address is not approved, or the answer is too large.
    """
    try:
        yield
    except LaunchError:
        raise
    except Exception as error:
        code = _code_of(error)
        if code in SILENT:
            raise EhrSilent(reason=f"{what}: {code}") from None
        if code is not None:
            raise EhrMisconfigured(what, reason=f"{what}: {code}") from None
        raise


def _code_of(error: BaseException | None) -> str | None:
    """The transport's word for the failure, also when `requests` has wrapped it."""
    seen = 0
    wrapped = error
    while wrapped is not None and seen < 8:
        code = getattr(getattr(wrapped, "fault", None), "code", None)
        if isinstance(code, str):
            return code
        wrapped = wrapped.__cause__ or wrapped.__context__
        seen += 1
    return "unreachable" if isinstance(error, OSError) else None
