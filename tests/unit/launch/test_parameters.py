"""Queries of a launch or callback: each name once, bounded, printable."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from launch.errors import MissingParameter, SignInBroken
from launch.parameters import MAX_QUERY, required, single


def test_known_parameters_are_read_and_others_ignored() -> None:
    assert single(MultiDict([("iss", "https://x"), ("launch", "y"), ("evil", "\x00")]), b"") == {"iss": "https://x", "launch": "y"}


@pytest.mark.parametrize(
    "args", [[("iss", "a"), ("iss", "b")], [("iss", "a" * 3000)], [("state", "a\nb")], [("code", "a\x00")], [("b", "123456789")]]
)
def test_doubled_long_or_unreadable_parameters_are_refused(args: list[tuple[str, str]]) -> None:
    with pytest.raises(SignInBroken):
        single(MultiDict(args), b"")


def test_an_endless_query_is_refused_unread() -> None:
    with pytest.raises(SignInBroken):
        single(MultiDict(), b"x" * (MAX_QUERY + 1))


def test_what_is_missing_is_named() -> None:
    with pytest.raises(MissingParameter) as caught:
        required({"iss": "x", "launch": ""}, "iss", "launch")
    assert caught.value.detail == "launch"
