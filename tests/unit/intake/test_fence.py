"""What the child may not do: asked of the kernel in a process of its own, since a fence is never taken down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from smart_app.intake import fence

TRY = """
import json, os, socket, subprocess, sys
from pathlib import Path
from smart_app.intake import fence

workspace, outside, code = Path(sys.argv[1]), Path(sys.argv[2]), Path(fence.__file__).parents[1]
given = os.open(outside / "given", os.O_RDONLY)
standing = fence.close(workspace, fence.code_folders(code))

def tried(what):
    try:
        what()
        return "done"
    except MemoryError:
        return "memory"
    except OSError as error:
        return error.__class__.__name__

def written():
    (workspace / "made").write_bytes(b"x")
    (workspace / "made").unlink()

def bound():
    socket.socket().bind(("127.0.0.1", 0))

def grown():
    bytearray(600 * 1024 * 1024)

print(json.dumps({
    "standing": standing,
    "read elsewhere": tried(lambda: (outside / "secret").read_bytes()),
    "read the environment of the parent": tried(lambda: Path(f"/proc/{os.getppid()}/environ").read_bytes()),
    "list elsewhere": tried(lambda: os.listdir(outside)),
    "write elsewhere": tried(lambda: (outside / "new").write_bytes(b"x")),
    "link out": tried(lambda: os.symlink("/etc/passwd", workspace / "link")),
    "connect": tried(bound),
    "start a program": tried(lambda: subprocess.run(["/bin/true"])),
    "fork": tried(lambda: os.fork()),
    "signal": tried(lambda: os.kill(os.getppid(), 0)),
    "take memory": tried(grown),
    "read what was given": tried(lambda: os.pread(given, 5, 0)),
    "write into the workspace": tried(written),
}))
"""


def test_a_fenced_process_can_read_what_it_was_given_and_write_its_workspace_and_nothing_else(tmp_path: Path) -> None:
    workspace, outside = tmp_path / "workspace", tmp_path / "outside"
    workspace.mkdir()
    outside.mkdir()
    (outside / "secret").write_bytes(b"canary")
    (outside / "given").write_bytes(b"given")

    ran = subprocess.run([sys.executable, "-c", TRY, str(workspace), str(outside)], capture_output=True, text=True, cwd=Path(fence.__file__).parents[2], check=True)

    told = json.loads(ran.stdout)
    assert told.pop("standing") == ["limits", "files", "calls"]
    assert (told.pop("read what was given"), told.pop("write into the workspace"), told.pop("take memory")) == ("done", "done", "memory")
    assert set(told.values()) == {"PermissionError"}, told
    assert not (outside / "new").exists()


def test_code_folders_hold_code_and_no_data(tmp_path: Path) -> None:
    found = fence.code_folders(tmp_path)

    assert tmp_path in found
    assert not [path for path in found if path in (Path("/"), Path.home(), Path("/var"), Path("/etc"), Path.cwd())]
