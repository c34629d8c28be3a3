"""Who gets past: 401, 404, 403 as the authorization matrix says, every refusal recorded, nothing changed by a forgery."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from smart_app.access import public
from smart_app.web import UnmarkedRoutes, refuse_unmarked
from tests.unit.web.conftest import HANDLE, ORIGIN, OVER, STAFF, World

GOOD = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}


def _token(world: World, handle: str = HANDLE) -> str:
    return world.client().get(f"/l/{handle}/studies").text.split()[0]


def test_the_owner_gets_in_and_is_named(world: World) -> None:
    assert world.client().get(f"/l/{HANDLE}/studies").status_code == 200
    who = world.client().get(f"/l/{HANDLE}/who").json
    assert (who["subject"], who["address"], who["tenant"]) == ("dr-halloran", "192.0.2.7", "default")
    assert re.fullmatch(r"PR-[2-9A-Z]{6}", who["request_id"])
    assert re.fullmatch(r"[0-9a-f]{16}", who["launch"])
    assert world.audit.events == []


@pytest.mark.parametrize(
    ("path", "cookie", "status", "reason"),
    [
        (f"/l/{HANDLE}/studies", None, 401, "no-session"),
        (f"/l/{HANDLE}/studies", "browser-b", 404, "not-their-launch"),
        (f"/l/{'x' * 22}/studies", "browser-a", 404, "not-their-launch"),
        (f"/l/{OVER}/studies", "browser-a", 401, "session-ended"),
        (f"/l/{OVER}/studies", "browser-b", 404, "not-their-launch"),
        (f"/l/{STAFF}/studies", "browser-a", 404, "no-patient"),
        (f"/l/{STAFF}/audit", "browser-a", 200, None),
        (f"/l/{STAFF}/setup", "browser-a", 403, "role"),
        (f"/l/{HANDLE}/audit", "browser-a", 403, "role"),
        (f"/l/{HANDLE}/audit", None, 401, "no-session"),
        (f"/l/{HANDLE}/image/kestrel/1.2.404", "browser-a", 404, "not-held"),
        (f"/l/{HANDLE}/abort", "browser-a", 404, "not-found"),
    ],
)
def test_the_matrix(world: World, path: str, cookie: str | None, status: int, reason: str | None) -> None:
    response = world.client(cookie).get(path)
    assert response.status_code == status
    recorded = [(event.name, event.details["reason"]) for event in world.audit.events]
    assert recorded == ([("AccessDenied", reason)] if reason else [])


def test_a_foreign_launch_looks_like_none_at_all(world: World) -> None:
    def shown(path: str) -> str:
        return re.sub(r"PR-\w+", "REF", world.client("browser-b").get(path).text)

    assert shown(f"/l/{HANDLE}/studies") == shown(f"/l/{'x' * 22}/studies") == shown("/nowhere")


def test_roles_are_read_again_on_each_request(world: World) -> None:
    assert world.client().get(f"/l/{STAFF}/audit").status_code == 200
    from tests.unit.web.conftest import COOKIE, context

    world.launches.open[STAFF, COOKIE] = context(STAFF, None, ("staff",))
    assert world.client().get(f"/l/{STAFF}/audit").status_code == 403


def test_our_own_page_may_change_things(world: World) -> None:
    token = _token(world)
    by_header = world.client().post(f"/l/{HANDLE}/end", headers=GOOD | {"X-Priors-CSRF": token})
    by_form = world.client().post(f"/l/{HANDLE}/end", headers=GOOD, data={"csrf": token})
    plain_form = world.client().post(f"/l/{HANDLE}/end", headers=GOOD | {"Origin": "null"}, data={"csrf": token})
    assert [by_header.status_code, by_form.status_code, plain_form.status_code] == [200, 200, 200]
    assert world.done == [HANDLE] * 3


@pytest.mark.parametrize(
    ("headers", "use_token"),
    [
        (GOOD, False),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"}, True),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, True),
        ({"Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({}, True),
        ({"Origin": "https://priors.example.evil"}, True),
        ({"Origin": "http://priors.example"}, True),
    ],
)
def test_a_forgery_changes_nothing(world: World, headers: dict[str, str], use_token: bool) -> None:
    data = {"csrf": _token(world)} if use_token else {"csrf": "0" * 64}
    assert world.client().post(f"/l/{HANDLE}/end", headers=headers, data=data).status_code == 403
    assert world.done == []
    assert world.audit.events[-1].name == "AccessDenied"


def test_a_token_is_for_one_launch_in_one_browser(world: World) -> None:
    token = _token(world)
    assert world.client().post(f"/l/{STAFF}/end", headers=GOOD, data={"csrf": token}).status_code == 403
    world.launches.open[HANDLE, "browser-b"] = world.launches.open[HANDLE, "browser-a"]
    assert world.client("browser-b").post(f"/l/{HANDLE}/end", headers=GOOD, data={"csrf": token}).status_code == 403
    assert world.done == []


def test_public_forms_still_need_our_origin(world: World) -> None:
    assert world.client(None).post("/form", headers={"Origin": "https://evil.example"}).status_code == 403
    assert world.client(None).post("/form", headers=GOOD).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "priors.example:8080", "priors.example.", "PRIORS.example.evil"])
def test_another_host_name_is_not_served(world: World, host: str) -> None:
    response = world.client().get("/", headers={"Host": host})
    assert response.status_code == 400
    assert host not in response.text


def test_forwarded_headers_count_only_behind_trusted_proxies(world: World, bundle, keyring, tmp_path) -> None:
    from tests.unit.web.conftest import make_world, settings

    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "evil.example"}
    assert world.client().get(f"/l/{HANDLE}/who", headers=forged).json["address"] == "192.0.2.7"
    behind = make_world(bundle, keyring, tmp_path / "templates", settings(trusted_proxies=1))
    ours = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Host": "priors.example", "Host": "10.0.0.5:8700"}
    client = behind.client()
    client.set_cookie("__Host-ix", "browser-a", domain="10.0.0.5", secure=True)
    assert client.get(f"/l/{HANDLE}/who", headers=ours).json["address"] == "203.0.113.9"


@pytest.mark.parametrize("uid", ["1.2.x", "1..2", "1.2.", ".1", "1" * 65, "1.2%2f3", "..%2f1", "1.2%0d%0a", "%31.2;x"])
def test_what_is_no_uid_never_reaches_a_view(world: World, uid: str) -> None:
    assert world.client().get(f"/l/{HANDLE}/image/kestrel/{uid}").status_code == 404


def test_an_unmarked_route_stops_the_start(world: World) -> None:
    app = Flask("bare", static_folder=None)
    app.add_url_rule("/open", view_func=public(lambda: "x"), endpoint="open")
    refuse_unmarked(app)
    app.add_url_rule("/forgotten", view_func=lambda: "x", endpoint="forgotten")
    with pytest.raises(UnmarkedRoutes, match="forgotten"):
        refuse_unmarked(app)
