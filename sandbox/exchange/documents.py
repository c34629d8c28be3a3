"""A document-sharing server (MHD) with imaging manifests: KOS and MADO documents that list what an archive of its own holds.

Names of its endpoints, for faults: search-Patient, search-DocumentReference, document, and those of its archive.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from sandbox.archive.app import ROOT, create_archive
from sandbox.archive.index import Index, Instance
from sandbox.exchange.fhir import PAYLOAD, WADO, People, Resource, answer, dated, outcome, searchset, today
from sandbox.faults import Faults, install
from sandbox.imaging_records import imaging_study
from sandbox.model import DemoArchive, DemoStudy, stable_uid

KOS_CLASS = "1.2.840.10008.5.1.4.1.1.88.59"
MADO = "urn:ihe:rad:MADO:fhir-manifest:2026"
LOCATION = "https://profiles.ihe.net/RAD/MADO/StructureDefinition/MadoRetrieveLocationUIDExtension"
DICOM, FHIR = "application/dicom", "application/fhir+json"


def create_document_server(folder: Path, base: str, *, archive: DemoArchive, faults: Faults) -> Flask:
    """A server at `base` (origin, no slash) over the pictures in `folder`, open to whoever reaches it."""
    service = _Service(base, archive, Index(folder))
    app = Flask(f"documents-{archive.key}", static_folder=None)
    install(app, faults, lambda: request.endpoint)
    app.add_url_rule("/", "about", lambda: Response(f"{archive.name}: FHIR at /fhir\n", mimetype="text/plain"))
    app.add_url_rule("/fhir/Patient", "search-Patient", service.patients)
    app.add_url_rule("/fhir/DocumentReference", "search-DocumentReference", service.references)
    app.add_url_rule("/fhir/Binary/<key>", "document", service.document)
    pixels, fhir = create_archive(folder, name=archive.name, faults=faults).wsgi_app, app.wsgi_app

    def both(environ: dict[str, Any], start: Callable[..., Any]) -> Any:
        return (pixels if environ["PATH_INFO"].startswith(ROOT + "/") else fhir)(environ, start)

    app.wsgi_app = both  # type: ignore[method-assign]
    return app


class _Service:
    def __init__(self, base: str, archive: DemoArchive, index: Index) -> None:
        self._base, self._archive, self._index = base, archive, index
        self._people = People(archive)

    def patients(self) -> Response:
        return searchset(f"{self._base}/fhir", self._people.by_identifier(request.args.get("identifier", "")))

    def references(self) -> Response:
        key = request.args.get("patient", "").rpartition("Patient/")[2]
        found = [self._reference(study, key) for study in self._people.studies(key)]
        return searchset(f"{self._base}/fhir", found)

    def document(self, key: str) -> Response:
        """`<patient key>.<study key>`: the manifest of one study."""
        person, _, study_key = key.partition(".")
        study = next((one for one in self._people.studies(person) if one.key == study_key), None)
        if study is None:
            return outcome(404, "not-found")
        return Response(self._kos(study), mimetype=DICOM) if study.chart_shape == "kos" else answer(self._bundle(study, person))

    def _reference(self, study: DemoStudy, key: str) -> Resource:
        kos = study.chart_shape == "kos"
        coding = {"system": "urn:oid:1.2.840.10008.2.6.1", "code": KOS_CLASS} if kos else {"code": MADO}
        return dated({
            "resourceType": "DocumentReference", "id": f"manifest-{study.key}", "status": "current", "subject": {"reference": f"Patient/{key}"},
            "type": {"coding": [{"system": "http://loinc.org", "code": "18748-4"}]}, "description": study.description,
            "content": [{
                "attachment": {"contentType": DICOM if kos else FHIR, "url": f"{self._base}/fhir/Binary/{key}.{study.key}"},
                "format": coding,
            }],
            "context": {"related": [{"identifier": {"system": "urn:dicom:uid", "value": f"urn:oid:{study.uid}"}}]},
        })  # fmt: skip

    def _instances(self, study: DemoStudy) -> dict[str, list[Instance]]:
        found: dict[str, list[Instance]] = {}
        for one in self._index.find(study.uid):
            found.setdefault(one.series, []).append(one)
        return found

    def _bundle(self, study: DemoStudy, key: str) -> Resource:
        held = self._instances(study)
        told = dated(imaging_study(study))
        told.pop("basedOn", None)
        for series in told["series"]:
            series["instance"] = [
                {"uid": one.uid, "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{one.header.SOPClassUID}"}} for one in held[series["uid"]]
            ]
            series["numberOfInstances"] = len(series["instance"])
            series["endpoint"] = [{"reference": "urn:uuid:wado"}]
        told |= {"subject": {"reference": f"Patient/{key}"}, "numberOfInstances": sum(len(one) for one in held.values())}
        del told["endpoint"]
        endpoint = {
            "resourceType": "Endpoint", "id": "wado", "status": "active", "connectionType": WADO, "payloadType": [PAYLOAD], "address": self._base + ROOT,
            "extension": [{"url": LOCATION, "valueOid": f"urn:oid:{stable_uid('location', self._archive.key)}"}],
        }  # fmt: skip
        composition = {"resourceType": "Composition", "id": "manifest", "status": "final", "type": {"text": "Imaging manifest"}, "date": today().isoformat(),
                       "title": "Manifest with Description", "subject": {"reference": f"Patient/{key}"}, "author": [{"display": self._archive.organization}]}  # fmt: skip
        entries = [("urn:uuid:composition", composition), (f"{self._base}/fhir/ImagingStudy/{study.key}", told),
                   (f"{self._base}/fhir/Patient/{key}", self._people.resource(key)), ("urn:uuid:wado", endpoint)]  # fmt: skip
        return {"resourceType": "Bundle", "type": "document", "entry": [{"fullUrl": url, "resource": one} for url, one in entries]}

    def _kos(self, study: DemoStudy) -> bytes:
        held = self._instances(study)
        first = next(iter(held.values()))[0].header
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = KOS_CLASS, stable_uid("manifest", study.key)
        ds.Modality, ds.StudyInstanceUID, ds.SeriesInstanceUID = "KO", study.uid, stable_uid("manifest-series", study.key)
        for name in ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber", "StudyDescription"):
            setattr(ds, name, first.get(name, ""))
        title = Dataset()
        title.CodeValue, title.CodingSchemeDesignator, title.CodeMeaning = "113030", "DCM", "Manifest"
        ds.ConceptNameCodeSequence = [title]
        evidence = Dataset()
        evidence.StudyInstanceUID = study.uid
        evidence.ReferencedSeriesSequence = [self._kos_series(uid, members) for uid, members in held.items()]
        ds.CurrentRequestedProcedureEvidenceSequence = [evidence]
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
        out = io.BytesIO()
        ds.save_as(out, enforce_file_format=True)
        return out.getvalue()

    def _kos_series(self, uid: str, members: list[Instance]) -> Dataset:
        series = Dataset()
        series.SeriesInstanceUID, series.Modality = uid, members[0].header.get("Modality", "OT")
        series.RetrieveURL = f"{self._base}{ROOT}/studies/{members[0].study}/series/{uid}"
        series.RetrieveLocationUID = stable_uid("location", self._archive.key)
        series.ReferencedSOPSequence = []
        for one in members:
            reference = Dataset()
            reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = one.header.SOPClassUID, one.uid
            series.ReferencedSOPSequence.append(reference)
        return series
