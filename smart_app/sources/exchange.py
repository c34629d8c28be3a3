"""What all exchanges have in common: where the server is, who the patient is there, and how a failure reads.

The launch's own token goes only to a server configured as its EHR's, and only in an origin approved for it: the EHR's
word for where its associated server is (SMART 2.2 `associated_endpoints`) is compared, never followed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from launch.context import LaunchContext
from launch.discovery import SmartServer
from launch.errors import LaunchError
from smart_app.archives.exchanges import ConfiguredExchange
from smart_app.archives.fanout import Question
from smart_app.archives.registry import Archives, origin_shown
from smart_app.archives.types import Answer, PatientId, Said, SourceState
from smart_app.clock import Clock
from smart_app.errors import NotApproved, OutboundError, TimedOut
from smart_app.fhir.client import FhirClient, FhirFailed, FhirLimits, FhirMissing, FhirRefused
from smart_app.fhir.patient import PatientFacts
from smart_app.identity.crosswalk import crossed
from smart_app.identity.discovery import ByIdentifier, Discover, Discovered, Person
from smart_app.identity.people import said_by_chart
from smart_app.identity.rulings import Ruling, Sorter, State, key_of_candidate
from smart_app.outbound import Outbound
from smart_app.outbound.addresses import Refused, parse
from smart_app.sources.base import Inquiry, Named
from smart_app.sources.failing import code_of, state_of_failure

ACCESS = frozenset({"smart-imaging-access", "http://fhir.org/argonaut/smart-imaging/capabilities/app-launch"})
"""Capabilities by which an EHR names its imaging server."""
ASK_AGAIN = 8
"""An imaging server may say 503 with Retry-After several times while it gathers: the same question again, within the deadline."""
STRANGERS = "It sent records of other patients than the one asked for, which were not looked at."


@dataclass(frozen=True)
class Surroundings:
    """What every exchange is given."""

    outbound: Outbound
    archives: Archives
    clock: Clock
    smart_server: Callable[[str], SmartServer]
    """An EHR's smart-configuration, by the EHR's key. May raise LaunchError."""
    rulings: Callable[[LaunchContext], tuple[Ruling, ...]] = lambda context: ()


@dataclass(frozen=True)
class Meeting:
    """One question to one exchange: the client, the patient as it knows them, and the seconds left."""

    client: FhirClient
    person: Person
    facts: PatientFacts
    ends: float

    def left(self) -> float:
        """:raises TimedOut: nothing is left."""
        remaining = self.ends - time.monotonic()
        if remaining <= 0:
            raise TimedOut
        return remaining


Tell = Callable[[Meeting, Answer], Answer]


class ExchangeSource:
    """The Source of one exchange. `tell` does what is particular to its kind, once the patient is known there."""

    def __init__(self, exchange: ConfiguredExchange, around: Surroundings, tell: Tell, kind: str, find: Discover | None = None) -> None:
        """`find` stands in for the configured discovery where that is not the plain search by identifier."""
        self._exchange = exchange
        self._around = around
        self._tell = tell
        self._kind = kind
        self._seen = ""
        called = self._called
        self._find = find or ByIdentifier(exchange.settings.identifier_systems, called, lambda: around.clock().date())

    def named(self, context: LaunchContext) -> Named | None:
        exchange = self._exchange
        if exchange.ehr is not None and exchange.ehr != context.issuer_key:
            return None
        return Named(exchange.key, exchange.name, exchange.organization, self._kind, self._host())

    def questions(self, inquiry: Inquiry) -> Iterable[Question]:
        exchange = self._exchange
        if self.named(inquiry.context) is not None:
            yield Question(exchange.key, exchange.name, exchange.organization, lambda seconds: self._ask(inquiry, seconds))

    def _ask(self, inquiry: Inquiry, seconds: float) -> Answer:
        exchange, clock = self._exchange, self._around.clock
        answer = Answer(exchange.key, exchange.name, exchange.organization, SourceState.EMPTY, asked_at=clock())
        ends = time.monotonic() + min(seconds, exchange.limits.search)
        origins: tuple[str, ...] = ()
        try:
            base = self._base()
            if not self._around.outbound.approves(exchange.lane, base):
                origins = (origin_shown(base),)
                raise NotApproved
            limits = FhirLimits(exchange.limits.search, exchange.limits.search_bytes, entries=exchange.limits.max_rows, retries=ASK_AGAIN)
            client = FhirClient(self._around.outbound, exchange.lane, base, None, limits, proof=exchange.proof(inquiry.launch))
            found = self._discovered(client, inquiry, ends)
            found, link, expected = self._ruled(found, inquiry)
            answer = replace(answer, candidates=found.candidates, withheld=found.strangers, notes=(STRANGERS,) if found.strangers else ())
            if not found.asked:
                return replace(answer, state=SourceState.NO_IDENTIFIER, answered_at=clock())
            if found.person is None:
                whole = not found.candidates and not found.strangers
                return replace(answer, state=SourceState.EMPTY if whole else SourceState.PARTIAL, answered_at=clock())
            told = self._tell(Meeting(client, found.person, inquiry.facts, ends), answer)
            studies = tuple(replace(study, expected=expected, links=link) for study in told.studies)
            return replace(told, studies=studies, answered_at=clock())
        except (OutboundError, LaunchError) as error:
            state = state_of_failure(error)
            return replace(answer, state=state, fault_code=code_of(error), http=http_of(error), not_approved=origins, answered_at=clock())

    def _discovered(self, client: FhirClient, inquiry: Inquiry, ends: float) -> Discovered:
        if self._exchange.settings.discovery == "launch":
            assert inquiry.context.patient_id is not None
            return Discovered(Person(inquiry.context.patient_id, inquiry.facts.identifiers))
        return self._find(client, inquiry.facts, ends - time.monotonic())

    def _ruled(self, found: Discovered, inquiry: Inquiry) -> tuple[Discovered, tuple[str, ...], tuple[Said, ...]]:
        """What people decided about the candidates: a confirmed one is the patient, a rejected one is not offered again."""
        expected = (said_by_chart(inquiry.facts),)
        sorter = Sorter(self._exchange.key, inquiry.facts, (), self._around.rulings(inquiry.context) if found.candidates else ())
        keyed = [(one, sorter.ruled(key_of_candidate(sorter.source, one))) for one in found.candidates]
        people = dict(zip(found.candidates, found.persons, strict=False))
        links = [(one, ruling) for one, ruling in keyed if ruling is not None and ruling.holds(inquiry.facts) and one in people]
        if len(links) == 1:
            ((one, ruling),) = links
            return Discovered(people[one], strangers=found.strangers), (ruling.id,), (*expected, Said(one.name, one.birth_date, one.sex))
        open_ones = tuple(one for one, ruling in keyed if ruling is None or ruling.state is not State.REJECTED)
        return replace(found, candidates=open_ones), (), expected

    def _base(self) -> str:
        """:raises LaunchError: the EHR did not say. :raises FhirMissing: it names none."""
        settings = self._exchange.settings
        if settings.fhir is not None:
            return settings.fhir
        server = self._around.smart_server(settings.associated_with or "")
        found = next((one.url for one in server.associated if one.capabilities & ACCESS), None)
        if found is None:
            raise FhirMissing
        self._seen = host_of(found)
        return found

    def _called(self, person: Person) -> PatientId:
        ids = self._exchange.patient_ids((one.system, one.value) for one in person.identifiers if not one.is_retired)
        return ids[0] if ids else PatientId(person.id, self._exchange.name)

    def _host(self) -> str:
        """Of an associated server: as the EHR last said, or the only one that is configured for it."""
        settings = self._exchange.settings
        if settings.fhir is not None:
            return host_of(settings.fhir)
        only = {host_of(origin) for origin in settings.origins}
        return self._seen or (only.pop() if len(only) == 1 else "")


def host_of(url: str) -> str:
    """Empty for what is no address."""
    try:
        return parse(url).host
    except Refused:
        return ""


def at_archive(archives: Archives, key: str, meeting: Meeting) -> tuple[PatientId, ...]:
    """What the images of this patient may carry at a configured archive: by the chart, and by what the exchange knows of them."""
    archive = archives.by_key(key)
    if archive is None:
        return ()
    both = (meeting.facts, replace(meeting.facts, identifiers=meeting.person.identifiers))
    return tuple(dict.fromkeys(one for facts in both for one in crossed(facts, archive).ids))


def http_of(error: Exception) -> int:
    return error.status if isinstance(error, FhirFailed | FhirMissing | FhirRefused) else 0
