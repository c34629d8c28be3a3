"""Damaged inputs by the thousand: none ends its reader, fails in a way nobody foresaw, goes unanswered or takes longer than a file may (safety.md G1).

The whole number runs by `make fuzz`; the ordinary suite takes a seeded share. An input that fails is named by its number:
`mutated(seeds(), N)` makes it again.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from smart_app.intake import fence
from smart_app.intake.reader_process import Gone, ReaderProcess
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


UNFORESEEN = ("reader-ended", "reader-fault", "needs-memory", "takes-too-long")
"""None of these inputs may cost its reader, or be answered for the want of a better word."""


@dataclass
class Seen:
    rate: float = 0.0
    slowest: float = 0.0
    largest: int = 0
    """KiB that a child held at most."""
    readers: int = 0
    """Started. One more than it takes to read so many files is one that went."""
    gone: list[str] = field(default_factory=list)
    """Causes for which a reader was given up, counted where it happens: one that a second reader answered is here, too."""
    unforeseen: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


def run(folder: Path, first: int, count: int, monkeypatch: pytest.MonkeyPatch) -> Seen:
    seen = Seen()
    examine, close = ReaderProcess.examine, ReaderProcess.close

    def timed(self: ReaderProcess, *asked: object) -> object:
        begun = time.monotonic()
        try:
            yield from examine(self, *asked)  # type: ignore[arg-type]
        except Gone as gone:
            seen.gone.append(gone.cause)
            raise
        seen.slowest = max(seen.slowest, time.monotonic() - begun)

    def weighed(self: ReaderProcess) -> None:
        seen.readers += 1
        status = Path(f"/proc/{self.pid}/status")
        if status.exists():
            seen.largest = max([seen.largest, *(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))])
        close(self)

    monkeypatch.setattr(ReaderProcess, "examine", timed)
    monkeypatch.setattr(ReaderProcess, "close", weighed)
    known, begun = seeds(), time.monotonic()
    workspace = workspace_in(folder)
    for start in range(first, first + count, BATCH):
        contents = {str(number): mutated(known, number) for number in range(start, min(start + BATCH, first + count))}
        upload = upload_of(folder, contents, upload=f"UP-{start}")
        found = Screening(lambda _: workspace).verdicts(upload)
        names = {file.id: file.name for file in upload.files}
        answered = {one.file for one in found}
        assert answered == {file.id for file in upload.files}, "a file without a verdict"
        assert all(one.reason in REASONS for one in found if one.kind in (Kind.REFUSED, Kind.SKIPPED))
        seen.unforeseen += [f"{names[one.file]}: {one.reason}" for one in found if one.reason in UNFORESEEN]
        seen.kinds.update(f"{one.kind}:{one.reason}" if one.reason else str(one.kind) for one in found)
        for path in workspace.iterdir():
            path.unlink()
    seen.rate = count / (time.monotonic() - begun)
    return seen


def check(seen: Seen) -> None:
    assert (seen.gone, seen.unforeseen) == ([], [])
    assert seen.slowest <= 30
    assert 0 < seen.largest * 1024 <= fence.MEMORY


def test_a_share_of_the_damaged_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check(run(tmp_path, 0, SHARE, monkeypatch))


@pytest.mark.campaign
def test_all_damaged_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seen = run(tmp_path, SHARE, WHOLE, monkeypatch)

    with capsys.disabled():
        print(
            f"\n{WHOLE:,} damaged inputs: {seen.rate:,.0f} a second, slowest {seen.slowest:.2f} s, child at most {seen.largest / 1024:,.0f} MiB, {seen.readers:,} readers, "
            f"{len(seen.gone)} of them gone, {len(seen.unforeseen)} verdicts unforeseen"
        )
        print(", ".join(f"{number:,} {kind}" for kind, number in seen.kinds.most_common()))
    check(seen)
