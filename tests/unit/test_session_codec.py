"""A launch as plain values and back: nothing is lost, and a row of the version before is still read."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

from launch.context import LaunchContext, User
from launch.session import TokenSet
from smart_app.session_codec import context_from, plain_context, plain_tokens, tokens_from

NOW = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
USER = User("https://ehr.example/fhir", "halloran", "Practitioner/7", "Halloran, M", {"sub": "halloran"})
CONTEXT = LaunchContext(
    "h" * 32, "northgate", "https://ehr.example/fhir", USER, "p1", "e1", frozenset({"patient/*.rs", "openid"}), NOW, NOW + timedelta(hours=8), "elsewhere",
    fhir_context=({"reference": "ImagingStudy/1"},), parent="b" * 32, by_backend=True, app_context='{"study": "1.2"}', sought="sealed", intent="view",
)  # fmt: skip


def test_every_field_of_a_launch_comes_back() -> None:
    back = context_from(json.loads(json.dumps(plain_context(CONTEXT))))
    assert back == CONTEXT
    unset = {field.name for field in fields(LaunchContext) if getattr(CONTEXT, field.name) == field.default}
    assert unset <= {"need_patient_banner", "smart_style_url"}, "a field that nobody sets here could be lost unseen"


def test_a_row_of_the_version_before_has_fewer_fields() -> None:
    older = {name: value for name, value in plain_context(CONTEXT).items() if name not in ("parent", "by_backend", "app_context", "sought")}
    assert context_from(older) == replace(CONTEXT, parent=None, by_backend=False, app_context=None, sought=None)


def test_tokens_come_back() -> None:
    tokens = TokenSet("a", NOW, refresh_token="r", token_endpoint="https://ehr.example/token", renew_at=NOW - timedelta(minutes=5))
    assert tokens_from(json.loads(json.dumps(plain_tokens(tokens)))) == tokens
