"""A request travels as FHIR over real sockets: to a partner that answers at our API, and into the demo EHR, whose chart is no worse for it."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import fhirkit
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from sandbox.faults import Faults
from sandbox.partner.app import create_partner
from sandbox.serving import serve
from sandbox.writable import Shelf
from smart_app.fhir.client import FhirClient
from smart_app.image_requests.types import Actor, Facility, NewRequest, Party, Patient, Route, RouteKind, State, Wanted
from smart_app.jobs.types import Handler
from smart_app.parts import Parts, build
from smart_app.wiring import work
from tests.town import Jar, Seen, Town, events
from tests.town import town as build_town

KEY = ECKey.generate_key("P-384", {"kid": "kestrel-1", "use": "sig", "alg": "ES384"}, private=True)
PATIENT = Patient("northgate", "marchetti", "MARCHETTI, Rosalind Jane", "Marchetti", "Rosalind Jane", "1951-08-09", "Female", "40771953")
KESTREL = Facility("kestrel-fhir", "Kestrel Valley", "Harrow", (Route(RouteKind.FHIR, "kestrel"),))
STAFF = Actor(Party.STAFF, "northgate", "amsel", "T. Amsel")


@dataclass
class Wires:
    town: Town
    parts: Parts
    handlers: dict[str, Handler]
    shelf: Shelf
    partner_faults: Faults

    def work(self) -> None:
        self.parts.ledger.run_due({kind: self.handlers[kind] for kind in ("dispatch", "mirror")})

    def token(self, scope: str = "system/Task.rus", **claims: Any) -> Seen:
        url, now = f"{self.town.plan.app}/fhir/token", int(time.time())
        given = {"iss": "kestrel", "sub": "kestrel", "aud": url, "exp": now + 200, "jti": secrets.token_urlsafe(16)} | claims
        assertion = jwt.encode({"alg": "ES384", "kid": "kestrel-1"}, given, KEY, algorithms=["ES384"])
        form = {"grant_type": "client_credentials", "scope": scope, "client_assertion": assertion, "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
        return Jar().send("POST", url, headers={"Content-Type": "application/x-www-form-urlencoded"}, body=urlencode(form).encode())

    def ask(self, method: str, path: str, token: str, body: Any = None, **headers: str) -> Seen:
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return Jar().send(method, f"{self.town.plan.app}/fhir/{path}", headers=sent, body=json.dumps(body).encode() if body is not None else None)

    def in_chart(self, kind: str) -> list[dict[str, Any]]:
        client = FhirClient(self.parts.outbound, "ehr:northgate", self.town.plan.fhir, self.parts.smart.broker.backend_provider("northgate"))
        found = [entry["resource"] for page in client.search(kind, [("patient", "marchetti")]) for entry in page.entries]
        return [one for one in found if any("/fhir/request" in name.get("system", "") for name in one.get("identifier", ()))]


@pytest.fixture(scope="module")
def wires(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Iterator[Wires]:
    folder, shelf, faults = tmp_path_factory.mktemp("wires"), Shelf(("ServiceRequest", "Task")), Faults()
    (folder / "kestrel.jwks").write_text(json.dumps({"keys": [KEY.as_dict(private=False)]}))
    (folder / "kestrel-token").write_text("given-to-priors")
    (folder / "kestrel-token").chmod(0o600)
    with ExitStack() as running:
        partner = running.enter_context(serve(create_partner("Kestrel Valley", faults=faults, token="given-to-priors", shelf=shelf)))

        def extra(content: dict[str, Any]) -> None:
            credential = {"kind": "bearer", "token": {"file": str(folder / "kestrel-token")}}
            content["partners"] = [{"key": "kestrel", "name": "Kestrel Valley", "fhir": f"{partner.url}/fhir", "credential": credential, "allow_http": True}]
            content["api_clients"] = [
                {"key": "kestrel", "name": "Kestrel Valley", "client_id": "kestrel", "jwks_file": str(folder / "kestrel.jwks"), "scopes": ["system/Task.rus"], "facilities": ["kestrel-fhir"]}
            ]

        town = running.enter_context(build_town(folder / "town", pictures, extra=extra))
        parts = build(town.settings)
        parts.facilities.save(KESTREL)
        yield Wires(town, parts, dict(work.handlers(parts)), shelf, faults)
        parts.database.engine.dispose()


def test_from_the_desk_to_the_partner_into_the_chart_and_back(wires: Wires) -> None:
    made = wires.parts.requests.create(NewRequest(PATIENT, Wanted("CT head", "CT", "head"), KESTREL.routes[0], KESTREL.id), STAFF)
    wires.partner_faults.add("transaction", "lose", times=1)
    wires.work()
    assert len(wires.shelf.all("Task")) == 1, "the answer was lost, the request was not"
    (task,), (order,) = wires.in_chart("Task"), wires.in_chart("ServiceRequest")
    assert (task["status"], task["focus"], order["status"]) == ("requested", {"reference": f"ServiceRequest/{order['id']}"}, "active")

    token = wires.token().json()["access_token"]
    page = wires.ask("GET", "Task?status=requested&owner=Organization/kestrel-fhir", token).json()
    assert [entry["resource"]["id"] for entry in page["entry"]] == [made.id]
    assert fhirkit.validate(page) == []
    ours = page["entry"][0]["resource"]
    answer = wires.ask("PUT", f"Task/{made.id}", token, ours | {"status": "accepted"}, If_Match=f'W/"{ours["meta"]["versionId"]}"')
    assert (answer.status, answer.json()["status"]) == (200, "accepted"), answer.text
    assert wires.parts.requests.get(made.id).state is State.ACCEPTED
    wires.work()
    assert [one["status"] for one in wires.in_chart("Task")] == ["accepted"]


def test_our_own_order_is_no_evidence_of_a_study(wires: Wires) -> None:
    """What Priors wrote into the chart must not come back as an imaging order that was placed, or as images that are known to exist."""
    jar = Jar()
    handle = jar.launch(wires.town, "marchetti")
    before = _told(jar, wires, handle)
    own = wires.parts.requests.create(NewRequest(PATIENT, Wanted("PET of the OWN-ORDER", "PT", "whole body", "2024-01-01", "2024-12-31"), KESTREL.routes[0], KESTREL.id), STAFF)
    wires.work()
    assert any(one["code"]["text"] == "PET of the OWN-ORDER" for one in wires.in_chart("ServiceRequest"))
    other = Jar()
    after = _told(other, wires, other.launch(wires.town, "marchetti"))
    assert [row["uid"] for row in after if "OWN-ORDER" in json.dumps(row)] == [f"request-{own.id}"], "the request itself is listed, and nothing that it would be evidence of"
    assert [row["uid"] for row in after if not row["uid"].startswith("request-")] == [row["uid"] for row in before if not row["uid"].startswith("request-")]


def _told(jar: Jar, wires: Wires, handle: str) -> list[dict[str, Any]]:
    stream = jar.get(f"{wires.town.plan.app}/l/{handle}/studies/stream")
    rows = {row["uid"]: row for name, data in events(stream) if name == "rows" for row in data["rows"]}
    assert rows
    return [rows[uid] for uid in sorted(rows)]


def test_one_assertion_over_two_threads_of_the_server_gives_one_token(wires: Wires) -> None:
    jti, found = secrets.token_urlsafe(16), []
    barrier = threading.Barrier(6)

    def use() -> None:
        barrier.wait()
        found.append(wires.token(jti=jti).status)

    threads = [threading.Thread(target=use) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200, 401, 401, 401, 401, 401]
