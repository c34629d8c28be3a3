"""Which hostile files stop a real Orthanc when they are posted to it directly: each of them must be refused by screening (issue 4, statement 6)."""

from __future__ import annotations

import http.client
import random
import urllib.error
import urllib.request
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest

from smart_app.intake.types import Kind
from tests import peers
from tests.hostile import corpus
from tests.hostile.receiving import screened

SECONDS = 60


class Expendable:
    """An Orthanc that is started again whenever something has stopped it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack, self._root = stack, ""
        self.starts = 0

    def survives(self, content: bytes) -> bool:
        if not self._root:
            self.starts += 1
            self._root = self._stack.enter_context(peers.orthanc(name="EXPENDABLE")).rsplit("/", 1)[0]
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{self._root}/instances", data=content or b" "), timeout=SECONDS):
                pass
        except urllib.error.HTTPError:
            return True
        except (OSError, http.client.HTTPException):
            pass
        is_alive = self._answers()
        if not is_alive:
            self._root = ""
        return is_alive

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._root}/system", timeout=SECONDS) as answer:
                return bool(answer.status == 200)
        except (OSError, http.client.HTTPException):
            return False


KILLERS = ("nested-100-deep", "nested-1000-deep-implicit-of-known-length", "nested-100000-deep-never-closed", "nested-in-un", "deflated-nested")
SHARE = 25


def check(names: Iterable[str], folder: Path) -> list[str]:
    """Those of them that stop Orthanc; each was found to be refused by us."""
    with ExitStack() as stack:
        orthanc = Expendable(stack)
        stopping = [name for name in names if not orthanc.survives(corpus.named(name).content)]
    assert len(stopping) <= orthanc.starts <= len(stopping) + 1, "each was posted to an Orthanc that was alive"
    found = screened(folder, {name: corpus.named(name).content for name in stopping})
    assert len({one.file for one in found if one.kind is Kind.REFUSED}) == len(stopping)
    assert [one for one in found if one.kind not in (Kind.REFUSED, Kind.ZIP)] == []
    return stopping


def test_what_stops_orthanc_is_refused_here(tmp_path: Path) -> None:
    others = sorted(one.name for one in corpus.everything() if one.name not in KILLERS and len(one.content) < 100_000)

    stopping = check([*KILLERS, *random.Random(SHARE).sample(others, SHARE)], tmp_path)

    # Were there none, this would prove nothing.
    assert stopping[: len(KILLERS)] == list(KILLERS)


@pytest.mark.campaign
def test_the_whole_corpus_is_posted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopping = check([one.name for one in corpus.everything()], tmp_path)

    with capsys.disabled():
        print(f"\n{len(stopping)} of {len(corpus.everything())} hostile files stop this Orthanc, and all are refused: {', '.join(stopping)}")
    assert set(KILLERS) <= set(stopping)
