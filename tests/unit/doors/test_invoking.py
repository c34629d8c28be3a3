"""IHE Invoke Image Display: the profile's names in any case, one key, and nothing that could be read in two ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.doors.invoking import Unusable, invoked
from smart_app.doors.wishes import Wish


def test_a_study_by_uid_or_by_accession_number() -> None:
    assert invoked([("requestType", "STUDY"), ("studyUID", "1.2.3")]) == Wish(studies=("1.2.3",))
    assert invoked([("REQUESTTYPE", "study"), ("studyuid", "1.2.3, 1.2.4,1.2.3"), ("viewerType", "IHE_BIR")]) == Wish(studies=("1.2.3", "1.2.4"))
    assert invoked([("RequestType", "STUDY"), ("AccessionNumber", "NG-44/1")]) == Wish(accession="NG-44/1")


def test_a_patient_with_what_narrows_the_list() -> None:
    pairs = [
        ("requestType", "PATIENT"), ("patientID", "99998410^^^AcmeHospital"), ("patientName", "ROSS^LIZA"), ("modalitiesInStudy", "ct,MR"),
        ("lowerDateTime", "20240101120000"), ("UPPERDATETIME", "2026-02-03T10:00:00+01:00"), ("mostRecentResults", "3"), ("keyImagesOnly", "true"),
    ]  # fmt: skip
    assert invoked(pairs) == Wish(patient="99998410", authority="AcmeHospital", modalities=("CT", "MR"), since="2024-01-01", until="2026-02-03", newest=3)
    assert invoked([("requestType", "PATIENT"), ("patientID", "7^^^NS&1.2.3&ISO")]).authority == "NS&1.2.3&ISO"


@pytest.mark.parametrize(
    "pairs",
    [
        [], [("requestType", "SERIES")], [("requestType", "STUDY")], [("requestType", "STUDY"), ("studyUID", "")],
        [("requestType", "STUDY"), ("studyUID", "1.2"), ("accessionNumber", "A")], [("requestType", "STUDY"), ("studyUID", "1.2"), ("STUDYUID", "1.3")],
        [("requestType", "STUDY"), ("studyUID", "1.2,../../home")], [("requestType", "STUDY"), ("studyUID", "1.2,")],
        [("requestType", "STUDY"), ("studyUID", ",".join(f"1.2.{n}" for n in range(21)))], [("requestType", "STUDY"), ("accessionNumber", "A" * 65)],
        [("requestType", "STUDY"), ("accessionNumber", "a\\b")], [("requestType", "STUDY"), ("accessionNumber", "a\x00b")],
        [("requestType", "PATIENT")], [("requestType", "PATIENT"), ("patientID", "^^^NS")], [("requestType", "PATIENT"), ("patientID", "<script>\n")],
        [("requestType", "PATIENT"), ("patientID", "1"), ("mostRecentResults", "0")], [("requestType", "PATIENT"), ("patientID", "1"), ("mostRecentResults", "-1")],
        [("requestType", "PATIENT"), ("patientID", "1"), ("mostRecentResults", "٣")], [("requestType", "PATIENT"), ("patientID", "1"), ("mostRecentResults", "9" * 5000)],
        [("requestType", "PATIENT"), ("patientID", "1"), ("lowerDateTime", "20261301")], [("requestType", "PATIENT"), ("patientID", "1"), ("lowerDateTime", "yesterday")],
        [("requestType", "PATIENT"), ("patientID", "1"), ("lowerDateTime", "20260102"), ("upperDateTime", "20260101")],
        [("requestType", "PATIENT"), ("patientID", "1"), ("modalitiesInStudy", "CT,<b>")], [("requestType", "PATIENT"), ("patientID", "1" * 3000)],
    ],
)  # fmt: skip
def test_what_breaks_the_profile_is_refused_in_words(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(Unusable) as refused:
        invoked(pairs)
    assert str(refused.value).endswith(".")
    assert all(value not in str(refused.value) for _, value in pairs if len(value) > 10)


NAMES = st.sampled_from(["requestType", "STUDYUID", "accessionNumber", "patientID", "lowerDateTime", "mostRecentResults", "modalitiesInStudy", "x"])


@given(st.lists(st.tuples(NAMES, st.one_of(st.sampled_from(["STUDY", "PATIENT", "1.2", "CT", "3"]), st.text(max_size=80))), max_size=6))
def test_no_request_does_anything_but_be_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    try:
        wish = invoked(pairs)
    except Unusable:
        return
    assert bool(wish.studies) + bool(wish.accession) + bool(wish.patient) == 1
