"""What a child may say that was taken over by a file: every answer is checked, value by value."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from smart_app.intake.answers import Begun, Ended, Fences, Nonsense, NoRoom, OutOfMemory, Verdict, parsed
from tests.unit.intake.test_fitness import header

PREFIX = "a" * 24
GOOD: dict[str, Any] = {"number": 0, "member": "IM1", "kind": "dicom", "reason": "", "size": 1300, "header": json.loads(json.dumps(asdict(header()))), "decodes": True, "made": None}


def said(**changed: Any) -> bytes:
    return json.dumps({**GOOD, **changed}).encode()


def test_what_an_honest_child_says() -> None:
    verdict = parsed(said(), PREFIX)

    assert isinstance(verdict, Verdict)
    assert verdict.header == header()
    assert parsed(b'{"at": 3, "member": "x"}', PREFIX) == Begun(3, "x")
    assert parsed(b'{"end": true, "bytes": 5, "files": -1, "tired": false}', PREFIX) == Ended(5, -1, False)
    assert parsed(b'{"fences": ["limits"]}', PREFIX) == Fences(("limits",))
    assert parsed(b'{"no_room": 28}', PREFIX) == NoRoom(28)
    assert parsed(b'{"out_of_memory": true}', PREFIX) == OutOfMemory()


@pytest.mark.parametrize(
    "changed",
    [
        {"number": -1}, {"number": True}, {"number": 1e9}, {"size": "1"}, {"size": 1 << 80}, {"kind": "virus"}, {"kind": ["dicom"]}, {"reason": "cut"}, {"reason": "nonesuch"},
        {"kind": "refused", "reason": ""}, {"kind": "refused", "reason": "cut", "made": f"{PREFIX}-0"}, {"header": None}, {"kind": "skipped", "reason": "text"}, {"decodes": "yes"}, {"decodes": 2},
        {"made": "../../etc/passwd"}, {"made": "/etc/passwd"}, {"made": f"{'b' * 24}-0"}, {"made": f"{PREFIX}-0/../x"}, {"made": f"{PREFIX}-0.dcm\n"}, {"made": [PREFIX]}, {"member": None}, {"member": "x" * 70_000},
    ],
)  # fmt: skip
def test_a_verdict_that_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(Nonsense):
        parsed(said(**changed), PREFIX)


@pytest.mark.parametrize(
    "changed",
    [
        {"study": "../x"}, {"instance": 7}, {"series": ""}, {"said": None}, {"said": {"name": 7, "birth_date": None, "sex": None}}, {"said": {"name": "A", "birth_date": "yesterday", "sex": None}},
        {"patient_id": "7"}, {"other_ids": [7]}, {"other_ids": [{"value": "1", "issuer": ""}] * 99}, {"frames": 0}, {"frames": "1"}, {"rows": 1.5}, {"position": [1, 2, float("nan")]}, {"position": [1] * 9},
        {"orientation": "x"}, {"slice_thickness": float("inf")}, {"burned_in": 3}, {"faults": ["Not A Word!"]}, {"faults": ["x"] * 99}, {"study_date": None}, {"more": 1},
    ],
)  # fmt: skip
def test_a_header_that_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(Nonsense):
        parsed(said(header={**GOOD["header"], **changed}), PREFIX)


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b"{", b'"x"', b"\xff\xfe", b"{}", b'{"end": true}', b'{"at": 1}', b'{"fences": 1}', b"[" * 100_000])
def test_lines_that_are_none(line: bytes) -> None:
    with pytest.raises(Nonsense):
        parsed(line, PREFIX)


def test_text_is_made_printable() -> None:
    verdict = parsed(said(member="a\x1b[2Jb\ud800"), PREFIX)

    assert isinstance(verdict, Verdict)
    assert verdict.member == "a [2Jb\ufffd"
