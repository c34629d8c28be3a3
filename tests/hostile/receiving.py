"""An upload of named contents, and its verdicts from a real child process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smart_app.intake.screening import Screening
from smart_app.intake.types import Screened
from smart_app.links.types import Purpose
from smart_app.spool.types import ReceivedFile, Upload, UploadState


def upload_of(folder: Path, contents: Mapping[str, bytes], *, upload: str = "UP-7") -> Upload:
    """Files as the spool keeps them: under names of ours."""
    (folder / "received").mkdir(parents=True, exist_ok=True)
    files = []
    for number, (name, content) in enumerate(contents.items()):
        path = folder / "received" / f"{number}"
        path.write_bytes(content)
        files.append(ReceivedFile(f"{upload}-F{number}", upload, name, len(content), hashlib.sha256(content).hexdigest(), path))
    begun = datetime(2026, 5, 21, 9, 12, 0, tzinfo=UTC)
    return Upload(upload, "main", "LN-1", Purpose.REQUEST, "RQ-7Q2M4TKX", UploadState.FINISHED, "Lakeside Radiology", begun, begun, tuple(files))


def workspace_in(folder: Path) -> Path:
    workspace = folder / "workspace"
    workspace.mkdir(mode=0o700, exist_ok=True)
    return workspace


def screened(folder: Path, contents: Mapping[str, bytes], **options: Any) -> tuple[Screened, ...]:
    workspace = workspace_in(folder)
    return Screening(lambda _: workspace, **options).screen(upload_of(folder, contents))


def one(folder: Path, content: bytes) -> Screened:
    (found,) = screened(folder, {"file": content})
    return found
