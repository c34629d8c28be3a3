"""`priors check` for exchanges: does the FHIR server answer, does our credential work, and does it heed what it is asked for.

Reads no patient's data: it is asked for an identifier that nobody has, or, where only a launch has a token, what it is.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from launch.errors import LaunchError
from launch.service import Launcher
from smart_app.archives.exchanges import ConfiguredExchange
from smart_app.archives.probing import NOBODY
from smart_app.archives.registry import Credential, origin_shown
from smart_app.errors import Busy, NotApproved, NotLetIn, OutboundError, TimedOut, TooLarge, Unreachable
from smart_app.fhir.client import FhirClient, FhirFailed, FhirLimits, FhirMissing, FhirRefused
from smart_app.outbound import Outbound

ACCESS = frozenset({"smart-imaging-access", "http://fhir.org/argonaut/smart-imaging/capabilities/app-launch"})
NO_TOKEN = ("Its token server gave us no token.", "Check `credential`: token_url, client_id, and its secret or key.")
ADVICE: dict[type[OutboundError], tuple[str, str]] = {
    NotLetIn: NO_TOKEN,
    FhirRefused: ("It refused the question.", "Check `credential`, and that this client may search Patient."),
    FhirMissing: ("It has no Patient search at this address.", "Check `fhir`: it must be the FHIR base, without a resource behind it."),
    FhirFailed: ("It answered with a fault, or with something that is not FHIR.", "Check `fhir`; if it is right, tell its team."),
    NotApproved: ("It is at an address that is not configured.", "Give the origin under `origins`, if it is known to be theirs."),
    TimedOut: ("It did not answer in time.", "Check the network, the address, and `limits`."),
    TooLarge: ("Its answer was too large.", "It may ignore the identifier in a search: ask its team."),
    Unreachable: ("It could not be reached.", "Check the network and the address."),
    Busy: ("Too many questions to it were under way.", "Ask again in a minute."),
}
NOT_NAMED = ("The EHR names no imaging server in its smart-configuration.", "Ask the EHR team, or give its address as `fhir`.")
EHR_SILENT = ("The EHR that names it could not be asked.", "See what is said of that EHR above.")
STRANGERS = ("It returns patients it was not asked for: nobody could be found there for certain.", "Ask its team why `identifier` is ignored.")


@dataclass(frozen=True)
class ExchangeLine:
    """What one exchange said. Its address as origin and path; empty where the EHR did not name it."""

    key: str
    name: str
    address: str
    ok: bool
    seconds: float
    supports: tuple[str, ...] = ()
    wrong: str = ""
    advice: str = ""
    kind: str = "exchange"

    def as_text(self) -> list[str]:
        lines = [f"{'ok  ' if self.ok else 'FAIL'} {self.kind} {self.key} ({self.name}) {self.address}  {self.seconds:.2f} s"]
        lines += [f"     supports: {', '.join(self.supports)}"] if self.supports else []
        return [*lines, *([f"     {self.wrong}", f"     What to do: {self.advice}"] if self.wrong else [])]


@dataclass(frozen=True)
class _Own:
    """Our own credential, outside any launch."""

    credential: Credential = field(repr=False)

    def headers(self) -> Mapping[str, str]:
        return self.credential.headers(None)

    def renewed(self, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        return self.credential.renewed(None, rejected)


def exchange_line(exchange: ConfiguredExchange, outbound: Outbound, launcher: Launcher) -> ExchangeLine:
    """Asked once, within its own deadline."""
    started, address = time.monotonic(), exchange.settings.fhir or ""
    supports: tuple[str, ...] = ()
    wrong = advice = ""
    try:
        if not address:
            named = _named_by(exchange, launcher)
            if named is None:
                wrong, advice = NOT_NAMED
            elif not outbound.approves(exchange.lane, named):
                address = origin_shown(named)
                raise NotApproved
            else:
                address = named
        if address:
            supports, (wrong, advice) = _asked(exchange, outbound, address)
    except OutboundError as error:
        wrong, advice = next((said for kind, said in ADVICE.items() if isinstance(error, kind)), ADVICE[FhirFailed])
    except LaunchError:
        wrong, advice = NO_TOKEN if address else EHR_SILENT
    return ExchangeLine(exchange.key, exchange.name, address, not wrong, round(time.monotonic() - started, 3), supports if not wrong else (), wrong, advice)


def _named_by(exchange: ConfiguredExchange, launcher: Launcher) -> str | None:
    server = launcher.inspect(exchange.settings.associated_with or "")
    return next((one.url for one in server.associated if one.capabilities & ACCESS), None)


def _asked(exchange: ConfiguredExchange, outbound: Outbound, base: str) -> tuple[tuple[str, ...], tuple[str, str]]:
    """(what it supports, (what is wrong, what to do))."""
    limits = FhirLimits(exchange.limits.search, exchange.limits.search_bytes, pages=1)
    of_launch = exchange.settings.credential.kind == "ehr-token"
    client = FhirClient(outbound, exchange.lane, base, None, limits, proof=None if of_launch else _Own(exchange.credential))
    systems = exchange.settings.identifier_systems
    if of_launch or not systems:
        client.fetch(f"{client.base}/metadata", "application/fhir+json", deadline=exchange.limits.search, max_bytes=exchange.limits.search_bytes)
        return (("asked with the EHR's token, so only within a launch",) if of_launch else ("answers",)), ("", "")
    found = [entry for page in client.search("Patient", [("identifier", f"{systems[0]}|{NOBODY}")]) for entry in page.entries]
    return ("patient search",), STRANGERS if any(_is_patient(entry) for entry in found) else ("", "")


def _is_patient(entry: Any) -> bool:
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    return isinstance(resource, Mapping) and resource.get("resourceType") == "Patient"
