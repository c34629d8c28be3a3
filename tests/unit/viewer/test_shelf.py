"""The private folder: its bounds, its sweeps, what a killed process leaves, and what is never read back."""

import os
import signal
import stat
import subprocess
import sys
import time

import pytest

from smart_app.archives.types import PatientId
from smart_app.viewer import shelf as shelves
from smart_app.viewer.rewriting import Named
from smart_app.viewer.shelf import Shelf
from smart_app.viewer.volume import DATA, INDEX, WHOLE, Kept, Piece, Unusable, Volume
from smart_app.viewer.writing import Full

KEY = b"k" * 32


def shelf(folder, most=1_000_000, seconds=3600.0, **options):
    return Shelf(folder / "frames", KEY, most=most, seconds=seconds, **options)


def fill(on, name, size=1000, instances=("1.1", "1.2"), end=True):
    writer = on.begin(name)
    writer.start(200)
    for number, uid in enumerate(instances):
        at = writer.reserve(size)
        writer.put(at, bytes([number + 1]) * size)
        writer.add(Piece(Named("1", "1.0", uid, PatientId("P-1", "urn:x"), None), "1.2.840.10008.1.2.1", at, size, at, ((0, size),)))
    if end:
        writer.finish(keep=True)
    return writer


def names(on):
    return sorted(path.name for path in on._root.iterdir() if path.name != "alive")


def test_what_was_kept_is_read_back_bit_for_bit(tmp_path):
    on = shelf(tmp_path)
    fill(on, "a")
    for reader in (on, shelf(tmp_path)):
        volume = reader.find("a")
        assert volume.is_whole
        assert volume.instances == {"1.1", "1.2"}
        assert b"".join(volume.part(volume.piece("1.2"))) == b"\2" * 1000
        assert volume.piece("1.3") is None
        file, size = volume.file()
        with file:
            assert file.read() == b"\1" * 1000 + b"\2" * 1000 + f"--{volume.boundary}--\r\n".encode()
            assert size == file.tell()


