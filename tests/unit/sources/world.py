"""One exchange on a real socket, scripted, with a stranger beside it that must never be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from launch.context import LaunchContext, User
from launch.discovery import Associated, SmartServer
from smart_app.archives.exchanges import ConfiguredExchange, Exchanges
from smart_app.archives.registry import Archives, LaunchToken
from smart_app.archives.types import Answer
from smart_app.clock import utc_now
from smart_app.config_archives import Archive, Exchange
from smart_app.fhir.patient import Identifier, PatientFacts
from smart_app.outbound import Lane, Outbound
from smart_app.sources.base import Inquiry
from smart_app.sources.exchange import ExchangeSource, Surroundings
from tests.unit.archives.scripted import Asked, Say, Scripted, fhir, scripted

LAUNCH_TOKEN, EXCHANGE_TOKEN = "CANARY-LAUNCH-TOKEN", "CANARY-EXCHANGE-TOKEN"
MRN, OWN = "urn:mrn", "urn:larkmoor"
WADO = {"system": "http://terminology.hl7.org/CodeSystem/endpoint-connection-type", "code": "dicom-wado-rs"}
REQUIRES_TOKEN = "http://fhir.org/argonaut/smart-imaging/StructureDefinition/requires-access-token"
Answers = dict[str, Callable[[Asked], Say]]


class Tokens:
    def __init__(self, token: str) -> None:
        self.token = token

    def access_token(self) -> str:
        return self.token

    def refreshed(self, rejected: str) -> str:
        return self.token


def facts(**changes: Any) -> PatientFacts:
    values: dict[str, Any] = {
        "id": "p1", "name": "MARCHETTI, Rosalind", "family": "Marchetti", "given": "Rosalind", "birth_date": "1951-08-09", "sex": "Female",
        "identifiers": (Identifier(MRN, "4077"), Identifier("urn:kestrel", "K-9")),
    }  # fmt: skip
    return PatientFacts(**values | changes)


def person(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient", "id": "x1", "name": [{"family": "Marchetti", "given": ["Rosalind"]}], "birthDate": "1951-08-09", "gender": "female",
        "identifier": [{"system": MRN, "value": "4077"}, {"system": OWN, "value": "LM-1"}],
    } | changes  # fmt: skip


def study(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "ImagingStudy", "id": f"s{number}", "status": "available", "subject": {"reference": "Patient/x1"},
        "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:2.25.{number}"}], "started": "2026-01-12T08:52:00Z", "modality": [{"code": "MR"}],
        "description": "MRI brain", "numberOfSeries": 1, "numberOfInstances": 3, "endpoint": [{"reference": f"Endpoint/e{number}"}],
    } | changes  # fmt: skip


def endpoint(address: str, number: int = 1, token: bool | None = None, **changes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {"resourceType": "Endpoint", "id": f"e{number}", "status": "active", "connectionType": WADO, "address": address}
    if token is not None:
        told["extension"] = [{"url": REQUIRES_TOKEN, "valueBoolean": token}]
    return told | changes


def bundle(*resources: Any, **more: Any) -> Say:
    return fhir({"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]} | more)


@dataclass
class World:
    server: Scripted
    stranger: Scripted
    answers: Answers
    exchange: ConfiguredExchange
    source: ExchangeSource
    issuer_key: str = "north"

    @property
    def base(self) -> str:
        return f"{self.server.base}/fhir"

    def context(self) -> LaunchContext:
        now = datetime.now(UTC)
        return LaunchContext("h" * 32, self.issuer_key, "http://ehr/fhir", User("http://ehr/fhir", "u"), "p1", None, frozenset(), now, now + timedelta(hours=1))

    def ask(self, about: PatientFacts | None = None, seconds: float = 5) -> Answer:
        inquiry = Inquiry(self.context(), about or facts(), LaunchToken(self.issuer_key, Tokens(LAUNCH_TOKEN)))
        (question,) = self.source.questions(inquiry)
        return question.call(seconds)

    def sent(self) -> str:
        """All credentials and paths that left, at both servers."""
        return " ".join(f"{one.path} {one.query} {one.headers}" for server in (self.server, self.stranger) for one in server.asked)


Make = Callable[[ConfiguredExchange, Surroundings], ExchangeSource]


@contextmanager
def world(make: Make, associated: Callable[[str, str], tuple[Associated, ...]] | None = None, **settings: Any) -> Iterator[World]:
    """`settings` change the exchange's; `associated` gets the bases of server and stranger and makes the EHR name servers."""
    answers: Answers = {"Patient": lambda asked: bundle(person()), "ImagingStudy": lambda asked: bundle()}
    with ExitStack() as stack:
        server = stack.enter_context(scripted(lambda asked: answers.get(asked.path.split("/")[2], lambda _: Say(404))(asked)))
        stranger = stack.enter_context(scripted(lambda asked: Say(200)))
        values: dict[str, Any] = {
            "key": "lark", "name": "Larkmoor", "fhir": f"{server.base}/fhir", "credential": {"kind": "oauth", "token_url": "http://t", "client_id": "c"},
            "identifier_systems": [MRN], "patient_ids": [{"system": OWN, "issuer": "LARK"}], "patient_id_issuer": "LARK",
        } | settings  # fmt: skip
        made = Exchanges([Exchange.model_validate(values)], read_secret=lambda _: "", oauth=lambda _: Tokens(EXCHANGE_TOKEN))
        (exchange,) = made
        origins = frozenset({server.base})
        lanes = [Lane(key=key, origins=origins, allow_http=True, allow_loopback=True) for key in ("exchange:lark", "archive:lark", "archive:kestrel")]
        kestrel = Archive(key="kestrel", name="Kestrel", dicomweb=f"{server.base}/kestrel", patient_id_issuer="KESTREL", identifier_systems=("urn:kestrel",))
        archives = Archives([kestrel], read_secret=lambda _: "", places=made.places())
        named = associated(server.base, stranger.base) if associated else ()
        smart = SmartServer("http://t", None, None, None, frozenset(), (), "v2", False, associated=named)
        around = Surroundings(Outbound(lanes, pin_localhost=True), archives, utc_now, lambda key: smart)
        yield World(server, stranger, answers, exchange, make(exchange, around))
