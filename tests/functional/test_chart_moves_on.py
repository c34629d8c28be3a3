"""The chart moves on between the decision and the storing: the demo EHR over real sockets, Priors' own client there, a scripted archive, and the review page."""

from __future__ import annotations

import copy
import html
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwk
from pydicom import dcmread

from launch.session import BROWSER_COOKIE
from sandbox.demo.plan import fixtures_folder
from sandbox.ehr.app import create_ehr
from sandbox.ehr.clients import BACKEND, DemoClient
from sandbox.ehr.records import Records
from sandbox.faults import Faults
from sandbox.serving import serve
from smart_app.clock import utc_now
from smart_app.factory import create_app
from smart_app.image_requests.patients import as_patient
from smart_app.image_requests.types import NewRequest, Route, RouteKind, State, Wanted
from smart_app.wiring.intake import patients_of
from tests import peers
from tests.functional import listing_world
from tests.functional.test_intake import HERS, STAFF, Desk, desk
from tests.unit.intake.hospital import made


@dataclass
class Ward:
    desk: Desk
    records: Records
    faults: Faults
    ehr: ExitStack
    """Closing it takes the EHR off the network."""
    app: Any
    port: int
    ahead: timedelta = timedelta()

    def clock(self) -> datetime:
        return utc_now() + self.ahead

    def chart(self, **changes: Any) -> None:
        """Its chart of Rosalind Marchetti is this from now on."""
        self.records.put(copy.deepcopy(listing_world.patient(meta={"lastUpdated": "2026-05-20T08:00:00Z"}, **changes)))

    def received(self, purpose: str = "request") -> tuple[str, str]:
        """A request made from the chart as it is, and the item that answers it."""
        parts = self.desk.world.parts
        facts = patients_of(parts).chart("northgate", "p1")
        assert facts is not None
        asked = parts.requests.create(NewRequest(as_patient(facts, "northgate"), Wanted("CT pelvis", "CT", accession="KV-1", report=False), Route(RouteKind.PATIENT), None), STAFF)
        self.desk.send(asked.id if purpose == "request" else None, [made(number=number, **HERS) for number in (1, 2)], purpose)
        self.desk.work()
        (item,) = self.desk.listed("grant")
        return asked.id, item

    def page(self, item: str, who: str = "grant") -> str:
        return html.unescape(self.desk.call(who, f"/intake/{item}").text)

    def does(self, item: str, action: str = "store", **more: str) -> int:
        status: int = self.desk.call("grant", f"/intake/{item}/{action}", self.desk.form(self.desk.call("grant", f"/intake/{item}").text) | more).status_code
        return status


@pytest.fixture
def ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ward]:
    with running(tmp_path, monkeypatch) as made_one:
        yield made_one


@contextmanager
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Iterator[Ward]:
    port, faults = peers.free_port(), Faults()
    pem = ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    monkeypatch.setenv("PRIORS_TEST_BACKEND", pem)
    jwks = json.loads(json.dumps({"keys": [jwk.ECKey.import_key(pem, {"kid": "b", "use": "sig", "alg": "ES384"}).as_dict(private=False)]}))
    base = f"http://127.0.0.1:{port}"
    app = create_ehr(fixtures_folder(), base, clients=[DemoClient("backend", auth="private_key_jwt", jwks=jwks, grants=BACKEND)], launch_url="http://app.localhost/launch", faults=faults)
    ehr = {
        "key": "northgate", "name": "Northgate", "issuer": f"{base}/fhir", "client_id": "c", "allow_http": True, "roles": [{"role": "reviewer", "users": ["grant", "lindqvist"]}],
        "backend": {"client_id": "backend", "scopes": ["system/Patient.rs"], "key": {"kid": "b", "alg": "ES384", "pem": {"env": "PRIORS_TEST_BACKEND"}}},
    }  # fmt: skip
    here = Ward(None, app.extensions["records"], faults, ExitStack(), app, port)  # type: ignore[arg-type]
    here.chart()
    with here.ehr, desk(tmp_path, monkeypatch, ehrs=[ehr], clock=here.clock, **more) as at:
        here.ehr.enter_context(serve(app, port=port))
        here.desk = at
        yield here


