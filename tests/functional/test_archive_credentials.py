"""Archives that want to know who asks: the right credential goes to the right archive and to nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.town import Jar, Town, events, town

TOKEN = "kestrels-own-token-0123456789"
KESTREL_PATIENT = "marchetti"


def set_credential(credential: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        entry = next(one for one in content["archives"] if one["key"] == "kestrel")
        entry["credential"] = credential

    return change


def chip(jar: Jar, running: Town, handle: str) -> str:
    """What the strip says of Kestrel at the end."""
    stream = events(jar.get(f"{running.plan.app}/l/{handle}/studies/stream"))
    strip = [data["html"] for name, data in stream if name == "strip"][-1]
    found = re.search(r"Kestrel Cancer Centre(.*?)</(?:button|li)>", strip, re.S)
    assert found
    return re.sub(r"<[^>]+>|\s+", " ", found.group(1)).strip()


def test_a_bearer_token_opens_its_archive_list_and_images(tmp_path: Path, pictures: Path) -> None:
    with town(tmp_path, pictures, tokens={"kestrel": TOKEN}) as running:
        jar = Jar()
        handle = jar.launch(running, KESTREL_PATIENT)
        stream = events(jar.get(f"{running.plan.app}/l/{handle}/studies/stream"))
        rows = [row for name, data in stream if name == "rows" for row in data["rows"]]
        study = next(row["uid"] for row in rows if 'data-archive="kestrel"' in row["html"])
        answer = jar.get(
            f"{running.plan.app}/l/{handle}/dicomweb/kestrel/studies/{study}", Accept='multipart/related; type="application/dicom"'
        )
        assert answer.status == 200
        assert len(answer.body) > 10_000
        assert TOKEN.encode() not in answer.body


@pytest.mark.parametrize(
    "credential",
    [{"kind": "none"}, {"kind": "basic", "username": "u", "password": {"file": "keys/wrong"}}, {"kind": "ehr-token", "ehr": "northgate"}],
    ids=["none", "wrong basic", "the EHR's token"],
)
def test_a_wrong_credential_is_refused_in_words_and_never_reads_as_none(tmp_path: Path, pictures: Path, credential: dict[str, Any]) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "wrong").write_text("wrong")
    (tmp_path / "keys" / "wrong").chmod(0o600)
    with town(tmp_path, pictures, tokens={"kestrel": TOKEN}, extra=set_credential(credential)) as running:
        jar = Jar()
        handle = jar.launch(running, KESTREL_PATIENT)
        assert "refused" in chip(jar, running, handle)
        stream = events(jar.get(f"{running.plan.app}/l/{handle}/studies/stream"))
        assert not any(data["none_found"] for name, data in stream if name == "strip")
        assert "May be incomplete" in [data["html"] for name, data in stream if name == "strip"][-1]
