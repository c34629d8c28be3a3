"""The launch over HTTP: cookies, redirects, refusals. The EHRs are real sockets, the browser is Werkzeug's client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from launch.context import LaunchContext
from launch.errors import EhrMisconfigured, LaunchError
from launch.session import BROWSER_COOKIE
from launch.views import Hooks, make_blueprint
from smart_app.web.converters import install_converters
from tests.unit.launch.ehr_sim import Reply, with_query
from tests.unit.launch.world import World

ORIGIN = "https://priors.test"


@dataclass
class Browser:
    """One cookie jar before the app, and what the app said to its hooks."""

    here: World
    app: Flask
    client: FlaskClient
    shown: list[tuple[LaunchError, str | None, str | None]]
    opened: list[LaunchContext] = field(default_factory=list)
    refuse: Exception | None = None

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, base_url=ORIGIN, **more)

    def launch_path(self, **more: str) -> str:
        return with_query("/launch", {"iss": self.here.ehr.fhir, "launch": "abc", **more})

    def to_authorize(self, path: str | None = None) -> str:
        check = self.get(path or self.launch_path())
        assert check.status_code == 303
        authorize = self.get(check.location)
        assert authorize.status_code == 303
        return authorize.location

    def callback(self, authorize: str, **more: str) -> TestResponse:
        return self.get(with_query("/cb/northgate", self.here.ehr.authorize(authorize, **more)))

    def launch(self) -> TestResponse:
        return self.callback(self.to_authorize())

    @property
    def last(self) -> tuple[str, str | None]:
        error, _, retry = self.shown[-1]
        return error.code, retry


@pytest.fixture
def browser(here: World) -> Browser:
    app = Flask(__name__)
    install_converters(app)
    made = Browser(here, app, app.test_client(), [])

    def opened(context: LaunchContext) -> str:
        if made.refuse is not None:
            raise made.refuse
        made.opened.append(context)
        return f"/l/{context.handle}/studies"

    def error(error: LaunchError, *, issuer: str | None, retry_url: str | None) -> Any:
        made.shown.append((error, issuer, retry_url))
        return error.code, error.status

    def current() -> LaunchContext:
        from flask import abort, request

        found = here.store.find((request.view_args or {})["handle"], request.cookies.get(BROWSER_COOKIE))
        return found or abort(404)

    hooks = Hooks(opened=opened, ended=lambda _: "ended", error=error, current=current)
    app.register_blueprint(make_blueprint(here.smart.launcher, here.store, here.smart.jwks, hooks))
    return made


def cookie_of(response: TestResponse) -> dict[str, str]:
    """Attributes of the first cookie set, lower case; `name` and `value` too."""
    first, *rest = response.headers.getlist("Set-Cookie")[0].split("; ")
    name, _, value = first.partition("=")
    return {"name": name, "value": value, **{k.lower(): v for k, _, v in (item.partition("=") for item in rest)}}


HARD = {"secure": "", "httponly": "", "path": "/", "samesite": "None", "partitioned": ""}


def test_a_launch_goes_through(browser: Browser) -> None:
    done = browser.launch()
    assert done.status_code == 303
    assert done.location == f"/l/{browser.opened[0].handle}/studies"
    cookie = cookie_of(done)
    assert cookie["name"] == "__Host-ix"
    assert HARD.items() <= cookie.items()
    assert "max-age" not in cookie
    assert "domain" not in cookie
    assert len(cookie["value"]) >= 43
    assert browser.here.store.find(browser.opened[0].handle, cookie["value"])


def test_the_binding_cookie(browser: Browser) -> None:
    first = browser.get(browser.launch_path())
    cookie = cookie_of(first)
    assert cookie["name"].startswith("__Host-lb-")
    assert HARD.items() <= cookie.items()
    assert cookie["max-age"] == "600"
    query = parse_qs(urlsplit(first.location).query)
    assert query["b"] == [cookie["name"].removeprefix("__Host-lb-")]
    assert cookie["value"] not in first.location
    assert browser.here.ehr.calls == [], "nothing is asked before cookies are known to work"


def test_the_spent_binding_cookie_is_removed(browser: Browser) -> None:
    done = browser.launch()
    removal = done.headers.getlist("Set-Cookie")[1]
    assert removal.startswith("__Host-lb-")
    assert "Max-Age=0" in removal
    assert "Partitioned" in removal
    assert "Secure" in removal


def test_no_cache_keeps_a_step_and_no_referrer_tells_it(browser: Browser) -> None:
    steps = [browser.get(browser.launch_path())]
    steps.append(browser.get(steps[0].location))
    steps.append(browser.callback(steps[1].location))
    steps.append(browser.get("/launch"))
    for step in steps:
        assert step.headers["Cache-Control"] == "no-store"
        assert step.headers["Referrer-Policy"] == "no-referrer"
        assert b"abc" not in step.data


def test_blocked_cookies_are_seen_before_anything_is_spent(browser: Browser) -> None:
    blocked = browser.app.test_client(use_cookies=False)
    check = blocked.get(browser.launch_path(), base_url=ORIGIN)
    assert blocked.get(check.location, base_url=ORIGIN).status_code == 400
    code, retry = browser.last
    assert code == "cookies-blocked"
    assert retry is not None
    assert dict(parse_qsl(urlsplit(retry).query)) == {"iss": browser.here.ehr.fhir, "launch": "abc"}
    assert browser.here.ehr.calls == []
    assert browser.here.ehr.authorize(browser.to_authorize(retry)), "in its own window the same iss and launch go through"


def test_blocked_cookies_at_a_sign_in(browser: Browser) -> None:
    blocked = browser.app.test_client(use_cookies=False)
    check = blocked.get("/sign-in/northgate?as=staff", base_url=ORIGIN)
    blocked.get(check.location, base_url=ORIGIN)
    assert browser.last == ("cookies-blocked", "/sign-in/northgate?as=staff")


@pytest.mark.parametrize("tag", ["", "x", "0000000", "000000000", "../../..", "ABCDEF01", "00000000"])
def test_a_forged_tag_finds_no_cookie(browser: Browser, tag: str) -> None:
    browser.get(browser.launch_path())
    browser.get(with_query("/launch/check", {"iss": browser.here.ehr.fhir, "launch": "abc", "b": tag}))
    assert browser.last[0] in ("cookies-blocked", "sign-in-broken")
    assert browser.here.ehr.calls == []


def test_a_planted_short_cookie_binds_nothing(browser: Browser) -> None:
    browser.client.set_cookie("__Host-lb-00000000", "x", domain="priors.test", secure=True)
    browser.get(with_query("/launch/check", {"iss": browser.here.ehr.fhir, "launch": "abc", "b": "00000000"}))
    assert browser.last[0] == "cookies-blocked"


HOSTILE_QUERIES: dict[str, tuple[Callable[[str], str], str, int]] = {
    "nothing": (lambda iss: "", "missing-parameter", 400),
    "no launch": (lambda iss: f"iss={iss}", "missing-parameter", 400),
    "no iss": (lambda iss: "launch=abc", "missing-parameter", 400),
    "iss empty": (lambda iss: "iss=&launch=abc", "missing-parameter", 400),
    "launch empty": (lambda iss: f"iss={iss}&launch=", "missing-parameter", 400),
    "a plain link's leftovers": (lambda iss: "iss=%7B%7Biss%7D%7D&launch=%7B%7Blaunch%7D%7D", "unknown-issuer", 403),
    "iss twice, same": (lambda iss: f"iss={iss}&iss={iss}&launch=abc", "sign-in-broken", 400),
    "iss twice, ours first": (lambda iss: f"iss={iss}&iss=https://evil.test&launch=abc", "sign-in-broken", 400),
    "iss twice, ours last": (lambda iss: f"iss=https://evil.test&iss={iss}&launch=abc", "sign-in-broken", 400),
    "launch twice": (lambda iss: f"iss={iss}&launch=a&launch=b", "sign-in-broken", 400),
    "iss as an array": (lambda iss: f"iss[]={iss}&launch=abc", "missing-parameter", 400),
    "ISS": (lambda iss: f"ISS={iss}&launch=abc", "missing-parameter", 400),
    "iss of 3,000": (lambda iss: f"iss={'x' * 3000}&launch=abc", "sign-in-broken", 400),
    "launch of 5,000": (lambda iss: f"iss={iss}&launch={'x' * 5000}", "sign-in-broken", 400),
    "a query of 20 kB": (lambda iss: f"iss={iss}&launch=abc&x={'x' * 20_000}", "sign-in-broken", 400),
    "launch with a line break": (lambda iss: f"iss={iss}&launch=a%0d%0ab", "sign-in-broken", 400),
    "launch with NUL": (lambda iss: f"iss={iss}&launch=a%00b", "sign-in-broken", 400),
    "iss with NUL": (lambda iss: f"iss={iss}%00&launch=abc", "sign-in-broken", 400),
    "iss not UTF-8": (lambda iss: "iss=%ff%fe&launch=abc", "unknown-issuer", 403),
    "a broken escape": (lambda iss: "iss=%&launch=%zz", "unknown-issuer", 403),
    "separators only": (lambda iss: "&&&&==&&", "missing-parameter", 400),
    "semicolons": (lambda iss: f"iss={iss};launch=abc", "missing-parameter", 400),
    "another EHR": (lambda iss: "iss=https://evil.test/fhir&launch=abc", "unknown-issuer", 403),
}


@pytest.mark.parametrize("path", ["/launch", "/launch/check"])
@pytest.mark.parametrize("name", HOSTILE_QUERIES)
def test_a_hostile_query_is_refused_calmly(browser: Browser, path: str, name: str) -> None:
    query, code, status = HOSTILE_QUERIES[name]
    answer = browser.get(f"{path}?{query(browser.here.ehr.fhir)}")
    assert (answer.status_code, browser.last[0]) == (status, code)
    assert browser.last[1] is None
    assert "Set-Cookie" not in answer.headers
    assert browser.here.ehr.calls == browser.here.other.calls == []


HOSTILE_CALLBACKS = {
    "nothing": "",
    "no state": "code=a",
    "state twice": "code=a&state={state}&state={state}",
    "code twice": "code={code}&code=b&state={state}",
    "iss twice": "code={code}&state={state}&iss=a&iss=b",
    "state of 600": "code=a&state=" + "x" * 600,
    "code of 5,000": "state={state}&code=" + "x" * 5000,
    "state with NUL": "code=a&state=a%00b",
    "error twice": "error=a&error=b&state={state}",
    "error without state": "error=access_denied",
    "a query of 20 kB": "code={code}&state={state}&x=" + "x" * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE_CALLBACKS)
def test_a_hostile_callback_query_opens_nothing(browser: Browser, name: str) -> None:
    params = browser.here.ehr.authorize(browser.to_authorize())
    answer = browser.get("/cb/northgate?" + HOSTILE_CALLBACKS[name].format(**params))
    assert answer.status_code == 400
    assert browser.opened == []
    assert "Set-Cookie" not in answer.headers
    assert browser.here.ehr.token_calls == []


def test_a_callback_in_another_jar_is_login_csrf_and_refused(browser: Browser) -> None:
    attackers = browser.here.ehr.authorize(browser.to_authorize())
    victim = browser.app.test_client()
    answer = victim.get(with_query("/cb/northgate", attackers), base_url=ORIGIN)
    assert answer.status_code == 400
    assert browser.last[0] == "sign-in-broken"
    assert browser.here.ehr.token_calls == []


def test_a_replayed_callback_opens_nothing(browser: Browser) -> None:
    params = browser.here.ehr.authorize(browser.to_authorize())
    assert browser.get(with_query("/cb/northgate", params)).status_code == 303
    assert browser.get(with_query("/cb/northgate", params)).status_code == 400
    assert len(browser.opened) == 1


def test_twenty_launches_at_once_in_one_browser_all_finish_right(browser: Browser) -> None:
    urls = [browser.to_authorize() for _ in range(20)]
    for i, url in enumerate(reversed(urls)):
        browser.here.ehr.answer = {"patient": f"chart-{i}"}
        assert browser.callback(url).status_code == 303
    cookie = browser.client.get_cookie(BROWSER_COOKIE, domain="priors.test")
    assert cookie is not None
    for i, context in enumerate(browser.opened):
        assert browser.here.store.find(context.handle, cookie.value).patient_id == f"chart-{i}"  # type: ignore[union-attr]


def test_a_refusal_of_the_ehr_is_shown_with_its_code_only(browser: Browser) -> None:
    state = parse_qs(urlsplit(browser.to_authorize()).query)["state"][0]
    query = {"error": "access_denied", "error_description": "<b>Rosalind Marchetti</b>", "error_uri": "https://evil.test", "state": state}
    assert browser.get(with_query("/cb/northgate", query)).status_code == 403
    error, issuer, retry = browser.shown[-1]
    assert (error.code, error.detail, issuer, retry) == ("sign-in-refused", "access_denied", "northgate", None)


def test_a_faulty_ehr_offers_the_same_launch_again(browser: Browser) -> None:
    browser.here.ehr.script["/fhir/.well-known/smart-configuration"] = Reply(b"", 503)
    check = browser.get(browser.launch_path())
    assert browser.get(check.location).status_code == 502
    code, retry = browser.last
    assert code == "ehr-faulty", "an answer at once is not told as a silence"
    browser.here.ehr.script.clear()
    assert browser.to_authorize(retry)


def test_after_the_code_is_spent_no_retry_is_offered(browser: Browser) -> None:
    url = browser.to_authorize()
    browser.here.ehr.script["/token"] = Reply(b"", 503)
    assert browser.callback(url).status_code == 502
    assert browser.last == ("ehr-faulty", None)


@pytest.mark.parametrize("refusal", [EhrMisconfigured("Patient"), RuntimeError("the audit cannot be written")])
def test_an_opening_that_fails_leaves_nothing_open(browser: Browser, refusal: Exception) -> None:
    browser.refuse = refusal
    browser.app.config["PROPAGATE_EXCEPTIONS"] = False
    answer = browser.launch()
    assert answer.status_code == (502 if isinstance(refusal, LaunchError) else 500)
    assert browser.here.store.live_launches() == 0
    assert not any(value.startswith("__Host-ix") for value in answer.headers.getlist("Set-Cookie"))


def test_sign_in_for_staff_and_for_a_patient(browser: Browser) -> None:
    for path, scope, patient in (("/sign-in/northgate?as=staff", "openid", None), ("/sign-in/northgate", "launch/patient", "chart-1")):
        url = browser.to_authorize(path)
        assert parse_qs(urlsplit(url).query)["scope"][0].split()[0] == scope
        assert browser.callback(url).status_code == 303
        assert browser.opened[-1].patient_id == patient


@pytest.mark.parametrize("path", ["/sign-in/nobody", "/cb/nobody?state=a&code=b"])
def test_unknown_keys(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code == 403
    assert browser.last[0] == "unknown-issuer"


@pytest.mark.parametrize("path", ["/sign-in/..%2fx", "/cb/NORTHGATE", "/cb/", "/sign-in/" + "x" * 40, "/l/short/end"])
def test_paths_that_are_no_keys(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code in (404, 405)


@pytest.mark.parametrize("path", ["/launch", "/launch/check", "/cb/northgate", "/sign-in/northgate", "/jwks.json"])
def test_nothing_of_it_is_a_post(browser: Browser, path: str) -> None:
    assert browser.client.post(path, base_url=ORIGIN).status_code == 405


def test_the_end(browser: Browser) -> None:
    browser.launch()
    handle = browser.opened[0].handle
    assert browser.get(f"/l/{handle}/end").status_code == 405, "a link or an image must not end it"
    done = browser.client.post(f"/l/{handle}/end", base_url=ORIGIN)
    assert done.data == b"ended"
    assert done.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert browser.here.store.tokens(handle) is None
    assert browser.client.post(f"/l/{handle}/end", base_url=ORIGIN).status_code == 404


def test_another_users_launch_ends_the_first_ones(browser: Browser) -> None:
    browser.launch()
    first = browser.client.get_cookie(BROWSER_COOKIE, domain="priors.test")
    browser.here.ehr.claims = {"sub": "dr-other"}
    browser.launch()
    second = browser.client.get_cookie(BROWSER_COOKIE, domain="priors.test")
    assert first is not None
    assert second is not None
    assert first.value != second.value
    assert browser.here.store.find(browser.opened[0].handle, first.value) is None
    assert browser.here.store.find(browser.opened[1].handle, second.value)


def test_jwks(browser: Browser) -> None:
    answer = browser.get("/jwks.json")
    assert answer.json == {"keys": []}
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
