"""Every unsafe route of both hosts, as the route map names them, against forged requests: none gets past the door, and nothing has changed. safety.md T7."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.routing import Rule

from launch.session import BROWSER_COOKIE
from smart_app.access import POLICY, Action, Role, action_of
from tests.attacks.arena import APP, FORM, PORTAL, Arena, Browser, Person, Said
from tests.functional.test_intake import HERS
from tests.unit.intake.hospital import made

SITE = {"Origin": APP, "Sec_Fetch_Site": "same-origin"}
FORGED: dict[str, tuple[str, dict[str, str]]] = {
    "no token": ("none", SITE),
    "token of another launch of this browser": ("sibling", SITE),
    "token of another browser": ("other", SITE),
    "token as JSON": ("json", SITE | {"Content_Type": "application/json"}),
    "token as plain text": ("field", SITE | {"Content_Type": "text/plain"}),
    "token in the address": ("address", SITE),
    "another site": ("good", {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"}),
    "another site, an old browser": ("good", {"Origin": "https://evil.example"}),
    "the senders' host": ("good", {"Origin": PORTAL, "Sec_Fetch_Site": "same-site"}),
    "our name with another port": ("good", {"Origin": "http://app.localhost:8001"}),
    "our name at the end of another": ("good", {"Origin": "http://evil-app.localhost:8000"}),
    "a sandboxed frame": ("good", {"Origin": "null"}),
    "a sandboxed frame of another site": ("good", {"Origin": "null", "Sec_Fetch_Site": "cross-site"}),
    "no origin, but a good referer": ("good", {"Referer": f"{APP}/l/x"}),
    "our origin, and the browser says cross-site": ("good", {"Origin": APP, "Sec_Fetch_Site": "cross-site"}),
    "typed in": ("good", {"Origin": APP, "Sec_Fetch_Site": "none"}),
}
"""How it is forged: which token, and what the browser says of where it comes from."""


@dataclass
class Targets:
    """Something for each route to hit, and who could hit it."""

    arena: Arena
    values: dict[str, Any]
    sender: Browser

    def owner(self, action: Action) -> Person:
        if action is Action.USE_BOARD:
            return self.arena.people["sato"]
        return self.arena.people["halloran" if POLICY[action] in (frozenset({Role.CLINICIAN}), POLICY[Action.END_LAUNCH]) else "grant"]


@pytest.fixture(scope="module")
def targets(here: Arena) -> Targets:
    request = here.desk.ask()
    here.desk.send(request, [made(number=number, **HERS) for number in (1, 2)])
    here.desk.work()
    (item,) = here.desk.listed("grant")
    sender = here.browser(here.link(request))
    sender.begin()
    sender.announce({"IM1": b"abc"})
    here.people["sato"] = here.person("sato")
    values = {"request_id": request, "id": request, "item": item, "action": "leave", "match": "m" * 32, "facility": "nowhere", "token": sender.token, "upload": sender.upload, "archive": "northgate", "study": "1.2.3", "case": "c" * 32}
    return Targets(here, values, sender)


def forge(targets: Targets, rule: Rule, method: str, how: str, headers: dict[str, str]) -> Said:
    arena = targets.arena
    action = action_of(arena.app.view_functions[rule.endpoint])
    owner = targets.owner(action or Action.END_LAUNCH)
    token = {"none": "", "sibling": arena.token(owner, "s" * 32), "other": arena.token(Person(owner.handle, "c" * 43))}.get(how, arena.token(owner))
    path = arena.path(rule, handle=owner.handle, **targets.values)
    fields = {"version": "1", "do": "cancel", "words": "forged", "reason": "forged", "remark": "forged, and long enough", "csrf": token if how in ("field", "sibling", "other") else ""}
    given = {"Cookie": f"{BROWSER_COOKIE}={owner.cookie}", "Content_Type": FORM} | headers
    body = json.dumps({"csrf": token}) if how == "json" else urlencode(fields)
    if how in ("good", "sibling", "other"):
        given["X_Priors_CSRF"] = token
    return arena.ask(method, f"{APP}{path}" + (f"?csrf={token}" if how == "address" else ""), body, **given)


def test_no_forged_request_reaches_a_page_of_staff_or_chart(targets: Targets) -> None:
    arena, before, denied = targets.arena, targets.arena.everything(), len(targets.arena.desk.world.audited("AccessDenied"))
    routes = [(rule, method) for rule, method in arena.unsafe(on_portal=False) if not rule.rule.startswith("/static")]
    assert len(routes) > 35, "the route map was not read"
    through = [
        (name, method, rule.rule, said.status)
        for rule, method in routes
        for name, (how, headers) in FORGED.items()
        if (said := forge(targets, rule, method, how, headers)).status != 403 or "did not come from a page of Priors" not in said.text
    ]
    assert through == []
    assert arena.everything() == before
    assert len(arena.desk.world.audited("AccessDenied")) == denied + len(routes) * len(FORGED), "each of them is on the record"


def test_the_same_requests_from_our_own_page_do_reach_it(targets: Targets) -> None:
    """Otherwise the test above could not fail."""
    refused = [
        (method, rule.rule)
        for rule, method in targets.arena.unsafe(on_portal=False)
        if rule.endpoint != "launch.end" and "did not come from a page" in forge(targets, rule, method, "good", SITE).text
    ]
    assert refused == []


def test_no_forged_request_reaches_a_page_for_senders(targets: Targets) -> None:
    arena, sender = targets.arena, targets.sender
    before, routes = arena.everything(), list(arena.unsafe(on_portal=True))
    assert len(routes) > 6
    origins: list[dict[str, str]] = [
        {}, {"Origin": "https://evil.example"}, {"Origin": APP}, {"Origin": APP, "Sec_Fetch_Site": "same-site"}, {"Origin": "null"}, {"Origin": "null", "Sec_Fetch_Site": "cross-site"},
        {"Origin": PORTAL, "Sec_Fetch_Site": "cross-site"}, {"Origin": f"{PORTAL}1"}, {"Referer": f"{PORTAL}/s/x"},
    ]  # fmt: skip
    good = {"answer": "accept", "kind": "site", "organization": "H", "person": "P", "email": "p@h.example", "about": "CT"}
    for rule, method in routes:
        path = f"{PORTAL}{arena.path(rule, **targets.values)}"
        for headers in origins:
            for body, kind in ((urlencode(good), FORM), ('{"files": [], "without": [1]}', "text/plain"), ("{}", "application/json")):
                said = arena.ask(method, path, body, Cookie=sender.cookie, Content_Type=kind, **headers)
                assert (said.status, "did not come from our page" in said.text) == (403, True), (method, rule.rule, headers)
    assert arena.everything() == before


@pytest.mark.parametrize("override", [{"X_HTTP_Method_Override": "POST"}, {"X_Method_Override": "POST"}])
def test_a_get_is_a_get_whatever_it_calls_itself(targets: Targets, override: dict[str, str]) -> None:
    arena, owner, before = targets.arena, targets.arena.people["grant"], targets.arena.everything()
    for rule, _ in arena.unsafe(on_portal=False):
        path = arena.path(rule, handle=owner.handle, **targets.values)
        said = arena.ask("GET", f"{APP}{path}?_method=POST&csrf={arena.token(owner)}", Cookie=f"{BROWSER_COOKIE}={owner.cookie}", **override)
        assert said.status in (200, 400, 403, 404, 405), (rule.rule, said.status)
    assert arena.everything() == before
