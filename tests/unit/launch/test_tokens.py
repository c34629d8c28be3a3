"""Token answers are read by allow-list: what is odd is named, and no token reaches an exception's text."""

from __future__ import annotations

from typing import Any

import pytest

from launch.errors import EhrFaulty, EhrMisconfigured, SignInRefused
from launch.tokens import ASSUMED_LIFETIME, LONGEST_LIFETIME, granted, lifetime_of, refusal

GOOD = {"token_type": "Bearer", "access_token": "abc", "expires_in": 300, "scope": "openid launch", "patient": "p1", "refresh_token": "r"}


@pytest.mark.parametrize(("sent", "seconds"), [(None, ASSUMED_LIFETIME), (300, 300), ("300", 300), (299.9, 299), (10**9, LONGEST_LIFETIME)])
def test_lifetimes(sent: Any, seconds: int) -> None:
    assert lifetime_of(sent) == seconds


@pytest.mark.parametrize("sent", [0, -1, "soon", True, [], {}, float("inf")])
def test_lifetimes_that_are_none(sent: Any) -> None:
    with pytest.raises(EhrMisconfigured) as caught:
        lifetime_of(sent)
    assert caught.value.detail == "expires_in"


def test_a_good_answer_keeps_its_context_apart_from_its_tokens() -> None:
    found = granted(GOOD)
    assert (found.access_token, found.refresh_token, found.scopes) == ("abc", "r", frozenset({"openid", "launch"}))
    assert found.facts["patient"] == "p1"
    assert "access_token" not in found.facts
    assert "abc" not in repr(found)


@pytest.mark.parametrize(
    ("field", "value"),
    [("token_type", "mac"), ("token_type", None), ("access_token", None), ("access_token", ""), ("access_token", "a b"), ("access_token", "a\nb"),
     ("access_token", "x" * 20_000), ("access_token", 5), ("refresh_token", "é"), ("scope", ["openid"])],
)  # fmt: skip
def test_odd_answers_are_named_and_not_repeated(field: str, value: Any) -> None:
    with pytest.raises(EhrMisconfigured) as caught:
        granted({**GOOD, field: value})
    assert caught.value.detail == field
    assert str(value or "#") not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "kind", "detail"),
    [("access_denied", SignInRefused, "access_denied"), ("<script>", SignInRefused, "unspecified"), (None, SignInRefused, "unspecified"),
     ("server_error", EhrFaulty, ""), ("temporarily_unavailable", EhrFaulty, "")],
)  # fmt: skip
def test_oauth_errors(error: Any, kind: type[Exception], detail: str) -> None:
    found = refusal(error)
    assert type(found) is kind
    assert found.detail == detail