def test_everything_is_private_and_nothing_is_named(tmp_path):
    on = shelf(tmp_path)
    fill(on, on.name("default", "kestrel", "1.2.840.1", "MRN-77"))
    on.list(on.name("listed", "x"), ["1.1"])
    for path in [tmp_path / "frames", *(tmp_path / "frames").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
        assert not any(word in path.name for word in ("1.2.840", "MRN", "kestrel"))


def test_names_do_not_run_together_and_depend_on_the_key(tmp_path):
    on, other = shelf(tmp_path), Shelf(tmp_path / "other", b"o" * 32, most=1, seconds=1)
    assert len({on.name("ab", "c"), on.name("a", "bc"), on.name("abc"), on.name("a", "b", "c"), other.name("a", "bc")}) == 5


def test_the_longest_unused_goes_first_when_bytes_run_out(tmp_path):
    on = shelf(tmp_path, most=100_000)
    for at, name in enumerate("abc"):
        fill(on, name, size=15_000)
        os.utime(tmp_path / "frames" / name, (1000 + at, 1000 + at))
        time.sleep(0.01)
    os.utime(tmp_path / "frames" / "a")  # used just now
    fill(on, "d", size=15_000)
    kept = [name for name in "abcd" if on.find(name)]
    assert "a" in kept
    assert "d" in kept
    assert "b" not in kept
    assert sum(path.stat().st_blocks * 512 for path in (tmp_path / "frames").rglob(DATA)) <= 100_000


def test_one_series_takes_half_at_most(tmp_path):
    writer = shelf(tmp_path, most=10_000).begin("a")
    writer.reserve(4000)
    with pytest.raises(Full):
        writer.reserve(2000)
    writer.leave()


def test_what_is_old_is_not_found_and_is_removed(tmp_path):
    now = [time.time()]
    on = shelf(tmp_path, seconds=60, now=lambda: now[0])
    fill(on, "a")
    on.list("l", ["1.1"])
    assert on.find("a")
    assert on.listed("l") == ("1.1",)
    now[0] += 61
    assert on.find("a") is None
    now[0] += 60
    assert on.listed("l") is None
    on.sweep()
    assert names(on) == []


def test_age_is_looked_at_even_if_nobody_asks(tmp_path):
    on = shelf(tmp_path, seconds=0.5)
    fill(on, "a")
    until = time.monotonic() + 10
    while names(on) and time.monotonic() < until:
        time.sleep(0.05)
    assert names(on) == []


def test_an_unfinished_series_is_followed_and_its_end_is_told(tmp_path):
    on, other = shelf(tmp_path), shelf(tmp_path)
    writer = fill(on, "a", end=False)
    followed = other.find("a")
    assert not followed.is_whole
    assert [one.named.instance for one in followed.entries] == ["1.1", "1.2"]
    assert other.begin("a") is None
    assert not writer.is_wanted()
    interest = followed.interest()
    assert writer.is_wanted()
    os.close(interest)
    writer.withhold("1.0", "1.3", "other patient")
    followed.wait(2)
    assert followed.entries[2] == Kept("1.0", "1.3", "other patient")
    writer.fail("cut", None)
    followed.wait(3)
    assert (followed.end.how, followed.end.code) == ("fault", "cut")
    assert b"".join(followed.part(followed.entries[0])) == b"\1" * 1000  # what has come stays readable to who reads it
    assert other.find("a") is None
    assert names(on) == []


def test_a_filling_series_that_became_whole_is_the_same_to_its_reader(tmp_path):
    on = shelf(tmp_path)
    writer = fill(on, "a", end=False)
    followed = on.find("a")
    writer.finish(keep=True)
    assert on.find("a") is followed
    assert followed.is_whole
    followed.file()[0].close()


KILLED = """
import sys, time
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.unit.viewer.test_shelf import fill, shelf
on = shelf(Path({folder!r}))
fill(on, "whole")
half = fill(on, "half", end=False)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def killed(tmp_path):
    """A process that has kept one series and is filling another, until it is killed."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(__file__))))
    process = subprocess.Popen([sys.executable, "-c", KILLED.format(root=root, folder=str(tmp_path))], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_two_processes_share_and_a_killed_one_is_noticed(tmp_path, killed):
    on = shelf(tmp_path)
    assert on.find("whole").is_whole
    half = on.find("half")
    assert half.end is None
    assert on.begin("half") is None
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    half.wait(len(half.entries))
    assert half.end.how == "left"
    assert on.find("half") is None
    assert "half.filling" not in names(on)
    fill(on, "half")
    assert on.find("half").is_whole


def test_the_first_process_to_start_finds_nothing(tmp_path, killed):
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert {"whole", "half.filling"} <= {path.name for path in (tmp_path / "frames").iterdir()}
    assert names(shelf(tmp_path)) == []


def test_who_only_sweeps_neither_empties_nor_counts_as_alive(tmp_path):
    on = shelf(tmp_path)
    fill(on, "a")
    worker = shelf(tmp_path, serves=False)
    assert names(worker) == ["a"]
    shelf(tmp_path, seconds=0.0, serves=False).sweep()
    assert names(on) == []
    shelves.discard(tmp_path / "frames")
    assert not (tmp_path / "frames").exists()


def cut(folder):
    with open(folder / DATA, "r+b") as file:
        file.truncate(900)


def altered(folder):
    with open(folder / DATA, "r+b") as file:
        file.seek(10)
        file.write(b"X")


def index_altered(folder):
    text = (folder / INDEX).read_bytes()
    (folder / INDEX).write_bytes(text.replace(b'"P-1"', b'"P-2"', 1))


def index_cut(folder):
    text = (folder / INDEX).read_bytes()
    (folder / INDEX).write_bytes(text[: len(text) // 2])


def index_gone(folder):
    (folder / INDEX).write_bytes(b"")


def swapped(folder):
    (folder / DATA).write_bytes(b"\3" * (folder / DATA).stat().st_size)


@pytest.mark.parametrize("damage", [cut, altered, index_altered, index_cut, index_gone, swapped])
def test_nothing_that_was_cut_or_altered_is_read_back(tmp_path, damage):
    on = shelf(tmp_path)
    fill(on, "a")
    time.sleep(0.01)
    damage(tmp_path / "frames" / "a")
    reader = shelf(tmp_path)  # beside the first, which lives: it empties nothing
    assert names(reader) == ["a"]
    assert reader.find("a") is None
    assert names(reader) == []


@pytest.mark.parametrize("damage", [cut, altered, swapped])
def test_who_knows_the_index_notices_that_the_data_changed(tmp_path, damage):
    on = shelf(tmp_path)
    fill(on, "a")
    assert on.find("a").is_whole
    time.sleep(0.01)
    damage(tmp_path / "frames" / "a")
    assert on.find("a") is None


def test_a_volume_of_another_key_is_unusable(tmp_path):
    fill(shelf(tmp_path), "a")
    with pytest.raises(Unusable):
        Volume(tmp_path / "frames" / "a", b"o" * 32, live=False)
    assert Volume(tmp_path / "frames" / "a", KEY, live=False).end.how == WHOLE


def test_a_folder_that_cannot_be_written_keeps_nothing_and_fails_nobody(tmp_path, monkeypatch):
    on = shelf(tmp_path)

    def full(*args, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shelves, "Writer", full)
    assert on.begin("a") is None
    assert names(on) == []
    monkeypatch.setattr("json.dump", full)
    on.list("l", ["1"])
    assert on.listed("l") is None