def test_a_chart_merged_between_the_decision_and_the_storing_takes_nothing(ward: Ward) -> None:
    request, item = ward.received()
    assert "opened this chart in the EHR" not in ward.page(item), "Priors looks by itself here"
    assert ward.does(item) == 303
    # Medical records find that it is the same person as another chart, and merge the two
    survivor = listing_world.patient()["identifier"][1:]
    ward.records.put({"resourceType": "Patient", "id": "p9", "meta": {"lastUpdated": "2026-05-20T08:00:00Z"}, "name": [{"family": "Marchetti", "given": ["Rosalind", "Jane"]}],
                      "birthDate": "1951-08-09", "gender": "female", "link": [{"other": {"reference": "Patient/p1"}, "type": "replaces"}],
                      "identifier": [{"system": "urn:northgate", "value": "40999999", "type": {"coding": [{"code": "MR"}]}}, *survivor]})  # fmt: skip
    ward.chart(active=False, link=[{"other": {"reference": "Patient/p9"}, "type": "replaced-by"}])
    ward.desk.work()
    assert not ward.desk.archive.posts, "nothing was STOWed"
    assert not ward.desk.archive.held
    page = ward.page(item)
    for words in ("This chart was merged into another", "that of MARCHETTI, Rosalind Jane, born 1951-08-09, MRN 40999999", "Nothing is stored under the retired chart", "Compare with the surviving chart"):
        assert words in page
    assert ward.does(item) == 409, "and nobody stores it there by saying so again"
    ward.desk.work()
    assert not ward.desk.archive.posts
    assert ward.desk.world.parts.requests.get(request).state is State.IN_REVIEW
    # The survivor is the item's when a person says so, and is confirmed as any other
    assert ward.does(item, "survivor") == 303
    page = ward.page(item)
    assert "40999999" in page
    assert "merged into another:" in page, "the history keeps it"
    assert "Compare with the surviving chart" not in page
    ward.desk.work()
    assert not ward.desk.archive.posts
    assert ward.does(item) == 303
    ward.desk.work()
    assert {dcmread(BytesIO(one)).PatientID for one in ward.desk.archive.held.values()} == {"40999999"}
    assert ward.desk.world.parts.requests.get(request).state is State.STORED
    assert [one["became"] for one in ward.desk.world.audited("IntakeTurnedBack")] == ["replaced"]


