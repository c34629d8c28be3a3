"""An order that Priors wrote into a chart is read back as no evidence of a study, and as no reason why the chart is open."""

from __future__ import annotations

from typing import Any

from smart_app.fhir.evidence import pieces_of
from smart_app.fhir.exams import is_our_own
from smart_app.fhir_api import mapping
from tests.unit.fhir_api.test_mapping import PLACE, a_request


def test_our_own_orders_are_no_evidence_and_others_are() -> None:
    ours: dict[str, Any] = {"id": "o1", **mapping.order(a_request(), PLACE)}
    theirs = ours | {"code": {"text": "CT head"}}
    assert (is_our_own(ours), is_our_own(theirs)) == (True, False)
    assert pieces_of(ours, "https://ehr.example/fhir", lambda value: False) == ()
    assert len(pieces_of(theirs, "https://ehr.example/fhir", lambda value: False)) == 1
