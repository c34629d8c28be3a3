"""Every named hostile file gets the verdict that is written beside it, from one run of real child processes (safety.md G2)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from smart_app.intake.reasons import REASONS
from smart_app.intake.screening import Screening
from smart_app.intake.types import Screened
from tests.hostile import corpus
from tests.hostile.receiving import upload_of, workspace_in


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace_in(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def verdicts(workspace: Path) -> dict[str, list[Screened]]:
    folder = workspace.parent
    upload = upload_of(folder, {one.name: one.content for one in corpus.everything()})
    names = {file.id: file.name for file in upload.files}
    found: dict[str, list[Screened]] = {}
    for one in Screening(lambda _: workspace).verdicts(upload):
        found.setdefault(names[one.file], []).append(one)
    return found


def test_the_corpus_is_large_and_its_names_are_different() -> None:
    names = [one.name for one in corpus.everything()]

    assert len(names) >= 250
    assert [name for name, count in Counter(names).items() if count > 1] == []


def test_each_gets_its_verdict(verdicts: dict[str, list[Screened]]) -> None:
    wrong = {}
    for one in corpus.everything():
        found = verdicts[one.name]
        told = tuple(f"{it.kind}:{it.reason}" if it.reason else str(it.kind) for it in found)
        faults = found[0].header.faults if one.expected[0] == "dicom" and found[0].header is not None else ()
        if (told, faults) != (one.expected, one.faults):
            wrong[one.name] = (told, faults)
    assert wrong == {}


def test_nothing_is_left_but_what_is_needed(verdicts: dict[str, list[Screened]], workspace: Path) -> None:
    needed = {one.path.name for found in verdicts.values() for one in found if one.path is not None and one.path.parent == workspace}

    assert {path.name for path in workspace.iterdir()} == needed


def test_each_reason_has_its_words(verdicts: dict[str, list[Screened]]) -> None:
    given = {one.reason for found in verdicts.values() for one in found if one.reason}

    assert given <= set(REASONS)
    assert not [word for word, reason in REASONS.items() if not (reason.sender.endswith(".") and reason.reviewer.endswith("."))]
