"""What a partner's word does to a request, as tables: never more than it says, and odd forms cost themselves."""

from __future__ import annotations

from typing import Any

import pytest

from smart_app.fhir_api.changes import RefusedChange, from_patch, from_put, version_of
from smart_app.fhir_api.queries import BadQuery, cursor, parse
from smart_app.fhir_api.reading import MAX_REASON, Said, move, said, stands
from smart_app.fhir_api.scopes import allows, granted, is_meaningful, rights
from smart_app.image_requests.types import State
from smart_app.image_requests.workflow import Act

S = State
AFTER: dict[str, dict[State, Act]] = {
    "received": {S.SENT: Act.OPEN},
    "accepted": {S.SENT: Act.ACCEPT, S.OPENED: Act.ACCEPT},
    "in-progress": {S.SENT: Act.ACCEPT, S.OPENED: Act.ACCEPT},
    **{word: {S.SENT: Act.DECLINE, S.OPENED: Act.DECLINE, S.ACCEPTED: Act.DECLINE} for word in ("rejected", "failed", "cancelled")},
    **{word: {} for word in ("draft", "requested", "ready", "on-hold", "completed")},
}


@pytest.mark.parametrize("status", list(AFTER))
def test_each_status_in_each_state(status: str) -> None:
    heard = said({"status": status})
    assert heard is not None
    assert {state: act for state in State if (act := move(state, heard)) is not None} == AFTER[status]
    assert not [state for state in State if move(state, heard) and stands(state, heard)]


@pytest.mark.parametrize("status", [None, "", "Accepted", "entered-in-error", "stored", 1, ["accepted"], {"code": "accepted"}])
def test_what_is_no_status_says_nothing(status: Any) -> None:
    assert said({"status": status}) is None


@pytest.mark.parametrize(("value", "reason"), [
    ({"text": " Not ours "}, "Not ours"), ({"coding": [{"code": "unknown", "display": "Unknown patient"}, {"code": "x"}]}, "Unknown patient, x"), ({"text": "x" * 900}, "x" * MAX_REASON),
    (None, ""), ("text", ""), ({"text": ["a"]}, ""), ({"text": "a\x00b\u202ec"}, "a b\u202ec"), ([{"text": "in a list"}], ""),
])  # fmt: skip
def test_reasons_are_read_and_bounded(value: Any, reason: str) -> None:
    assert said({"status": "rejected", "statusReason": value}) == Said("rejected", reason, Act.DECLINE)


def test_versions_and_bodies() -> None:
    assert [version_of(text) for text in ('W/"3"', '"3"', " W/\"12\" ", "3", "*", 'W/"3", W/"4"', "")] == [3, 3, 12, None, None, None, None]
    served = {"resourceType": "Task", "id": "RQ-1", "status": "requested", "description": "CT"}
    assert from_put(served | {"status": "accepted", "meta": {}, "lastModified": "2026"}, served).status == "accepted"
    assert from_patch([{"op": "add", "path": "/statusReason/text", "value": "no"}, {"op": "replace", "path": "/status", "value": "rejected"}], served) == Said("rejected", "no", Act.DECLINE)
    with pytest.raises(RefusedChange, match="these differ: description"):
        from_put(served | {"description": "MR"}, served)
    with pytest.raises(RefusedChange) as caught:
        from_put(served | {"<script>": 1}, served)
    assert "script" not in caught.value.words, "what a caller typed is not repeated"


def test_scopes() -> None:
    assert rights(["system/Task.rs", "system/Task.u", "patient/Task.r", "system/Observation.rs", "system/Task.sr", "system/Task.r?status=x", "launch"]) == {"Task": frozenset("rsu")}
    assert granted("system/*.read", ["system/Task.rus", "system/Patient.r"]) == ("system/Task.rs", "system/Patient.r")
    assert granted("system/Task.write system/Patient.cruds", ["system/Task.rs"]) == ()
    assert allows(["system/*.*"], "Task", "u")
    assert not allows(["system/*.read"], "Task", "u")
    assert [is_meaningful(scope) for scope in ("system/Task.r", "system/task.r", "system/Task.", "system/Task.c")] == [True, False, False, False]


def test_a_cursor_of_ours_is_read_back() -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=UTC)
    assert parse("Task", [("_cursor", cursor(at, "RQ-1"))], "n").after == (at, "RQ-1")
    with pytest.raises(BadQuery):
        parse("Task", [("_cursor", "MjAyNi0xMS0yNCBSUS0x")], "n")  # a time without a zone
    assert parse("Task", [("status", "requested"), ("status", "received")], "n").states == frozenset()
    assert parse("Task", [("_count", "100000")], "n").count == 100
