"""The round trip over pydicom's own samples: coerced, and nothing but what should be is other; the received bytes are as they came."""

from __future__ import annotations

import errno
import hashlib
import warnings
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.data import data_manager

from smart_app.archives.types import PatientId
from smart_app.image_requests.types import Patient
from smart_app.intake import coercion
from smart_app.intake.coercion import CannotCoerce, change_for, coerce, identity, shown, substance
from tests.unit.intake.hospital import made

AT = datetime(2026, 11, 24, 9, 12, tzinfo=UTC)
PATIENT = Patient("northgate", "p1", "OKONJO, Grace Adaeze", "OKONJO", "Grace Adaeze", "1966-10-30", "Female", "40018334")
OURS = PatientId("40018334", "NORTHGATE")
CHANGE = change_for(PATIENT, OURS, source="Lakeside Radiology", at=AT)


FOLDER = Path(data_manager.__file__).parent / "test_files"
MISLABELLED = "SC_rgb_jpeg.dcm"
"""Says that it is written explicitly, and is not."""


def samples() -> list[Path]:
    """Whole objects with file meta, as screening lets them through."""
    found = []
    for path in sorted(FOLDER.glob("*.dcm")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                dataset = dcmread(path, stop_before_pixels=True)
            except Exception:
                continue
        whole = path.read_bytes()[128:132] == b"DICM" and all(dataset.get(key) for key in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"))
        if whole and path.stat().st_size < 3_000_000 and path.name != MISLABELLED:
            found.append(path)
    return found


@pytest.mark.parametrize("path", samples(), ids=lambda path: path.name)
def test_a_coerced_object_is_ours_and_its_pixels_are_theirs(path: Path, tmp_path: Path) -> None:
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    first, again = tmp_path / "first", tmp_path / "again"
    written = coerce(path, first, CHANGE)
    assert coerce(path, again, CHANGE) == written, "the same change gives the same bytes"
    assert first.read_bytes() == again.read_bytes()
    assert (written.sha256, written.size) == (hashlib.sha256(first.read_bytes()).hexdigest(), first.stat().st_size)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before, "the received file is not touched"
    assert written.substance == substance(path) == substance(first)
    assert first.read_bytes()[:128] == bytes(128)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old, new = dcmread(path), dcmread(first)
        assert (str(new.PatientID), str(new.IssuerOfPatientID), str(new.PatientName), str(new.PatientBirthDate), str(new.PatientSex)) == (
            "40018334", "NORTHGATE", "OKONJO^Grace^Adaeze", "19661030", "F",
        )  # fmt: skip
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "InstitutionName", "AccessionNumber", "PixelData"):
            assert new.get(keyword) == old.get(keyword)
        original = new.OriginalAttributesSequence[-1]
        assert (original.ModifyingSystem, original.SourceOfPreviousValues, original.ReasonForTheAttributeModification) == ("PRIORS", "Lakeside Radiology", "COERCE")
        assert str(original.ModifiedAttributesSequence[0].get("PatientID") or "") == str(old.get("PatientID") or "")
        assert str(original.ModifiedAttributesSequence[0].get("PatientName") or "") == str(old.get("PatientName") or "")
        if old.get("PatientID"):
            assert str(old.PatientID) in [str(one.PatientID) for one in new.OtherPatientIDsSequence]
        assert new.ContributingEquipmentSequence[-1].PurposeOfReferenceCodeSequence[0].CodeValue == "MEDIM"
        untouched = {element.tag for element in old if int(element.tag) not in coercion.UNTOUCHED_BY and element.tag.element != 0}
        same = {tag for tag in untouched if tag in new and (old[tag].value == new[tag].value or str(old[tag].value) == str(new[tag].value))}
        assert same == untouched


def test_there_are_samples() -> None:
    assert len(samples()) > 60


def test_identity_names_the_object(tmp_path: Path) -> None:
    path = next(one for one in samples() if one.name == "CT_small.dcm")
    coerce(path, tmp_path / "ours", CHANGE)
    before, after = identity(path), identity(tmp_path / "ours")
    assert after.patient_id == OURS
    assert (before.study, before.series, before.instance, before.shape) == (after.study, after.series, after.instance, after.shape)


def test_text_that_its_character_set_cannot_hold_is_written_as_utf8(tmp_path: Path) -> None:
    path = next(one for one in samples() if one.name == "CT_small.dcm")
    patient = Patient("northgate", "p1", "山田, 太郎", "山田", "太郎", "1966-10-30", "Male")
    coerce(path, tmp_path / "ours", change_for(patient, OURS, source="Müller", at=AT))
    found = dcmread(tmp_path / "ours")
    assert str(found.PatientName) == "山田^太郎"
    assert found.SpecificCharacterSet == "ISO_IR 192"
    assert found.OriginalAttributesSequence[0].SourceOfPreviousValues == "Müller"


@pytest.mark.parametrize("number", ["", "1\\2", "1\n", "9" * 65])
def test_a_number_that_does_not_fit_is_refused(number: str) -> None:
    with pytest.raises(CannotCoerce):
        change_for(PATIENT, PatientId(number, "NORTHGATE"), source="", at=AT)


def test_what_is_no_dicom_or_lies_about_its_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotCoerce):
        coerce(FOLDER / MISLABELLED, tmp_path / "out", CHANGE)
    (tmp_path / "page").write_bytes(b"<html>" * 100)
    with pytest.raises(CannotCoerce):
        coerce(tmp_path / "page", tmp_path / "out", CHANGE)


def test_the_page_says_what_changes_and_nothing_else() -> None:
    said = {"PatientID": "LK 5520713", "PatientName": "OKONJO^GRACE^A", "PatientBirthDate": "19661030", "PatientSex": "F"}
    assert [(one.field, one.before, one.after) for one in shown(CHANGE, said)] == [
        ("Name", "OKONJO^GRACE^A", "OKONJO^Grace^Adaeze"), ("Patient ID", "LK 5520713", "40018334"), ("Issuer", "", "NORTHGATE"),
    ]  # fmt: skip


@pytest.mark.parametrize("where", ["dcmread", "save_as"])
def test_a_disk_that_fails_is_never_the_objects_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """"Its header cannot be rewritten" would leave the study out for good: a full disk is waited for."""
    source = tmp_path / "theirs"
    source.write_bytes(made())

    def failing(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(*((coercion, "dcmread") if where == "dcmread" else ("pydicom.dataset.Dataset.save_as",)), failing)
    with pytest.raises(OSError, match="no space"):
        coerce(source, tmp_path / "ours", CHANGE)
