"""A row is kept only for equality of (id, issuer) with one asked for; whatever else it holds makes no difference."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.archives.records import Found, judge, usable
from smart_app.archives.registry import Archives
from smart_app.archives.types import PatientId
from smart_app.config_archives import Archive

(KESTREL,) = Archives(
    [Archive(key="kestrel", name="K", dicomweb="https://k.org/rs", patient_id_issuer="KESTREL", identifier_systems=("k",))], read_secret=lambda ref: ""
)
ASKED = (PatientId("77", "KESTREL"), PatientId("78", "KESTREL"))
values = st.sampled_from(["77", "78", "077", "77 ", " 77", "7", "", None, 77, 77.0, True, ["77"], {"Alphabetic": "77"}])
issuers = st.sampled_from(["KESTREL", "kestrel", "OTHER", "", None, 7, ["KESTREL"]])


@given(st.lists(st.tuples(st.sampled_from(["2.25.1", "2.25.2", "x", None]), values, issuers), max_size=8))
def test_only_the_patient_asked_for_is_kept(rows: list[tuple[Any, Any, Any]]) -> None:
    found = Found()
    for uid, patient, issuer in rows:
        judge({"0020000D": {"Value": [uid]}, "00100020": {"Value": [patient]}, "00100021": {"Value": [issuer]}}, KESTREL, ASKED, found)
    ours = {str(patient).strip(" ") for _, patient, _ in rows if isinstance(patient, str | int) and not isinstance(patient, bool)} & {"77", "78"}
    assert {record.patient_id.value for record in found.studies.values() if record.patient_id} <= ours
    assert not set(found.studies) & set(found.withheld)
    foreign = {uid for uid, patient, issuer in rows if uid in ("2.25.1", "2.25.2") and (patient not in ("77", "78", "77 ", " 77", 77) or issuer in ("kestrel", "OTHER", 7))}
    assert foreign <= set(found.withheld)


@pytest.mark.parametrize(("value", "good"), [("77", True), ("A-1^B", True), ("", False), ("7*", False), ("7?", False), ("7\\8", False), ("7\n", False), ("x" * 65, False), ("7\ufffd", False)])
def test_what_may_be_searched_with(value: str, good: bool) -> None:
    assert usable(value) is good


def test_a_label_of_the_archive_is_read() -> None:
    found = Found()
    row = {"0020000D": {"vr": "UI", "Value": ["2.25.1"]}, "00100020": {"vr": "LO", "Value": ["77"]}, "00403001": {"vr": "LO", "Value": ["Psy\\r", "V"]}}
    judge(row, KESTREL, ASKED, found)
    assert found.studies["2.25.1"].confidentiality == ("PSY", "R", "V")
