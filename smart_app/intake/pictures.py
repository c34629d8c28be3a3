"""Small pictures of received images for the review page: drawn in a fenced child, which is given one open file and hands back one PNG.

Nothing of a stranger's file is decoded in a process that serves pages. What cannot be drawn is no picture, and is said so.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

SIZE = 240
SECONDS = 20.0
PNG = b"\x89PNG\r\n\x1a\n"
MOST_BYTES = 400_000
CODE = Path(__file__).parents[2]
_START = "import sys; sys.path.insert(0, {code!r}); from smart_app.intake.picture_child import main; main(sys.argv[1])"


def draw(path: Path) -> bytes | None:
    """PNG of the middle of an object, at most 240 pixels wide or high; None where it cannot be drawn."""
    with tempfile.TemporaryDirectory(prefix="picture-") as workspace, path.open("rb") as source:
        try:
            done = subprocess.run(  # noqa: S603 - our own interpreter, fixed words
                [sys.executable, "-c", _START.format(code=str(CODE)), workspace], stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}, cwd="/", timeout=SECONDS, check=False, start_new_session=True,
            )  # fmt: skip
        except (subprocess.TimeoutExpired, OSError):
            return None
    # What a broken child says is a stranger's, too: one picture of a bounded size, or nothing.
    found = done.stdout
    return found if done.returncode == 0 and found.startswith(PNG) and len(found) <= MOST_BYTES and found[12:16] == b"IHDR" else None