def test_the_page_of_a_merged_chart_by_keyboard_and_in_both_themes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from axe_playwright_python.sync_playwright import Axe

    port = peers.free_port()
    origin = f"http://app.localhost:{port}"
    with running(tmp_path, monkeypatch, public_url=origin) as ward, serve(create_app(ward.desk.world.parts.settings), port=port), peers.chromium() as context:
        _, item = ward.received()
        ward.records.put({"resourceType": "Patient", "id": "p9", "meta": {"lastUpdated": "2026-05-20T08:00:00Z"}, **{key: value for key, value in listing_world.patient().items() if key not in ("id", "resourceType")}})
        ward.chart(active=False, link=[{"other": {"reference": "Patient/p9"}, "type": "replaced-by"}])
        handle, cookie = ward.desk.handles["grant"]
        context.add_cookies([{"name": BROWSER_COOKIE, "value": cookie, "url": "https://app.localhost", "secure": True, "httpOnly": True}])
        page = context.new_page()
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{origin}/l/{handle}/intake/{item}")
        page.get_by_role("button", name="Confirm and store").click()
        page.get_by_role("heading", name="This chart was merged into another").wait_for()
        for width, height in ((1280, 800), (1000, 650)):
            page.set_viewport_size({"width": width, "height": height})
            for theme in ("light", "dark"):
                page.evaluate("theme => { document.documentElement.dataset.bsTheme = theme; }", theme)
                found = Axe().run(page)
                assert found.violations_count == 0, found.generate_report()
                if kept := os.environ.get("PRIORS_PICTURES"):
                    page.screenshot(path=f"{kept}/merged-{width}-{theme}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name="Compare with the surviving chart").focus()
        page.keyboard.press("Enter")
        page.get_by_text("linked it to MARCHETTI, Rosalind").first.wait_for()
        assert ward.desk.archive.posts == []


def test_an_ehr_that_is_down_at_the_storing_and_comes_back(ward: Ward) -> None:
    request, item = ward.received()
    assert ward.does(item) == 303
    ward.ehr.close()
    ward.desk.work()
    page = ward.page(item)
    for words in ("Waits for the EHR", "The EHR did not answer when the chart was to be read again", "It is safely kept, and the EHR is asked again"):
        assert words in page
    assert (ward.desk.archive.posts, ward.desk.world.parts.requests.get(request).state) == ([], State.IN_REVIEW)
    ward.ehr.enter_context(serve(ward.app, port=ward.port))
    ward.ahead = timedelta(seconds=31)
    ward.desk.work()
    assert len(ward.desk.archive.held) == 2
    assert ward.desk.world.parts.requests.get(request).state is State.STORED
    assert "Waits for the EHR" not in ward.page(item)


def test_an_ehr_that_is_down_at_the_decision_is_named_and_nothing_is_decided(ward: Ward) -> None:
    _, item = ward.received()
    ward.ehr.close()
    answer = ward.desk.call("grant", f"/intake/{item}/store", ward.desk.form(ward.page(item)))
    assert answer.status_code == 503
    assert "The EHR did not answer when the chart was to be read again." in html.unescape(answer.text)
    assert ward.desk.listed("grant") == [item]
    ward.desk.work()
    assert not ward.desk.archive.posts


def test_an_ehr_that_refuses_is_named_too(ward: Ward) -> None:
    _, item = ward.received()
    ward.faults.add("read-Patient", "status", status=403)
    answer = ward.desk.call("grant", f"/intake/{item}/store", ward.desk.form(ward.page(item)))
    assert answer.status_code == 502
    assert "did not let Priors read the chart again" in html.unescape(answer.text)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"birthDate": "1951-08-19"}, "birth date was 1951-08-09, is 1951-08-19"),
        ({"active": False}, "This chart is not in use any more"),
        ({"id": "p2"}, "The EHR does not have this chart any more"),
    ],
    ids=["corrected", "inactive", "gone"],
)
def test_other_ends_of_a_chart_at_the_decision(ward: Ward, changes: dict[str, Any], words: str) -> None:
    _, item = ward.received()
    if "id" in changes:
        ward.records._by_type["Patient"].pop("p1")
    else:
        ward.chart(**changes)
    answer = ward.desk.call("grant", f"/intake/{item}/store", ward.desk.form(ward.page(item)))
    assert answer.status_code == 409
    assert words in html.unescape(answer.text), "the page that says no says why"
    ward.desk.work()
    assert not ward.desk.archive.posts


def test_an_emergency_s_images_are_not_linked_to_a_retired_chart(ward: Ward) -> None:
    request, item = ward.received("inbound")
    ward.chart(active=False)
    assert ward.does(item, "link", request=request) == 409
    ward.chart()
    assert ward.does(item, "link", request=request) == 303
    assert ward.does(item) == 303
    ward.chart(active=False)
    ward.desk.work()
    assert not ward.desk.archive.posts
    assert "This chart is not in use any more" in ward.page(item)


def test_without_backend_services_the_reviewer_says_that_they_have_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk(tmp_path, monkeypatch) as here:
        here.send(here.ask(), [made(**HERS)])
        here.work()
        (item,) = here.listed("grant")
        page = here.call("grant", f"/intake/{item}").text
        assert "Priors cannot read the charts of this EHR by itself" in page
        refused = here.call("grant", f"/intake/{item}/store", {key: value for key, value in here.form(page).items() if key != "looked"})
        assert refused.status_code == 400
        assert "Open the chart in the EHR, then say here that you have looked." in refused.text
        assert here.call("grant", f"/intake/{item}/store", here.form(page)).status_code == 303
        here.work()
        assert len(here.archive.held) == 1
        assert "has looked at the chart in the EHR" in here.call("grant", f"/intake/{item}").text
