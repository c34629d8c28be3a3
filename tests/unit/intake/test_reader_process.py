"""A child that dies, hangs or talks nonsense costs the file that did it, and no other. The children here are real processes with one thing changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from smart_app.intake import reader_process, screening
from smart_app.intake.reader_process import NotStarted, ReaderProcess
from smart_app.intake.types import Kind
from tests.hostile import making
from tests.hostile.receiving import screened, workspace_in

CHANGED = """
import os, sys, time
sys.path.insert(0, os.environ["PYTHONPATH"])
from smart_app.intake import examination
read_object, held = examination.read_object, []
def changed(size, read):
    head = read(0, 4)
    if head == b"DIE!":
        os.abort()
    if head == b"HANG":
        time.sleep(600)
    if head == b"FAIL":
        raise KeyError("not foreseen")
    if head == b"SPIN":
        import resource
        resource.setrlimit(resource.RLIMIT_CPU, (1 + int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2])), 120))
        while True:
            pass
    if head == b"HEAP":
        raise MemoryError
    if head == b"LEAK":
        held.append(None)
        if len(held) > 1:
            raise MemoryError
    if head == b"LIE!":
        os.write(3, b'{"number": 0, "member": "", "kind": "dicom", "reason": "", "size": 1, "header": null, "made": "/etc/passwd"}\\n')
    return read_object(size, read)
examination.read_object = changed
"""
DIE, HANG, LIE, FAIL, SPIN, HEAP = (word.ljust(128) + b"DICM" for word in (b"DIE!", b"HANG", b"LIE!", b"FAIL", b"SPIN", b"HEAP"))


@pytest.fixture
def changed_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_process, "_START", CHANGED + reader_process._START)


@pytest.mark.usefixtures("changed_child")
def test_a_death_costs_one_file(tmp_path: Path) -> None:
    found = screened(tmp_path, {"before": making.dicom(), "killer": DIE, "after": making.photo()})

    assert [(one.kind, one.reason) for one in found] == [(Kind.DICOM, ""), (Kind.REFUSED, "reader-ended"), (Kind.PHOTO, "")]


@pytest.mark.usefixtures("changed_child")
def test_a_death_inside_a_zip_costs_one_member(tmp_path: Path) -> None:
    found = screened(tmp_path, {"disc.zip": making.zipped([("a", making.dicom()), ("b", DIE), ("c", making.dicom(t00080018=("UI", b"1.2.3")))])})

    assert [(one.member, one.kind, one.reason) for one in found] == [("", Kind.ZIP, ""), ("a", Kind.DICOM, ""), ("b", Kind.REFUSED, "reader-ended"), ("c", Kind.DICOM, "")]


@pytest.mark.usefixtures("changed_child")
def test_a_zip_that_kills_again_and_again_is_given_up_and_says_so(tmp_path: Path) -> None:
    found = screened(tmp_path, {"disc.zip": making.zipped({f"m{number}": DIE for number in range(9)}), "good": making.dicom()})

    assert [one.reason for one in found] == ["", *["reader-ended"] * (screening.MOST_DEATHS + 1), ""]
    assert found[-2].member == "and the rest of it"
    assert found[-1].kind is Kind.DICOM


@pytest.mark.usefixtures("changed_child")
def test_silence_is_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ReaderProcess.__init__, "__kwdefaults__", {"silence": 1.0})

    found = screened(tmp_path, {"hang": HANG, "good": making.dicom()})

    assert [(one.kind, one.reason) for one in found] == [(Kind.REFUSED, "takes-too-long"), (Kind.DICOM, "")]


@pytest.mark.usefixtures("changed_child")
@pytest.mark.parametrize(("content", "reason"), [(SPIN, "takes-too-long"), (HEAP, "needs-memory"), (FAIL, "reader-fault"), (DIE, "reader-ended")])
def test_the_verdict_says_of_what_it_ended(tmp_path: Path, content: bytes, reason: str) -> None:
    found = screened(tmp_path, {"before": making.photo(), "bad": content, "disc.zip": making.zipped([("a", content), ("b", making.dicom())])})

    assert [(one.member, one.reason) for one in found] == [("", ""), ("", reason), ("", ""), ("a", reason), ("b", "")]


@pytest.mark.usefixtures("changed_child")
def test_what_an_earlier_file_used_up_is_not_held_against_a_later_one(tmp_path: Path) -> None:
    """Also not inside one zip: each of these can be read, but no two of them by one process."""
    leaks = [making.dicom(preamble=b"LEAK", t00080018=("UI", f"{making.ROOT}.{number}".encode())) for number in range(4)]

    found = screened(tmp_path, {"a": leaks[0], "b": leaks[1], "disc.zip": making.zipped([("c", leaks[2]), ("d", leaks[3])])})

    assert [(one.member, str(one.kind), one.reason) for one in found] == [("", "dicom", ""), ("", "dicom", ""), ("", "zip", ""), ("c", "dicom", ""), ("d", "dicom", "")]


@pytest.mark.usefixtures("changed_child")
def test_a_child_that_lies_is_not_believed(tmp_path: Path) -> None:
    (found,) = screened(tmp_path, {"lie": LIE})

    assert (found.kind, found.reason, found.path) == (Kind.REFUSED, "reader-ended", None)


def test_a_child_is_told_no_secret_and_holds_no_file_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIORS_SECRET_KEY", "canary-secret")
    with (tmp_path / "ours").open("wb") as ours:
        os.set_inheritable(ours.fileno(), True)
        child = ReaderProcess(workspace_in(tmp_path))
        try:
            environment = Path(f"/proc/{child.pid}/environ").read_bytes()
            held = {os.readlink(path) for path in Path(f"/proc/{child.pid}/fd").iterdir()}
        finally:
            child.close()

    assert b"canary-secret" not in environment
    assert str(tmp_path / "ours") not in held
    assert child.fences == ("limits", "files", "calls")


def test_a_workspace_without_room_is_our_fault_and_no_verdict(tmp_path: Path) -> None:
    """On a file system of one megabyte, in a namespace of its own where the tests may not mount."""
    script = f"""
import errno, sys
from pathlib import Path
from tests.hostile import making
from tests.hostile.receiving import screened
try:
    screened(Path({str(tmp_path)!r}), {{"disc.zip": making.zipped({{"a": making.dicom() + bytes(5_000_000)}})}})
except OSError as error:
    sys.exit(0 if error.errno == errno.ENOSPC else 3)
sys.exit(4)
"""
    (tmp_path / "workspace").mkdir()
    mounted = subprocess.run(
        ["unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size=1m none {tmp_path}/workspace && exec "$@"', "sh", sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    if "mount" in mounted.stderr or "unshare" in mounted.stderr:
        pytest.skip("this machine lets no test mount a small file system")
    assert mounted.returncode == 0, mounted.stderr


def test_a_child_that_cannot_start_is_our_fault_and_no_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_process, "_START", "raise SystemExit(1)")

    with pytest.raises(NotStarted):
        screened(tmp_path, {"good": making.dicom()})
