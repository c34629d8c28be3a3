"""Addresses in metadata: only ours go out, only this archive's own are ever fetched, whatever the archive writes."""

import json

import pytest

from smart_app.archives.types import PatientId, Said
from smart_app.archives.wado import Place
from smart_app.sealing import Keyring
from smart_app.viewer.rewriting import BulkTokens, NotMetadata, Rewriter, entries, local_path, named

PLACE = Place("1.2", "1.2.3", "1.2.3.4")
OWN = "/studies/1.2/series/1.2.3/instances/1.2.3.4"
BASE = "https://pacs.example:8443/dicom-web"


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        (f"{BASE}{OWN}/bulk/7fe00010", f"{OWN}/bulk/7fe00010"),
        (f"{OWN[1:]}/bulk/1", None),
        ("bulk/7fe00010", f"{OWN}/bulk/7fe00010"),
        ("../../../../../../bulkdata/abc-1", "/bulkdata/abc-1"),
        (f"{BASE}/studies/9.9/series/9.9.1/instances/9.9.1.1/bulk/1", None),
        (f"{BASE}{OWN}5/bulk/1", None),
        (f"{BASE}/bulkdata/abc-1", "/bulkdata/abc-1"),
        (f"http://pacs.example/dicom-web{OWN}/bulk/1", f"{OWN}/bulk/1"),
        (f"https://10.0.0.1/dicom-web{OWN}/bulk/1", f"{OWN}/bulk/1"),
        ("https://10.0.0.1/dicom-web/bulkdata/abc-1", None),
        ("https://pacs.example:8443/other/bulkdata/abc-1", None),
        ("https://pacs.example:8443.evil/dicom-web/bulkdata/abc-1", None),
        ("https://pacs.example/dicom-web/bulkdata/abc-1", None),
        ("https://u:p@pacs.example:8443/dicom-web/bulkdata/abc-1", None),
        ("file:///etc/passwd", None),
        ("//evil/dicom-web/x", None),
        (f"{BASE}/bulkdata/../../admin", None),
        (f"{BASE}/bulkdata/%2e%2e/admin", None),
        (f"{BASE}/bulkdata/a?next=http://evil", None),
        (f"{BASE}/bulkdata/a#b", None),
        (f"{BASE}/bulkdata/{'a' * 2000}", None),
        (f"{BASE}//evil", None),
        (f"{BASE}/bulk\\data", None),
        ("http://[::1/dicom-web", None),
        ("", None),
    ],
)
def test_where_a_bulk_reference_leads(uri, path):
    assert local_path(uri, BASE, PLACE) == (path if uri != f"{OWN[1:]}/bulk/1" else f"{OWN}/{OWN[1:]}/bulk/1")


def rewritten(entry):
    tokens = BulkTokens(Keyring({"k": b"k" * 32}))
    Rewriter(tokens, "handle", "kestrel", BASE, "https://app.example/l/handle/dicomweb/kestrel").entry(entry, PLACE)
    return entry


def test_no_foreign_address_goes_out_at_any_depth():
    foreign = {"vr": "OB", "BulkDataURI": "https://evil/x"}
    own = {"vr": "OB", "BulkDataURI": f"{BASE}{OWN}/bulk/1"}
    deep = {"00081190": {"vr": "UR", "Value": ["https://evil/retrieve"]}, "00091001": foreign, "00091002": own}
    entry = {"00081190": {"vr": "UR", "Value": ["https://evil"]}, "00081115": {"vr": "SQ", "Value": [{"00081199": {"vr": "SQ", "Value": [deep, None]}}]}, "7FE00010": dict(own), "X": None}
    text = json.dumps(rewritten(entry))
    assert "evil" not in text
    assert "pacs.example" not in text
    assert text.count("/bulkdata/") == 2
    assert entry["00081190"]["Value"] == [f"https://app.example/l/handle/dicomweb/kestrel{OWN}"]


@pytest.mark.parametrize("uri", [None, 7, [], {"a": 1}])
def test_bulk_reference_that_is_no_text_is_dropped(uri):
    assert rewritten({"7FE00010": {"vr": "OW", "BulkDataURI": uri}}) == {"7FE00010": {"vr": "OW"}}


