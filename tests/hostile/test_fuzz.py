"""Damaged inputs by the thousand: none stops the parent, none goes unanswered, none takes longer than a file may (safety.md G1).

The whole number runs by `make fuzz`; the ordinary suite takes a seeded share. An input that fails is named by its number:
`mutated(seeds(), N)` makes it again.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from smart_app.intake import fence
from smart_app.intake.reader_process import ReaderProcess
from smart_app.intake.reasons import REASONS
from smart_app.intake.screening import Screening
from smart_app.intake.types import Kind
from tests.hostile import corpus
from tests.hostile.mutation import mutated
from tests.hostile.receiving import upload_of, workspace_in

SHARE = 2_000
WHOLE = int(os.environ.get("FUZZ_INPUTS", "100000"))
BATCH = 2_000


def seeds() -> list[bytes]:
    """Whatever the corpus takes, and what it refuses for a small reason: all small, each in a way of its own."""
    return [one.content for one in corpus.everything() if 0 < len(one.content) < 20_000 and not one.name.startswith("cut-native")]


def run(folder: Path, first: int, count: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    slowest, largest, deaths = 0.0, 0, 0
    examine, close = ReaderProcess.examine, ReaderProcess.close

    def timed(self: ReaderProcess, *asked: object) -> object:
        nonlocal slowest
        begun = time.monotonic()
        yield from examine(self, *asked)  # type: ignore[arg-type]
        slowest = max(slowest, time.monotonic() - begun)

    def weighed(self: ReaderProcess) -> None:
        nonlocal largest
        status = Path(f"/proc/{self.pid}/status")
        if status.exists():
            largest = max([largest, *(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))])
        close(self)

    monkeypatch.setattr(ReaderProcess, "examine", timed)
    monkeypatch.setattr(ReaderProcess, "close", weighed)
    known, begun = seeds(), time.monotonic()
    workspace = workspace_in(folder)
    for start in range(first, first + count, BATCH):
        contents = {str(number): mutated(known, number) for number in range(start, min(start + BATCH, first + count))}
        upload = upload_of(folder, contents, upload=f"UP-{start}")
        found = Screening(lambda _: workspace).verdicts(upload)
        answered = {one.file for one in found}
        assert answered == {file.id for file in upload.files}, "a file without a verdict"
        assert all(one.reason in REASONS for one in found if one.kind in (Kind.REFUSED, Kind.SKIPPED))
        deaths += sum(one.reason == "reader-ended" for one in found)
        for path in workspace.iterdir():
            path.unlink()
    return {"rate": count / (time.monotonic() - begun), "slowest": slowest, "largest": largest, "deaths": deaths}


def test_a_share_of_the_damaged_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = run(tmp_path, 0, SHARE, monkeypatch)

    assert seen["slowest"] <= 30
    assert 0 < seen["largest"] * 1024 <= fence.MEMORY


@pytest.mark.campaign
def test_all_damaged_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run(tmp_path, SHARE, WHOLE, monkeypatch)

    with capsys.disabled():
        print(f"\n{WHOLE:,} damaged inputs: {seen['rate']:,.0f} a second, slowest {seen['slowest']:.2f} s, child at most {seen['largest'] / 1024:,.0f} MiB, {seen['deaths']:,.0f} refused because they ended a child")
    assert seen["slowest"] <= 30
    assert 0 < seen["largest"] * 1024 <= fence.MEMORY
