"""Each way a launch can fail has a page of its own; staff pages hold hostile values as text."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from launch import errors
from tests.unit.templates.rendering import HANDLE, HOSTILE, Page, launch, render
from tests.unit.templates.test_studies_pages import harmless

CODES = sorted({cls.code for cls in vars(errors).values() if isinstance(cls, type) and issubclass(cls, errors.LaunchError)})


def failure(code: str, **more: Any) -> Page:
    return render("launch/error.html", **{"code": code, "detail": "", "reference": "L-0B3F", "retry_url": None, "issuer_name": "", **more})


def words_of(found: Page) -> str:
    return " ".join(found.text.split())


def test_every_failure_has_words_of_its_own_and_the_reference() -> None:
    said = {code: words_of(failure(code)) for code in CODES}
    assert len(CODES) == 10
    assert len(set(said.values())) == len(CODES)
    for code, text in said.items():
        assert "Reference L-0B3F" in text, code
        assert not any(word in text.lower() for word in ("oops", "invalid", "something went wrong", "!", "please wait", "error 5")), code


@pytest.mark.parametrize("code", [*CODES, "a-code-of-tomorrow"])
@pytest.mark.parametrize("development", [False, True])
def test_hostile_details_stay_text(code: str, *, development: bool) -> None:
    found = render("launch/error.html", development=development, code=code, detail=HOSTILE, reference=HOSTILE, retry_url="/launch?iss=x", issuer_name=HOSTILE)
    harmless(found)


def test_an_unknown_issuer_is_named_so_that_it_can_be_registered() -> None:
    assert "https://ehr.example.org/fhir" in failure("unknown-issuer", detail="https://ehr.example.org/fhir").text


def test_blocked_cookies_lead_to_a_new_window_that_knows_nothing_of_this_one() -> None:
    found = failure("cookies-blocked", retry_url="/launch?iss=a&launch=b")
    link = next(one for one in found.all("a") if one.get("target"))
    assert (link["href"], link["target"], link["rel"]) == ("/launch?iss=a&launch=b", "_blank", "noopener")


def test_a_silent_ehr_can_be_asked_again_and_a_broken_sign_in_can_not() -> None:
    assert "Try again" in failure("ehr-silent", retry_url="/launch?x").text
    assert "Try again" not in failure("sign-in-broken", retry_url="/launch?x").text


@pytest.mark.parametrize(("template", "context"), [
    ("error.html", {"code": HOSTILE, "title": HOSTILE, "action": HOSTILE, "reference": HOSTILE, "retry_url": "/x", "detail": HOSTILE, "side": HOSTILE, "status": 500}),
    ("landing.html", {"ehrs": [SimpleNamespace(key="northgate", name=HOSTILE)]}),
    ("landing.html", {"ehrs": []}),
    ("home.html", {"issuer_name": HOSTILE, "roles": [HOSTILE], "links": [SimpleNamespace(href="/x", title=HOSTILE, about=HOSTILE)]}),
    ("home.html", {"issuer_name": "x", "roles": [], "links": []}),
    ("audit.html", {"query": {"patient": HOSTILE}, "records": [SimpleNamespace(id=HOSTILE, when="x", who=HOSTILE, what=HOSTILE, patient=HOSTILE, about=None, outcome=8)]}),
    ("audit.html", {"query": {}, "records": [], "asked": True}),
    ("setup.html", {"ehrs": [SimpleNamespace(name=HOSTILE, issuer=HOSTILE, launch_url=HOSTILE, redirect_uri=HOSTILE, jwks_url=HOSTILE, client_id=HOSTILE,
                                             client_auth="public", scopes=[HOSTILE], frame_ancestors=[])],
                    "archives": [SimpleNamespace(name=HOSTILE, organization=HOSTILE, origin=HOSTILE, patient_id_issuer=HOSTILE, identifier_systems=[HOSTILE],
                                                 local=True, supports=[])]}),
    ("setup.html", {"ehrs": [], "archives": []}),
])  # fmt: skip
def test_staff_and_error_pages_hold_hostile_values_as_text(template: str, context: dict[str, Any]) -> None:
    found = render(template, ctx=launch(expires_at=datetime(2026, 5, 21, 18, 0, tzinfo=UTC)), **context)
    harmless(found)
    assert len(found.all("h1")) == 1


def test_ending_the_session_carries_the_csrf_token() -> None:
    found = render("home.html", ctx=launch(expires_at=datetime(2026, 5, 21, tzinfo=UTC)), issuer_name="x", roles=[], links=[])
    form = next(one for one in found.all("form") if one.get("method") == "post")
    assert form["action"] == f"/l/{HANDLE}/end"
    assert {"type": "hidden", "name": "csrf", "value": "token"} in found.all("input")
