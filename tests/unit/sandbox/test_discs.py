"""Discs are what a reader of discs expects, and hold whom they should."""

from __future__ import annotations

import zipfile
from datetime import date
from pathlib import Path

import pydicom

from sandbox import discs

TODAY = date(2026, 5, 21)


def test_a_disc_holds_its_people_a_directory_and_a_viewer(tmp_path: Path) -> None:
    made = discs.make(tmp_path, small=True, today=TODAY)
    people = {}
    for name, folder in made.items():
        listed = pydicom.dcmread(folder / "DICOMDIR")
        files = [record.ReferencedFileID for record in listed.DirectoryRecordSequence if record.DirectoryRecordType == "IMAGE"]
        read = [pydicom.dcmread(folder.joinpath(*path)) for path in files]
        people[name] = {(str(ds.PatientName), ds.PatientID, ds.PatientBirthDate) for ds in read}
        assert {ds.StudyDate for ds in read} == {"20260521"}
        assert (folder / "VIEWER" / "START.EXE").read_bytes().startswith(b"MZ")
        with zipfile.ZipFile(folder.with_suffix(".zip")) as packed:
            assert len(packed.namelist()) == len(files) + 1 + len(discs.PROGRAMS)
    rosalind = ("MARCHETTI^Rosalind^Jane", "SB-118204", "19510809")
    assert people == {"stbrannoc-perfusion": {rosalind}, "stbrannoc-two-people": {rosalind, ("MARCHETTI^ROBERT", "SB-990731", "19490202")}}
