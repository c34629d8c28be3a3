"""Where a launch goes that wants something: only to what is this patient's, and otherwise to words."""

from __future__ import annotations

import pytest

from smart_app.doors.landing import SENTENCES, Landing, Named, Said, carries, landing_of
from smart_app.doors.wishes import Wish
from smart_app.fhir.patient import Identifier, PatientFacts

FACTS = PatientFacts(
    "p1", "MARCHETTI, Rosalind", "Marchetti", "Rosalind", "1951-08-09", "Female",
    (Identifier("urn:oid:1.2.3", "407"), Identifier("urn:kestrel", "K-9"), Identifier("urn:old", "OLD-1", use="old")), "407",
)  # fmt: skip


def land(wish: Wish, named: Named | None = None) -> Landing:
    return landing_of(wish, FACTS, lambda resource: named or Named(), lambda id: id == "RQ-MINE", lambda authority: {"KESTREL": ["urn:kestrel"]}.get(authority, []))


def test_a_study_is_only_named_to_the_list() -> None:
    assert land(Wish(studies=("1.2", "1.3"))) == Landing("studies/1.2", Said.ASKED)
    assert land(Wish(resource="9"), Named("1.7")) == Landing("studies/1.7", Said.ASKED)
    assert land(Wish(accession="A-1")) == Landing("studies", Said.ASKED)


@pytest.mark.parametrize("said", [Said.OTHER_PATIENT, Said.NOT_THERE, Said.REFUSED, Said.UNREAD])
def test_what_the_ehr_does_not_give_opens_nothing_and_is_said(said: Said) -> None:
    assert land(Wish(resource="9"), Named(said=said)) == Landing("studies", said)
    assert "opened" in SENTENCES[said]


def test_a_request_of_another_chart_is_not_opened() -> None:
    assert land(Wish(request="RQ-MINE")).path == "requests/RQ-MINE"
    assert land(Wish(request="RQ-THEIRS")) == Landing("studies", Said.NO_REQUEST)


@pytest.mark.parametrize(
    ("number", "authority", "fits"),
    [("407", "", True), ("K-9", "", False), ("K-9", "KESTREL", True), ("407", "NS&1.2.3&ISO", True), ("407", "KESTREL", False), ("OLD-1", "urn:old", False), ("9", "", False)],
)
def test_a_patient_number_counts_only_with_who_gave_it(number: str, authority: str, *, fits: bool) -> None:
    wish = Wish(patient=number, authority=authority)
    assert carries(FACTS, number, authority, lambda one: {"KESTREL": ["urn:kestrel"]}.get(one, [])) is fits
    assert land(wish) == (Landing("studies", Said.ASKED) if fits else Landing("elsewhere", Said.OTHER_NUMBER))
