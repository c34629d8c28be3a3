"""What a launch is opened for: what fits is taken as it is, everything else is refused whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smart_app.doors.wishes import NotUnderstood, Wish, wants_more, wish_of

BASE = "https://ehr.example/fhir"


def test_a_chart_alone_wants_nothing_more() -> None:
    other = ({"reference": "ServiceRequest/7"}, {"canonical": "https://x"}, {})
    assert wish_of(other, None, None, BASE) is None
    assert not wants_more(other, None, None)


@pytest.mark.parametrize("reference", ["ImagingStudy/123", f"{BASE}/ImagingStudy/123"])
def test_a_study_in_view_is_named_by_its_resource(reference: str) -> None:
    context = ({"reference": "ServiceRequest/7"}, {"reference": reference})
    assert wish_of(context, None, None, BASE + "/") == Wish(resource="123")
    assert wants_more(context, None, None)


@pytest.mark.parametrize(
    "item",
    [
        {"reference": "https://elsewhere.example/fhir/ImagingStudy/123"}, {"reference": "ImagingStudy/../Patient/1"}, {"reference": "ImagingStudy/"},
        {"type": "ImagingStudy", "identifier": {"value": "1.2"}}, {"type": "ImagingStudy", "reference": ["ImagingStudy/1"]}, {"reference": "Patient/ImagingStudy/1"},
    ],
)  # fmt: skip
def test_a_study_that_is_not_this_ehrs_is_not_understood(item: dict[str, Any]) -> None:
    assert wants_more((item,), None, None)
    with pytest.raises(NotUnderstood):
        wish_of((item,), None, None, BASE)


def test_a_card_or_task_names_a_study_or_a_request() -> None:
    assert wish_of((), '{"study": "1.2.840.1"}', None, BASE) == Wish(studies=("1.2.840.1",))
    assert wish_of((), '{"request": "RQ-7Q2M4TKX"}', None, BASE) == Wish(request="RQ-7Q2M4TKX")


@pytest.mark.parametrize(
    "text",
    [
        "", "null", "[]", "1.2.3", '{"study": "1.2.3", "request": "RQ-7Q2M4TKX"}', '{"study": "1.2/../../x"}', '{"study": ["1.2"]}', '{"study": null}',
        '{"request": "../home"}', '{"request": "RQ-<script>"}', '{"url": "https://evil.example"}', "[" * 4000, '{"study": "' + "1." * 200 + '1"}', '{"study": "1.2"}x',
    ],
)  # fmt: skip
def test_anything_else_from_a_card_is_not_understood(text: str) -> None:
    with pytest.raises(NotUnderstood):
        wish_of((), text, None, BASE)


def test_what_a_person_asked_for_outranks_what_the_ehr_had_in_view() -> None:
    asked = Wish(studies=("1.2", "1.3"), modalities=("CT",), newest=2)
    context = ({"reference": "ImagingStudy/123"},)
    assert wish_of(context, '{"study": "1.9"}', asked.kept(), BASE) == asked
    assert wish_of(context, '{"study": "1.9"}', None, BASE) == Wish(studies=("1.9",))
    assert json.loads(asked.kept()) == {"studies": ["1.2", "1.3"], "modalities": ["CT"], "newest": 2}
