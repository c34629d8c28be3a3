"""Every way Priors can fail, as values a person can read.

An `AppError` carries what happened, whose side it is on and what to do next (design.md section 7).
It never carries a token, a URL with a query, an upstream body or patient data: those must not reach
a page or a log through an exception's text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Whose side a fault is on, so that a person knows whom to call."""

    PERSON = "yours"
    US = "ours"
    EHR = "the EHR's"
    ARCHIVE = "their"
    SETUP = "set-up"


@dataclass(frozen=True)
class Fault:
    """One fault as shown: a short sentence of what happened and one of what to do next."""

    code: str
    side: Side
    title: str
    action: str
    retryable: bool
    status: int


class AppError(Exception):
    """Base of all expected failures; the web layer turns `fault` into a page or JSON."""

    fault: Fault

    def __init__(self, fault: Fault | None = None) -> None:
        if fault is not None:
            self.fault = fault
        super().__init__(self.fault.code)


class OutboundError(AppError):
    """A call to another system did not give a usable answer. Subclasses say which way."""


class NotApproved(OutboundError):
    """The address is not in the configuration: nothing was connected."""

    fault = Fault("not-approved", Side.SETUP, "This address is not approved here, so nothing was asked there.",
                  "The image desk can ask for it to be added.", False, 502)


class Unreachable(OutboundError):
    """Refused, reset, DNS or TLS failure."""

    fault = Fault("unreachable", Side.ARCHIVE, "It could not be reached.", "Try again, or phone their image library.", True, 502)


class TimedOut(OutboundError):
    """The total deadline passed, whatever trickled in before."""

    fault = Fault("timeout", Side.ARCHIVE, "It did not answer in time.", "Try again, or phone their image library.", True, 504)


class TooLarge(OutboundError):
    """The answer passed its byte cap, counted after inflating."""

    fault = Fault("too-large", Side.ARCHIVE, "Its answer was too large to read.", "Narrow the question and ask again.", False, 502)


class Busy(OutboundError):
    """This destination's share of connections is in use (bulkhead)."""

    fault = Fault("busy", Side.US, "Too many questions to it are already waiting.", "Try again in a moment.", True, 503)


class Paused(OutboundError):
    """It fell silent several times just now, so it is not asked again for a few seconds (circuit breaker)."""

    fault = Fault("paused", Side.ARCHIVE, "It did not answer several times, so it is not asked for a few seconds.",
                  "Try again in a quarter of a minute.", True, 503)

    def __init__(self, failures: int, again: float) -> None:
        """`again`: seconds until it is asked again."""
        self.failures = failures
        self.again = again
        super().__init__()


class Cut(OutboundError):
    """The answer ended before its announced length, or the transfer broke off."""

    fault = Fault("cut", Side.ARCHIVE, "Its answer broke off before the end.", "Try again.", True, 502)


class NotLetIn(OutboundError):
    """The service that gives out an archive's tokens gave none, so the archive was not asked. `fault` says why."""


TOKEN_SILENT = Fault("token-silent", Side.ARCHIVE, "It was not asked: the service that lets us in did not answer.",
                     "Try again, or phone their image library.", True, 504)  # fmt: skip
TOKEN_REFUSED = Fault("token-refused", Side.SETUP, "It was not asked: the service that lets us in refused us.",
                      "The image desk can check how we are registered there.", False, 502)  # fmt: skip
TOKEN_FAULTY = Fault("token-faulty", Side.ARCHIVE, "It was not asked: the service that lets us in answered with a fault.",
                     "Try again, or phone their image library.", True, 502)  # fmt: skip
