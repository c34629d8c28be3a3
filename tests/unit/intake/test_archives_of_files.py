"""A zip's running totals, as small as a test wants them; what is over them is refused, what came before is kept, and what is left is counted."""

from __future__ import annotations

from pathlib import Path

from smart_app.intake.archives_of_files import Budget
from smart_app.intake.examination import MADE, PIXELS
from smart_app.intake.reasons import REASONS
from smart_app.intake.sniffing import sniff
from tests.hostile import making
from tests.hostile.receiving import screened

MANY = {f"IM{number}": making.dicom(t00080018=("UI", f"1.2.{number}".encode())) for number in range(10)}


def test_the_total_of_bytes_holds_for_the_whole_upload(tmp_path: Path) -> None:
    size = len(MANY["IM0"])

    found = screened(tmp_path, {"1.zip": making.zipped(MANY), "2.zip": making.zipped({"late": making.dicom(t00080018=("UI", b"1.3"))})}, budget=Budget(bytes=size * 3 + 10))

    assert [one.reason for one in found] == ["", "", "", "", "zip-total", "zip-total", "", "zip-total"]
    assert found[5].member == "and 6 more files"
    assert sum(path.stat().st_size for path in (tmp_path / "workspace").iterdir()) == size * 3


def test_the_number_of_files_holds_too(tmp_path: Path) -> None:
    found = screened(tmp_path, {"1.zip": making.zipped(MANY)}, budget=Budget(files=4))

    assert [one.reason for one in found] == ["", "", "", "", "", "zip-count", "zip-count"]


def test_a_scanner_that_finds_something_is_heard_before_anything_is_read(tmp_path: Path) -> None:
    found = screened(tmp_path, {"a": making.dicom()}, scan=lambda path: "Eicar" if path.name == "0" else "")

    assert [(one.kind, one.reason) for one in found] == [("refused", "malware")]


def test_words_and_endings_are_what_others_rely_on() -> None:
    assert {"cut", "pixels-cut", "twice", "conflict", "program", "reader-ended"} <= set(REASONS)
    assert (MADE, PIXELS) == (".dcm", "pixels")
    assert sniff(b"", 0).reason == "empty"
