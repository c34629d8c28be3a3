"""Demo objects are whole DICOM objects: right identity, right dates, and pixels a second decoder can read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest

from sandbox import images, world
from sandbox.archive import pixels
from sandbox.recipes.syntaxes import SYNTAXES
from tests.unit.sandbox.demo_images import HOME, TODAY, small_set


def _files(study_key: str, archive: str, number: int) -> list[Path]:
    return sorted((small_set()[archive] / study_key / str(number)).glob("*.dcm"))


def test_every_object_names_its_patient_issuer_and_study() -> None:
    folders = small_set()
    seen = 0
    for archive in (*world.ARCHIVES, *world.EXCHANGES):
        for path in folders[archive.key].rglob("*.dcm"):
            study = next(one for one in world.STUDIES if one.key == path.relative_to(folders[archive.key]).parts[0])
            ds = pydicom.dcmread(path, stop_before_pixels=True)
            assert ds.PatientID == world.patient_id(study, archive.key)
            assert ds.get("IssuerOfPatientID") == (archive.issuer if archive.writes_issuer else None)
            assert ds.StudyInstanceUID == study.uid
            assert ds.StudyDate == (study.day(TODAY).strftime("%Y%m%d") if study.day(TODAY) else "")
            seen += 1
    assert seen == sum(series.small * len(study.archives) for study in world.STUDIES for series in study.series if series.held)


@pytest.mark.parametrize("syntax", [key for key in SYNTAXES if key != "unknown"])
def test_each_encoding_shows_the_same_head(syntax: str) -> None:
    study = next(one for one in world.STUDIES if one.key == "formats-images")
    number = next(one.number for one in study.series if one.syntax == syntax)
    path = _files(study.key, "northgate", number)[0]
    ds = pixels.read(path)
    assert ds.file_meta.TransferSyntaxUID == SYNTAXES[syntax]
    frame = pixels.decoded_frame(ds, str(SYNTAXES[syntax]), 1).astype(float)
    plain = pydicom.dcmread(_files(study.key, "northgate", 2)[0]).pixel_array.astype(float)
    assert frame.shape == plain.shape
    assert np.corrcoef(frame.ravel(), plain.ravel())[0, 1] > 0.97


def test_names_survive_their_character_sets() -> None:
    japanese = pydicom.dcmread(_files("nakamura-us", "northgate", 1)[0], stop_before_pixels=True)
    chinese = pydicom.dcmread(_files("nakamura-zz", "stbrannoc", 1)[0], stop_before_pixels=True)
    latin = pydicom.dcmread(_files("nakamura-latin", "northgate", 1)[0], stop_before_pixels=True)
    assert japanese.PatientName.ideographic == "中村^健"
    assert list(japanese.SpecificCharacterSet) == ["", "ISO 2022 IR 87"]
    assert (chinese.SpecificCharacterSet, chinese.PatientName.ideographic, chinese.StudyDescription) == ("GB18030", "中村^健", "颈部检查")
    assert latin.StudyDescription == "Échographie cervicale, côté gauche"


def test_no_name_or_place_of_a_packaged_image_is_left() -> None:
    for path in (*_files("nakamura-mr", "kestrel", 1), *_files("parekh-echo", "northgate", 1), *_files("parekh-ecg", "northgate", 1)):
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        assert ds.InstitutionName in {one.organization for one in (*world.ARCHIVES, *world.EXCHANGES)}
        assert ds.Manufacturer == "Priors demo"
        assert "StationName" not in ds


def test_the_same_study_in_two_archives_has_the_same_pixels_and_other_numbers() -> None:
    here, there = (pydicom.dcmread(_files("holt-ct-nov", key, 3)[0]) for key in ("northgate", "kestrel"))
    assert here.SOPInstanceUID == there.SOPInstanceUID
    assert here.PixelData == there.PixelData
    assert (here.PatientID, there.PatientID) == ("40305118", "KC-10442")


def test_documents_point_at_images_that_exist() -> None:
    uids = {pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in _files("formats-documents", "northgate", 2)}
    key_object = pydicom.dcmread(_files("formats-documents", "northgate", 4)[0])
    state = pydicom.dcmread(_files("formats-documents", "northgate", 3)[0])
    assert {item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in key_object.ContentSequence} <= uids
    assert state.ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID in uids
    assert pydicom.dcmread(_files("formats-documents", "northgate", 6)[0]).EncapsulatedDocument.startswith(b"%PDF-1.4")


def test_a_second_build_touches_nothing() -> None:
    small_set()
    before = {path: path.stat().st_mtime_ns for path in HOME.rglob("*.dcm")}
    lines: list[str] = []
    images.build(HOME, small=True, today=TODAY, progress=lines.append)
    assert lines == []
    assert {path: path.stat().st_mtime_ns for path in HOME.rglob("*.dcm")} == before


def test_a_new_day_moves_the_dates_and_keeps_the_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep = ("formats-images", "formats-documents")
    monkeypatch.setattr(world, "STUDIES", tuple(one for one in world.STUDIES if one.key in keep))
    first = images.build(tmp_path, small=True, today=date(2026, 5, 21))
    paths = sorted(first["northgate"].rglob("*.dcm"))
    before = {path: pydicom.dcmread(path) for path in paths}
    pixels_before = {path: ds.get("PixelData") for path, ds in before.items()}
    lines: list[str] = []
    images.build(tmp_path, small=True, today=date(2026, 5, 23), progress=lines.append)
    assert lines == ["Demo images: moving dates to today"]
    for path in paths:
        after = pydicom.dcmread(path)
        moved = date.fromisoformat(f"{after.StudyDate[:4]}-{after.StudyDate[4:6]}-{after.StudyDate[6:]}")
        old = before[path].StudyDate
        assert (moved - date.fromisoformat(f"{old[:4]}-{old[4:6]}-{old[6:]}")).days == 2
        assert after.get("PixelData") == pixels_before[path]
        assert after.file_meta.TransferSyntaxUID == before[path].file_meta.TransferSyntaxUID
