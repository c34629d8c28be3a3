"""What proves that a page is all, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from smart_app.archives.pages import Page, _Ahead, uid_in


def row(uid: str) -> dict[str, Any]:
    return {"0020000D": {"vr": "UI", "Value": [uid]}}


@pytest.mark.parametrize(
    ("first", "ahead", "proves"),
    [
        ("a", "", True), ("ab", "b", True), ("abc", "bc", True), ("abc", "ba", True),
        ("ab", "bc", False), ("ab", "ab", False), ("ab", "", False), ("abc", "c", False), ("ab", "x", False), ("a", "a", False),
    ],
)  # fmt: skip
def test_the_rest_of_the_first_page_and_nothing_else_is_the_proof(first: str, ahead: str, proves: bool) -> None:
    look = _Ahead()
    look.tell(Page([row(one) for one in ahead], warned=False))
    assert look.proves(set(first), len(first), 0) is proves


def test_a_warning_a_failure_a_nameless_row_and_silence_prove_nothing() -> None:
    warned, failed, nameless, silent = (_Ahead() for _ in range(4))
    warned.tell(Page([row("b")], warned=True))
    failed.tell(None)
    nameless.tell(Page([{}], warned=False))
    assert [look.proves({"a", "b"}, 2, 0) for look in (warned, failed, nameless, silent)] == [False] * 4


def test_a_first_page_with_a_nameless_row_is_not_proven_by_counting() -> None:
    look = _Ahead()
    look.tell(Page([row("b")], warned=False))
    assert look.proves({"b"}, 2, 0) is False


@pytest.mark.parametrize(
    ("given", "uid"),
    [
        (row("1.2"), "1.2"), (row("1.2") | {"0020000E": {"vr": "UI", "Value": ["1.2.3"]}}, "1.2.3"), ({}, ""), ("text", ""), (None, ""),
        ({"0020000D": {"Value": ["1", "2"]}}, ""), ({"0020000D": {"Value": [7]}}, ""), ({"0020000D": "1.2"}, ""),
    ],
)  # fmt: skip
def test_the_name_of_a_row(given: Any, uid: str) -> None:
    assert uid_in(given) == uid
