"""One browser, many charts (safety.md T1, T2, T8): whatever the order of steps, a page shows its own launch's patient only.

The whole product answers, over its real HTTP layer; the EHR is a real socket that gives a chart to its own token alone.
Replay a failure with its seed: PRIORS_SEED=n pytest tests/functional/test_interleaved_launches.py
"""

from __future__ import annotations

import base64
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask.testing import FlaskClient

from smart_app.config import Settings
from smart_app.factory import create_app
from tests.unit.launch.ehr_sim import EhrSim, MovingClock, running, with_query

ORIGIN = "https://priors.test"
USERS = ("dr-halloran", "dr-okonkwo", "clerk-moss")
PATIENTS = tuple(f"chart-{n}" for n in range(12))
MOST_LAUNCHES = 8


def family(patient: str) -> str:
    """A name that stands for one patient and occurs nowhere by chance."""
    return "Canary" + "abcdefghijkl"[int(patient.removeprefix("chart-"))] * 6


ALL_NAMES = re.compile("|".join(family(patient) for patient in PATIENTS), re.IGNORECASE)


@dataclass
class Tab:
    handle: str
    patient: str
    user: str


@dataclass
class Browser:
    """One cookie jar and the tabs that are open in it; says what each page may show."""

    client: FlaskClient
    ehr: EhrSim
    dice: random.Random
    tabs: list[Tab] = field(default_factory=list)
    closed: list[Tab] = field(default_factory=list)
    shown: int = 0

    def launch(self) -> None:
        user = self.tabs[0].user if self.tabs and self.dice.random() < 0.9 else self.dice.choice(USERS)
        patient = self.dice.choice(PATIENTS)
        self.ehr.claims, self.ehr.answer = {"sub": user}, {"patient": patient}
        check = self.get(with_query("/launch", {"iss": self.ehr.fhir, "launch": "x"}))
        authorize = self.get(check.location)
        done = self.get(with_query("/cb/northgate", self.ehr.authorize(authorize.location)))
        assert done.status_code == 303, done.text
        if self.tabs and self.tabs[0].user != user:
            self.closed += self.tabs
            self.tabs = []
        self.tabs.append(Tab(done.location.split("/")[2], patient, user))

    def look(self) -> None:
        tab = self.dice.choice(self.tabs)
        page = self.get(f"/l/{tab.handle}/{self.dice.choice(('studies', 'home', 'studies'))}")
        assert page.status_code == 200
        names = {name.lower() for name in ALL_NAMES.findall(page.text)}
        assert names <= {family(tab.patient).lower()}
        self.shown += bool(names)

    def probe(self) -> None:
        """A tab of the past, or an object that this launch does not hold."""
        tab = self.dice.choice(self.closed or self.tabs)
        live = tab in self.tabs
        path = self.dice.choice(("studies", "home", "outline/kestrel/1.2.3", "studies/1.2.3", "style.css", "audit", "setup"))
        answer = self.get(f"/l/{tab.handle}/{path}")
        names = {name.lower() for name in ALL_NAMES.findall(answer.text)}
        assert names <= ({family(tab.patient).lower()} if live else set())
        assert live or answer.status_code in (401, 404)

    def end(self) -> None:
        tab = self.dice.choice(self.tabs)
        token = re.search(r'name="csrf" (?:content|value)="([^"]+)"', self.get(f"/l/{tab.handle}/home").text)
        assert token
        headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
        ended = self.client.post(f"/l/{tab.handle}/end", base_url=ORIGIN, data={"csrf": token[1]}, headers=headers)
        assert ended.status_code == 200
        assert not ALL_NAMES.search(ended.text)
        self.tabs.remove(tab)
        self.closed.append(tab)

    def step(self) -> None:
        roll = self.dice.random()
        if not self.tabs or (roll < 0.02 and len(self.tabs) < MOST_LAUNCHES):
            self.launch()
        elif roll < 0.03 and len(self.tabs) > 2:
            self.end()
        elif roll < 0.2:
            self.probe()
        else:
            self.look()

    def get(self, path: str):  # type: ignore[no-untyped-def]
        return self.client.get(path, base_url=ORIGIN)


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    monkeypatch.setenv("TEST_SEALING", base64.urlsafe_b64encode(os.urandom(32)).decode())
    clock = MovingClock()
    seed = int(os.environ.get("PRIORS_SEED") or random.randrange(2**32))
    print(f"PRIORS_SEED={seed}")
    with running(clock, "northgate") as ehr:
        ehr.charts = {
            patient: {"resourceType": "Patient", "id": patient, "active": True, "name": [{"family": family(patient), "given": ["Ada"]}]} for patient in PATIENTS
        }
        settings = Settings.model_validate(
            {
                "public_url": ORIGIN,
                "development": True,
                "data_dir": tmp_path / "data",
                "sealing_keys": [{"id": "k", "env": "TEST_SEALING"}],
                "ehrs": [{"key": "northgate", "name": "Northgate", "issuer": ehr.fhir, "client_id": "priors", "allow_http": True}],
            }
        )
        yield Browser(create_app(settings, clock).test_client(), ehr, random.Random(seed))


def run(browser: Browser, steps: int) -> None:
    for _ in range(steps):
        browser.step()
    assert browser.shown > steps / 3, "the pages did show their patient"
    assert browser.closed, "launches did end on the way"


def test_interleaved_steps_show_no_foreign_patient(browser: Browser) -> None:
    run(browser, 800)


@pytest.mark.campaign
def test_ten_thousand_interleaved_steps_show_no_foreign_patient(browser: Browser) -> None:
    run(browser, 10_000)


def test_open_a_open_b_refresh_a_shows_a(browser: Browser) -> None:
    """The vendor's own three steps (facts.md C2)."""
    browser.dice = random.Random(1)
    browser.launch()
    browser.launch()
    while browser.tabs[0].patient == browser.tabs[-1].patient or len(browser.tabs) < 2:
        browser.launch()
    a, b = browser.tabs[0], browser.tabs[-1]
    for tab in (a, b, a):
        names = set(ALL_NAMES.findall(browser.get(f"/l/{tab.handle}/studies").text.title()))
        assert {name.lower() for name in names} == {family(tab.patient).lower()}


def test_the_browser_is_told_no_token_and_no_patient(browser: Browser) -> None:
    browser.launch()
    cookies = list(browser.client._cookies.values())
    stored = browser.tabs[0]
    page = browser.get(f"/l/{stored.handle}/studies")
    seen = page.text + str(page.headers) + "".join(cookie.key + cookie.value for cookie in cookies)
    assert not [token for token in (*browser.ehr.token_patients, *browser.ehr.refresh_live) if token in seen]
    assert all(stored.patient not in cookie.value for cookie in cookies)
    assert {cookie.key for cookie in cookies} == {"__Host-ix"}
    assert all(cookie.secure and cookie.http_only and cookie.path == "/" for cookie in cookies)


def test_an_idle_launch_says_so_and_shows_nothing(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    browser.launch()
    tab = browser.tabs[0]
    browser.ehr.clock.forward(minutes=15)  # type: ignore[attr-defined]
    page = browser.get(f"/l/{tab.handle}/studies")
    assert page.status_code == 401
    assert not ALL_NAMES.search(page.text)
    assert dict(parse_qsl(urlsplit(page.request.url).query)) == {}
