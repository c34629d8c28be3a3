"""How many objects go to the archive in one request, and whether their bytes are still those that came."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from smart_app.intake.received import Instance

MOST_FILES, MOST_BYTES = 50, 64_000_000
CHUNK = 1 << 20


def loads(instances: Sequence[Instance]) -> list[list[Instance]]:
    """In order; each of at most 50 objects and 64 MB, or one larger object alone. Two under one UID are never together: which is first must be seen."""
    made: list[list[Instance]] = []
    size = 0
    for one in instances:
        full = not made or len(made[-1]) >= MOST_FILES or size + one.size > MOST_BYTES or one.digest == made[-1][-1].digest
        if full:
            made.append([])
            size = 0
        made[-1].append(one)
        size += one.size
    return made


def the_same_bytes(path: Path, sha256: str) -> bool:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == sha256
