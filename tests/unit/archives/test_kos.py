"""smart_app.archives.kos: a manifest is read as pydicom wrote it, and a hostile one is refused, quickly and without a word of what it held."""

from __future__ import annotations

import io
import random
import warnings
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from smart_app.archives.kos import KOS_CLASS, MAX_BYTES, MAX_ITEMS, NotManifest, kos_from


def series(uid: str, count: int, url: str = "https://images.example/rs/studies/2.25.1/series/2.25.11") -> Dataset:
    ds = Dataset()
    ds.SeriesInstanceUID, ds.Modality, ds.RetrieveURL, ds.RetrieveLocationUID = uid, "CT", url, "1.2.3"
    ds.ReferencedSOPSequence = []
    for number in range(count):
        one = Dataset()
        one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", f"{uid}.{number}"
        ds.ReferencedSOPSequence.append(one)
    return ds


def manifest(change: Callable[[Dataset], None] | None = None, syntax: Any = ExplicitVRLittleEndian, **fields: Any) -> bytes:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID, ds.StudyInstanceUID, ds.SeriesInstanceUID = KOS_CLASS, "2.25.9", "2.25.1", "2.25.8"
    ds.PatientID, ds.IssuerOfPatientID, ds.PatientBirthDate, ds.PatientSex, ds.PatientName = "LM-1", "LARK", "19510809", "F", "Marchetti^Rosalind"
    ds.StudyDate, ds.StudyTime, ds.AccessionNumber, ds.StudyDescription, ds.Modality = "20260112", "0852", "A1", "CT head", "KO"
    evidence = Dataset()
    evidence.StudyInstanceUID = "2.25.1"
    evidence.ReferencedSeriesSequence = [series("2.25.11", 3), series("2.25.12", 2)]
    ds.CurrentRequestedProcedureEvidenceSequence = [evidence]
    for name, value in fields.items():
        setattr(ds, name, value)
    if change is not None:
        change(ds)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return out.getvalue()


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_it_is_read_as_it_was_written(syntax: Any) -> None:
    found = kos_from(manifest(syntax=syntax))
    assert (found.patient_id, found.issuer, found.born, found.sex) == ("LM-1", "LARK", "1951-08-09", "F")
    (study,) = found.studies
    assert (study.uid, study.date, study.time, study.accession, study.description) == ("2.25.1", "2026-01-12", "08:52", "A1", "CT head")
    assert [(one.uid, one.modality, one.location, len(one.instances)) for one in study.series] == [("2.25.11", "CT", "1.2.3", 3), ("2.25.12", "CT", "1.2.3", 2)]


def test_an_issuer_by_its_universal_id() -> None:
    def change(ds: Dataset) -> None:
        del ds.IssuerOfPatientID
        qualifier = Dataset()
        qualifier.UniversalEntityID, qualifier.UniversalEntityIDType = "1.2.40", "ISO"
        ds.IssuerOfPatientIDQualifiersSequence = [qualifier]

    assert kos_from(manifest(change)).issuer == "1.2.40"


def test_a_study_that_is_not_the_documents_own_has_none_of_its_facts() -> None:
    (study,) = kos_from(manifest(StudyInstanceUID="2.25.77")).studies
    assert (study.uid, study.date, study.accession) == ("2.25.1", None, None)


def empty(ds: Dataset) -> None:
    ds.CurrentRequestedProcedureEvidenceSequence = []


@pytest.mark.parametrize(
    "data",
    [
        b"", b"DICM", b"<html>", b"{}" * 100, manifest(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), manifest(PatientID=""), manifest(empty), manifest().replace(b"2.25.1", b"../../"),
        manifest(syntax=DeflatedExplicitVRLittleEndian), manifest(syntax=ExplicitVRBigEndian), manifest()[:200],
    ],
    ids=["nothing", "magic alone", "html", "json", "an image", "no patient", "no study", "paths as uids", "deflated", "big endian", "cut in the meta"],
)  # fmt: skip
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(NotManifest):
            kos_from(data)


def test_a_deflate_bomb_is_never_inflated() -> None:
    whole = manifest(syntax=DeflatedExplicitVRLittleEndian)
    begin = 144 + int.from_bytes(whole[140:144], "little")
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = whole[:begin] + squeeze.compress(b"\0" * 50_000_000) + squeeze.flush()
    assert len(bomb) < 100_000
    with pytest.raises(NotManifest, match="transfer syntax"):
        kos_from(bomb)


@pytest.mark.parametrize("data", [b"\0" * (MAX_BYTES + 1), b"\xfe\xff\x00\xe0\0\0\0\0" * (MAX_ITEMS + 1)], ids=["bytes", "items"])
def test_more_than_a_manifest_needs_is_refused_unread(data: bytes) -> None:
    with pytest.raises(NotManifest, match="too large"):
        kos_from(data)


def test_nesting_without_end_is_refused() -> None:
    whole = manifest()
    begin = 144 + int.from_bytes(whole[140:144], "little")
    deep = whole[:begin] + b"\x40\x00\x75\xa3SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" * 20_000
    with pytest.raises(NotManifest):
        kos_from(deep)


def without_lengths(ds: Dataset) -> None:
    evidence = ds["CurrentRequestedProcedureEvidenceSequence"]
    evidence.is_undefined_length = evidence.value[0].is_undefined_length_sequence_item = True
    listed = evidence.value[0]["ReferencedSeriesSequence"]
    listed.is_undefined_length = True
    for one in listed.value:
        one.is_undefined_length_sequence_item = one["ReferencedSOPSequence"].is_undefined_length = True


@pytest.mark.parametrize("change", [None, without_lengths])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_a_manifest_that_lost_its_end_never_counts_for_less(syntax: Any, change: Any) -> None:
    whole = manifest(change, syntax)
    assert sum(len(one.instances) for one in kos_from(whole).studies[0].series) == 5
    for cut in range(len(whole)):
        with pytest.raises(NotManifest):
            kos_from(whole[:cut])


def test_every_flipped_byte_is_a_manifest_or_a_refusal() -> None:
    whole, dice = manifest(), random.Random(5)
    for _ in range(400):
        spoiled = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            spoiled[dice.randrange(len(spoiled))] = dice.randrange(256)
        _survives(bytes(spoiled))


def _survives(data: bytes) -> None:
    with warnings.catch_warnings(), suppress(NotManifest):
        warnings.simplefilter("ignore")
        found = kos_from(data)
        assert found.patient_id
        assert all(one.instances for study in found.studies for one in study.series)
