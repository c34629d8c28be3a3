"""smart_app.sources.manifest, smart_app.fhir.manifests and smart_app.fhir.endpoints: whose manifest it is, what it counts, and where it may be opened."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smart_app.archives.types import Answer, PatientId, SourceState
from smart_app.fhir.patient import Identifier
from smart_app.sources.manifest import manifest_source
from tests.unit.archives.scripted import Say
from tests.unit.archives.test_kos import manifest as kos
from tests.unit.archives.test_kos import series as kos_series
from tests.unit.sources.world import EXCHANGE_TOKEN, MRN, OWN, WADO, World, bundle, facts, world

LOCATION = "https://profiles.ihe.net/RAD/MADO/StructureDefinition/MadoRetrieveLocationUIDExtension"
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}


@pytest.fixture
def docs() -> Iterator[World]:
    with world(manifest_source, kind="manifests", locations=[{"uid": "1.2.40", "archive": "kestrel"}]) as made:
        yield made


def listed(number: int = 1, form: str = "kos", url: str = "Binary/b1", **changes: Any) -> dict[str, Any]:
    code = {"kos": "1.2.840.10008.5.1.4.1.1.88.59", "fhir": "urn:ihe:rad:MADO:fhir-manifest:2026", "pdf": "urn:ihe:iti:xds:2017:mimeTypeSufficient"}[form]
    return {
        "resourceType": "DocumentReference", "id": f"d{number}", "status": "current", "subject": {"reference": "Patient/x1"},
        "content": [{"attachment": {"contentType": "application/dicom", "url": url}, "format": {"code": code}}],
    } | changes  # fmt: skip


def holds(docs: World, document: bytes | dict[str, Any], *references: dict[str, Any]) -> Answer:
    """Ask while the server lists `references` (or one) that lead to `document`."""
    form = "kos" if isinstance(document, bytes) else "fhir"
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    docs.answers["DocumentReference"] = lambda asked: bundle(*(references or (listed(form=form),)))
    docs.answers["Binary"] = lambda asked: Say(200, body, {"Content-Type": "application/dicom"})
    return docs.ask()


def at(docs: World, path: str = "/rs/studies/2.25.1/series/2.25.11") -> Callable[[Any], None]:
    """Puts the KOS's series at that path of the exchange's own host."""

    def change(ds: Any) -> None:
        for one in ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence:
            one.RetrieveURL = f"{docs.server.base}{path}"

    return change


def mado(base: str, **changes: Any) -> dict[str, Any]:
    """A document Bundle; `changes` replace whole resources by type."""
    resources: dict[str, Any] = {
        "Composition": {"resourceType": "Composition", "subject": {"reference": "urn:uuid:p"}, "title": "Manifest with Description"},
        "ImagingStudy": {
            "resourceType": "ImagingStudy", "id": "s", "status": "available", "subject": {"reference": "urn:uuid:p"}, "started": "2026-01-12",
            "identifier": [{"system": "urn:dicom:uid", "value": "urn:oid:2.25.1"}], "modality": [{"code": "CT"}], "description": "CT head",
            "series": [
                {"uid": f"2.25.1{one}", "modality": {"code": "CT"}, "endpoint": [{"reference": "urn:uuid:e"}],
                 "instance": [{"uid": f"2.25.1{one}.{n}"} for n in range(3)]} for one in (1, 2)
            ],
        },
        "Patient": {"resourceType": "Patient", "id": "p", "birthDate": "1951-08-09", "gender": "female", "identifier": [{"system": OWN, "value": "LM-1"}]},
        "Endpoint": {"resourceType": "Endpoint", "id": "e", "status": "active", "connectionType": WADO, "address": f"{base}/rs",
                     "extension": [{"url": LOCATION, "valueOid": "urn:oid:1.2.40"}]},
    }  # fmt: skip
    names = {"Patient": "urn:uuid:p", "Endpoint": "urn:uuid:e"}
    resources |= changes
    return {"resourceType": "Bundle", "type": "document", "entry": [{"fullUrl": names.get(kind, f"urn:uuid:{kind}"), "resource": one} for kind, one in resources.items()]}


def test_a_kos_is_a_study_with_its_counts_and_its_place(docs: World) -> None:
    (record,) = holds(docs, kos(at(docs))).studies
    assert (record.uid, record.date, record.description, record.modalities) == ("2.25.1", "2026-01-12", "CT head", ("CT",))
    assert (record.series_count, record.image_count) == (2, 5)
    assert [(one.uid, one.image_count, len(one.instances)) for one in record.series] == [("2.25.11", 3, 3), ("2.25.12", 2, 2)]
    assert (record.archive, record.retrieve, record.open_base) == ("lark", f"{docs.server.base}/rs", True)
    assert record.claimed_ids == (PatientId("LM-1", "LARK"),)
    assert docs.exchange.place.at(record.retrieve, open_base=record.open_base).authorization() == {}


def test_a_fhir_document_is_the_same_study(docs: World) -> None:
    (record,) = holds(docs, mado(docs.server.base, Endpoint=mado(docs.server.base)["entry"][3]["resource"] | {"extension": []})).studies
    assert (record.uid, record.series_count, record.image_count, record.archive, record.retrieve) == ("2.25.1", 2, 6, "lark", f"{docs.server.base}/rs")
    assert record.series[0].instances == ("2.25.11.0", "2.25.11.1", "2.25.11.2")


def test_the_question_names_the_patient_there_and_the_formats(docs: World) -> None:
    holds(docs, kos(at(docs)))
    (asked,) = (one for one in docs.server.asked if one.path == "/fhir/DocumentReference")
    assert (asked.query["patient"], asked.query["status"]) == (["x1"], ["current"])
    (fetched,) = (one for one in docs.server.asked if one.path == "/fhir/Binary/b1")
    assert (fetched.headers["accept"], fetched.headers["authorization"]) == ("application/dicom", f"Bearer {EXCHANGE_TOKEN}")


@pytest.mark.parametrize(
    "wrong", [{"PatientID": "LM-2"}, {"IssuerOfPatientID": "OTHER"}, {"PatientBirthDate": "19510808"}, {"PatientSex": "M"}, {"PatientID": "4077"}]
)
def test_a_kos_of_another_patient_is_withheld(docs: World, wrong: dict[str, str]) -> None:
    answer = holds(docs, kos(at(docs), **wrong))
    assert (answer.studies, answer.withheld, answer.withheld_studies, answer.state) == ((), 1, ("2.25.1",), SourceState.PARTIAL)


def test_what_one_manifest_gives_to_another_patient_no_other_opens(docs: World) -> None:
    answers = iter([kos(at(docs)), kos(at(docs), PatientID="LM-2")])
    docs.answers["DocumentReference"] = lambda asked: bundle(listed(1), listed(2, url="Binary/b2"))
    docs.answers["Binary"] = lambda asked: Say(200, next(answers))
    assert docs.ask().studies == ()


@pytest.mark.parametrize(
    "person",
    [
        {"identifier": [{"system": OWN, "value": "LM-2"}]}, {"identifier": [{"system": OWN, "value": "LM-1"}, {"system": MRN, "value": "9"}]}, {"identifier": []},
        {"identifier": [{"system": "urn:other", "value": "LM-1"}]}, {"birthDate": "1951-08-08"}, {"gender": "male"},
    ],
    ids=["number", "one number of two", "no number", "namespace", "birth date", "sex"],
)
def test_a_fhir_document_of_another_patient_is_withheld(docs: World, person: dict[str, Any]) -> None:
    known = mado(docs.server.base)["entry"][2]["resource"]
    answer = holds(docs, mado(docs.server.base, Patient=known | person))
    assert (answer.studies, answer.withheld_studies, answer.state) == ((), ("2.25.1",), SourceState.PARTIAL)


@pytest.mark.parametrize("holder", ["ImagingStudy", "Composition"])
@pytest.mark.parametrize("subject", [None, {"reference": "Patient/other"}, {"reference": "urn:uuid:q"}, {"display": "Marchetti"}, "urn:uuid:p"])
def test_a_document_whose_subject_is_not_the_patient_in_it_cannot_be_read(docs: World, holder: str, subject: object) -> None:
    known = next(one["resource"] for one in mado(docs.server.base)["entry"] if one["resource"]["resourceType"] == holder)
    answer = holds(docs, mado(docs.server.base, **{holder: known | {"subject": subject}}))
    assert (answer.studies, answer.unreadable, answer.state) == ((), 1, SourceState.PARTIAL)


@pytest.mark.parametrize(
    "document",
    [
        b"<html>", b"", b"{}", b"[" * 100_000, b'{"resourceType": "Bundle", "entry": 7}', b'{"resourceType": "Bundle", "entry": [7, {"resource": 1}]}',
        b'{"resourceType": "Binary", "data": "!"}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["kos", "fhir"])
def test_a_broken_document_costs_itself_and_is_said(docs: World, form: str, document: bytes) -> None:
    good = kos(at(docs))
    docs.answers["DocumentReference"] = lambda asked: bundle(listed(1, form, "Binary/bad"), listed(2))
    docs.answers["Binary"] = lambda asked: Say(200, document if asked.path.endswith("bad") else good)
    answer = docs.ask()
    assert ([one.uid for one in answer.studies], answer.unreadable, answer.state) == (["2.25.1"], 1, SourceState.PARTIAL)


@pytest.mark.parametrize("said", [401, 403, 404, 500, 503])
def test_a_document_that_does_not_come_is_not_a_complete_answer(docs: World, said: int) -> None:
    docs.answers["DocumentReference"] = lambda asked: bundle(listed())
    docs.answers["Binary"] = lambda asked: Say(said)
    assert (docs.ask().state, docs.ask().unreadable) == (SourceState.PARTIAL, 1)


def test_a_document_elsewhere_is_not_asked_for(docs: World) -> None:
    answer = holds(docs, b"", listed(url=f"{docs.stranger.base}/fhir/Binary/b1"))
    assert (answer.state, answer.not_approved) == (SourceState.PARTIAL, (docs.stranger.base,))
    assert not docs.stranger.asked


def test_a_document_outside_the_base_but_approved_comes_without_the_credential(docs: World) -> None:
    docs.answers["docs"] = lambda asked: Say(200, kos(at(docs)))
    docs.answers["DocumentReference"] = lambda asked: bundle(listed(url=f"{docs.server.base}/open/docs/1"))
    assert [one.uid for one in docs.ask().studies] == ["2.25.1"]
    (asked,) = (one for one in docs.server.asked if one.path.startswith("/open/"))
    assert "authorization" not in asked.headers


def test_a_document_inside_its_reference_or_inside_a_binary_resource(docs: World) -> None:
    packed = base64.b64encode(kos(at(docs))).decode()
    inside = listed()
    inside["content"][0]["attachment"] = {"data": packed}
    assert [one.uid for one in holds(docs, b"", inside).studies] == ["2.25.1"]
    assert [one.uid for one in holds(docs, json.dumps({"resourceType": "Binary", "data": packed}).encode()).studies] == ["2.25.1"]


def test_other_documents_and_other_patients_references_are_passed_over(docs: World) -> None:
    answer = holds(
        docs, kos(at(docs)), listed(1, "pdf", "Binary/letter"), listed(2, subject={"reference": "Patient/x2"}), listed(3, status="superseded"),
        listed(4, subject={"reference": f"{docs.stranger.base}/fhir/Patient/x1"}),
    )  # fmt: skip
    assert (answer.studies, answer.withheld, answer.state) == ((), 2, SourceState.PARTIAL)
    assert not [one for one in docs.server.asked if "Binary" in one.path]


@pytest.mark.parametrize("address", ["http://notspecified", "http://notspecified/", "http://127.0.0.1:9/rs", ""])
def test_an_address_that_is_said_to_be_absent_is_looked_up_and_never_called(docs: World, address: str) -> None:
    absent = mado(docs.server.base)["entry"][3]["resource"] | {"address": address, "_address": ABSENT}
    (record,) = holds(docs, mado(docs.server.base, Endpoint=absent)).studies
    assert (record.archive, record.retrieve, record.claimed_ids) == ("kestrel", None, (PatientId("K-9", "KESTREL"),))


def test_an_unknown_location_without_an_address_is_listed_and_not_opened(docs: World) -> None:
    absent = mado(docs.server.base)["entry"][3]["resource"] | {"address": "http://notspecified", "extension": [{"url": LOCATION, "valueOid": "urn:oid:9.9"}]}
    answer = holds(docs, mado(docs.server.base, Endpoint=absent))
    assert (answer.studies[0].archive, answer.studies[0].unfetchable, answer.state) == (None, "no-location", SourceState.OK)


@pytest.mark.parametrize("url", ["https://evil.example/rs/studies/2.25.1", "file:///etc/passwd", "{base}@evil.example/rs"])
def test_a_place_that_is_not_approved_is_only_named(docs: World, url: str) -> None:
    def change(ds: Any) -> None:
        ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence = [kos_series("2.25.11", 3, url.format(base=docs.server.base))]

    answer = holds(docs, kos(change))
    assert (answer.studies[0].archive, answer.studies[0].unfetchable) == (None, "foreign-place")
    assert answer.state is SourceState.PARTIAL
    assert answer.not_approved


def test_a_configured_archive_by_its_address(docs: World) -> None:
    (record,) = holds(docs, kos(at(docs, "/kestrel/studies/2.25.1"))).studies
    assert (record.archive, record.retrieve, record.claimed_ids) == ("kestrel", None, (PatientId("K-9", "KESTREL"),))


def test_a_study_split_over_two_places_opens_where_most_is_and_counts_all(docs: World) -> None:
    def change(ds: Any) -> None:
        at(docs)(ds)
        ds.CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[1].RetrieveURL = "https://elsewhere.example/rs"

    opened, whole = holds(docs, kos(change)).studies
    assert (opened.archive, opened.image_count, opened.series_count) == ("lark", 3, 1)
    assert (whole.archive, whole.image_count, whole.series_count) == (None, 5, 2)


def test_without_a_certain_patient_no_document_is_asked_for(docs: World) -> None:
    holds(docs, kos(at(docs)))
    docs.server.asked.clear()
    docs.ask(facts(birth_date="1951-08-08"))
    assert {one.path for one in docs.server.asked} == {"/fhir/Patient"}
    assert docs.ask(facts(identifiers=(Identifier("urn:none", "1"),))).state is SourceState.NO_IDENTIFIER
