"""The same search against a real Orthanc: what it holds of the patient, and nothing of anybody else."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from smart_app.archives.probing import Prober
from smart_app.archives.qido import Qido
from smart_app.archives.registry import Archives
from smart_app.archives.types import PatientId, SourceState
from smart_app.config_archives import Archive
from tests import peers
from tests.unit.archives.scripted import outbound_to

ROOT = "2.25.7701"


def instance(study: int, patient: str, *, issuer: str | None = None, number: int = 1) -> bytes:
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", f"{ROOT}.{study}.1.{number}"
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID = f"{ROOT}.{study}", f"{ROOT}.{study}.1"
    made.PatientID, made.PatientName = patient, "Müller^Ann"
    if issuer:
        made.IssuerOfPatientID = issuer
    made.StudyDate, made.StudyTime, made.Modality, made.StudyDescription = "20260112", "085200", "CT", "Schädel"
    made.SeriesNumber, made.BodyPartExamined = 3, "HEAD"
    stored = io.BytesIO()
    made.save_as(stored, enforce_file_format=True)
    return stored.getvalue()


def test_orthanc_holds_our_patients_studies_and_no_others_get_through(orthanc_url: str) -> None:
    ours = [instance(1, "Q-9"), instance(1, "Q-9", number=2), instance(2, "Q-9", issuer="KESTREL")]
    peers.store(orthanc_url, [*ours, instance(3, "Q-9", issuer="OTHER"), instance(4, "Q-90")])
    made = Archive(key="kestrel", name="K", dicomweb=orthanc_url, patient_id_issuer="KESTREL", identifier_systems=("k",), limits={"page_size": 2})
    (archive,) = Archives([made], read_secret=lambda ref: "")
    qido = Qido(outbound_to(archive_kestrel=orthanc_url), lambda: datetime.now(UTC))

    answer = qido.studies(archive, (PatientId("Q-9", "KESTREL"),), None, 10)
    studies = {record.uid: record for record in answer.studies}
    assert set(studies) == {f"{ROOT}.1", f"{ROOT}.2"}
    assert answer.withheld_studies == (f"{ROOT}.3",)
    assert answer.state is SourceState.PARTIAL
    first = studies[f"{ROOT}.1"]
    assert (first.description, first.date, first.time, first.image_count, first.modalities) == ("Schädel", "2026-01-12", "08:52", 2, ("CT",))
    assert answer.notes == ()

    (series,) = qido.series(archive, f"{ROOT}.1", None, 10)
    assert (series.uid, series.number, series.modality, series.image_count) == (f"{ROOT}.1.1", 3, "CT", 2)
    assert qido.studies(archive, (PatientId("nobody", "KESTREL"),), None, 10).state is SourceState.EMPTY


def test_orthanc_is_recognised_by_what_it_says_and_does(orthanc_url: str) -> None:
    peers.store(orthanc_url, [instance(9, "Q-77"), instance(9, "Q-77", number=2)])
    made = Archive(key="kestrel", name="K", dicomweb=orthanc_url, patient_id_issuer="KESTREL", identifier_systems=("k",), dialect="orthanc")
    (archive,) = Archives([made], read_secret=lambda ref: "")
    found = Prober(outbound_to(archive_kestrel=orthanc_url), archive).probe(f"{ROOT}.9")
    assert found is not None
    assert (found.dialect, found.empty_answer, found.asked_study) == ("orthanc", "[]", True)
    assert dict(found.differs) == {}, "the table says what it does"
