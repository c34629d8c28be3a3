"""Faults that need to know DICOM: rows of another patient, an object of another study, rows without an issuer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sandbox.archive.index import Index, Instance
from sandbox.faults import Fault


def spoil_rows(fault: Fault, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """QIDO rows as a wrong archive would send them. `fault.text`: the foreign patient id, or issuer after a `|`."""
    answer = list(rows)
    if fault.kind == "wrong-patient" and answer:
        foreign = copy.deepcopy(answer[0])
        value, _, issuer = (fault.text or "99999999").partition("|")
        foreign["00100020"] = {"vr": "LO", "Value": [value]}
        foreign["00100010"] = {"vr": "PN", "Value": [{"Alphabetic": "Somebody^Else"}]}
        foreign["0020000D"] = {"vr": "UI", "Value": ["2.25.4041"]}
        if issuer:
            foreign["00100021"] = {"vr": "LO", "Value": [issuer]}
        answer.insert(1, foreign)
    if fault.kind == "no-issuer":
        answer = [{tag: value for tag, value in row.items() if tag != "00100021"} for row in answer]
    return answer


def swap(found: Sequence[Instance], index: Index) -> list[Instance]:
    """The last object's file replaced by one of another study, under the asked-for UIDs: the archive mixed them up."""
    other = next((one for one in index if one.study != found[0].study and one.header.get("Rows")), None)
    if other is None:
        return list(found)
    return [*found[:-1], replace(found[-1], path=other.path, syntax=other.syntax, header=other.header)]