def test_token_is_for_one_launch_archive_instance_and_path():
    tokens = BulkTokens(Keyring({"k": b"k" * 32}))
    for path in (f"{OWN}/bulk/1", "/bulkdata/abc"):
        token = tokens.issue("h", "a", PLACE, path)
        assert tokens.path("h", "a", PLACE, token) == path
        assert tokens.path("g", "a", PLACE, token) is None
        assert tokens.path("h", "b", PLACE, token) is None
        assert tokens.path("h", "a", Place("1.2", "1.2.3", "1.2.3.5"), token) is None
        assert BulkTokens(Keyring({"k": b"j" * 32})).path("h", "a", PLACE, token) is None
        for at in range(0, len(token), 3):
            changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
            assert tokens.path("h", "a", PLACE, changed) in (None, path if changed == token else None)


@pytest.mark.parametrize("body", [b"", b"[]", b" [ ] ", b"\xef\xbb\xbf[]"])
def test_nothing_is_an_empty_answer(body):
    assert list(entries(body)) == []


@pytest.mark.parametrize("body", [b"{}", b"[", b"[1", b"[1,", b"[1 2]", b'["x]', b"<html>", b"[" * 200_000, b"null"])
def test_what_is_no_array_is_a_fault(body):
    with pytest.raises(NotMetadata):
        list(entries(body))


def test_entries_come_one_by_one_and_nan_is_nothing():
    assert list(entries('[{"a": NaN}, "ü",\n 3]'.encode())) == [{"a": None}, "ü", 3]


def entry(**values):
    tags = {"study": "0020000D", "series": "0020000E", "instance": "00080018", "patient": "00100020", "issuer": "00100021"}
    given = {"study": "1.2", "series": "1.2.3", "instance": "1.2.3.4", "patient": "P-1", **values}
    return {tags[key]: {"vr": "LO", "Value": [value]} for key, value in given.items()}


@pytest.mark.parametrize(
    ("values", "objection"),
    [
        ({}, None),
        ({"issuer": "urn:own"}, None),
        ({"patient": "P-1 "}, None),
        ({"issuer": "urn:other"}, "other patient"),
        ({"patient": "p-1"}, "other patient"),
        ({"patient": ""}, "names no patient"),
        ({"patient": None}, "names no patient"),
        ({"patient": {"Alphabetic": "P-1"}}, "names no patient"),
        ({"patient": "P\ufffd1"}, "names no patient"),
        ({"study": "1.3"}, "other study"),
        ({"series": "1.2.4"}, "other series"),
        ({"instance": "1.2.3.5"}, "other instance"),
        ({"study": ""}, "other study"),
    ],
)
def test_who_an_entry_is(values, objection):
    assert named(entry(**values), "urn:own").objection(PLACE, (PatientId("P-1", "urn:own"),)) == objection


def test_two_patient_ids_are_no_identity():
    both = {**entry(), "00100020": {"vr": "LO", "Value": ["P-1", "P-2"]}}
    assert named(both, "urn:own").objection(PLACE, (PatientId("P-1", "urn:own"),)) == "names no patient"


@pytest.mark.parametrize(
    ("birth", "sex", "objection"),
    [
        ("19510809", "F", None),
        ("1951.08.09", "f", None),
        (None, None, None),
        ("", "", None),
        ("19000101", "O", None),
        ("rubbish", "X", None),
        (["19510809", "19740405"], "F", None),
        ("19510908", "F", "other birth date"),
        ("19740405", None, "other birth date"),
        ("19510809", "M", "other sex"),
    ],
)
def test_who_an_entry_may_name_beside_the_number(birth, sex, objection):
    told = {**entry(), "00100030": {"vr": "DA", "Value": birth if isinstance(birth, list) else [birth]}, "00100040": {"vr": "CS", "Value": [sex]}}
    ours = (PatientId("P-1", "urn:own"),)
    assert named(told, "urn:own").objection(PLACE, ours, (Said("MARCHETTI", "1951-08-09", "Female"),)) == objection
    assert named(told, "urn:own").objection(PLACE, ours) is None


def test_a_confirmed_record_may_be_named_beside_the_chart():
    told = {**entry(), "00100030": {"vr": "DA", "Value": ["19510908"]}}
    both = (Said(None, "1951-08-09", "Female"), Said(None, "19510908", "F"))
    assert named(told, "urn:own").objection(PLACE, (PatientId("P-1", "urn:own"),), both) is None
    third = {**told, "00100030": {"vr": "DA", "Value": ["19740405"]}}
    assert named(third, "urn:own").objection(PLACE, (PatientId("P-1", "urn:own"),), both) == "other birth date"
