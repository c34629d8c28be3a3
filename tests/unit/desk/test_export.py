"""The file for a spreadsheet, the directory's form and the words of failed work (`export`, `directory`, `attention`)."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from smart_app.desk.attention import WHAT, WHY, trouble
from smart_app.desk.directory import facility_of
from smart_app.desk.export import FORMULA, HEAD, as_csv, harmless
from smart_app.desk.forms import WrongForm
from smart_app.image_requests.types import ImageRequest, State
from smart_app.jobs.types import Stuck
from tests.unit.image_requests.test_service import KESTREL, NEW

NOW = datetime(2026, 5, 21, 9, 44, tzinfo=UTC)
ONE = ImageRequest("RQ-7Q2M4TKX", "t", State.SENT, 1, NEW, KESTREL, "T. Amsel", "T. Amsel", NOW, NOW, "Sent by T. Amsel")


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\u00a0=1", "\ufeff=1", "\u200b@x", "'=1", '"=1', "＝1", "\0=1"])
def test_no_cell_begins_a_formula(cell: str) -> None:
    assert harmless(cell).startswith("'")


@given(st.text(max_size=40))
def test_whatever_a_sender_writes_stays_one_cell_of_text(written: str) -> None:
    rows = list(csv.reader(io.StringIO(as_csv([replace(ONE, last=written)]).removeprefix("\ufeff"))))
    assert [len(row) for row in rows] == [len(HEAD)] * 2
    assert not rows[1][16].lstrip(" \u00a0\ufeff\u200b").startswith(FORMULA)


def test_a_file_that_does_not_hold_all_says_so() -> None:
    assert as_csv([ONE], 7).splitlines()[-1] == '"INCOMPLETE: 7 requests more are not in this file"'
    assert "INCOMPLETE" not in as_csv([ONE])


def test_plain_words_are_left_alone() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([ONE]).removeprefix("\ufeff"))))
    assert (rows[0]["Patient"], rows[0]["From"], rows[0]["State"]) == ("CANARY, Rosalind Jane", "Kestrel Valley", "Sent")


@given(st.lists(st.tuples(st.sampled_from(["name", "place", "phone", "kind", "address", "note", "is_active"]), st.text(max_size=60)), max_size=14))
def test_any_form_makes_a_whole_facility_or_says_what_to_change(pairs: list[tuple[str, str]]) -> None:
    made, problem = None, ""
    try:
        made = facility_of(MultiDict(pairs), None)
    except WrongForm as wrong:
        problem = str(wrong)
    if made is None:
        assert problem.startswith("Nothing was saved")
        return
    assert made.name
    assert not any(letter in way.address for way in made.routes for letter in "\r\n,;<>")


def test_a_known_facility_keeps_its_id() -> None:
    assert facility_of(MultiDict([("name", "Kestrel")]), KESTREL).id == KESTREL.id
    assert facility_of(MultiDict([("name", "Kestrel")]), None).id != facility_of(MultiDict([("name", "Kestrel")]), None).id


@pytest.mark.parametrize(("kind", "key", "reason", "about"), [
    ("dispatch", "RQ-7Q2M4TKX.3", "no-address", "RQ-7Q2M4TKX"), ("screen", "u-123", "ValueError", ""), ("new-kind", "RQ-7Q2M4TKX", "", "RQ-7Q2M4TKX"), ("tell", "RQ-7Q2M4TKX.3.4", "x", ""),
])  # fmt: skip
def test_failed_work_says_what_whose_side_what_next_and_a_reference(kind: str, key: str, reason: str, about: str) -> None:
    told = trouble(Stuck(kind, key, reason, 5, NOW))
    assert told.request == about
    assert all((told.what, told.why, told.next))
    assert key in told.reference
    for what, next in WHY.values():
        assert what.endswith(".")
        assert next.endswith(".")
    assert not any(what.endswith(".") for what in WHAT.values())
