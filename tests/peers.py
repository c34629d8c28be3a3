"""Real parts for the tests, on free loopback ports: Orthanc with DICOMweb, PostgreSQL, Redis, Chromium.

A missing part skips on a developer's machine and fails in CI: nothing needed is ever silently left out there.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

ORTHANC_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
CHROMIUM_ARGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def need(part: str, present: bool) -> None:
    """Skip without `part`, or fail where everything must be there."""
    if present:
        return
    if os.environ.get("CI") or os.environ.get("PRIORS_TESTS"):
        pytest.fail(f"{part} is not installed; tests/run installs it")
    pytest.skip(f"{part} is not installed")


def wait_until(ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(0.05)
    raise TimeoutError(f"{what} was not ready within {seconds} s")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def stop(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@contextmanager
def orthanc(*, name: str = "TEST", users: dict[str, str] | None = None) -> Iterator[str]:
    """The DICOMweb base URL of a fresh, empty Orthanc."""
    binary = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
    need("Orthanc with its DICOMweb plugin", Path(binary).exists() and ORTHANC_PLUGIN.exists())
    port = free_port()
    folder = Path(tempfile.mkdtemp(prefix="orthanc-"))
    configuration = {
        "Name": name,
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "Plugins": [str(ORTHANC_PLUGIN)],
        "HttpPort": port,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": bool(users),
        "RegisteredUsers": users or {},
        "HttpCompressionEnabled": False,
        "WebDavEnabled": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": True, "WadoRoot": "/wado", "Host": f"127.0.0.1:{port}", "Ssl": False},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration))
    process = subprocess.Popen([binary, str(folder / "orthanc.json")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/dicom-web/studies?limit=1"), "Orthanc")
        yield f"http://127.0.0.1:{port}/dicom-web"
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def store(dicomweb: str, files: Iterable[Path | bytes]) -> None:
    """STOW the files one by one, so that a refused one names itself."""
    for file in files:
        content = file if isinstance(file, bytes) else file.read_bytes()
        body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--b--\r\n"
        request = urllib.request.Request(
            f"{dicomweb}/studies",
            data=body,
            headers={"Content-Type": 'multipart/related; type="application/dicom"; boundary=b', "Accept": "application/dicom+json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200, file if isinstance(file, Path) else "the object"


class PostgresServer:
    """A throw-away server that can be stopped and started again. Works as root too (the server itself runs as `postgres`)."""

    def __init__(self) -> None:
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        need("PostgreSQL", bool(found))
        self._binaries, self._port = found[-1], free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
        self._as_user: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self._folder, "postgres", "postgres")
            self._as_user = ["runuser", "-u", "postgres", "--"]
        init = [f"{self._binaries}/initdb", "-D", str(self._folder / "data"), "-U", "priors", "-A", "trust", "-N", "-E", "UTF8"]
        subprocess.run([*self._as_user, *init], check=True, stdout=subprocess.DEVNULL, cwd="/tmp")
        self.url = f"postgresql+psycopg://priors@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        serve = [f"{self._binaries}/postgres", "-D", str(self._folder / "data"), "-p", str(self._port), "-k", str(self._folder)]
        self._process = subprocess.Popen(
            [*self._as_user, *serve, "-c", "listen_addresses=127.0.0.1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/tmp"
        )
        check = [f"{self._binaries}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self._port), "-U", "priors", "-d", "postgres"]
        wait_until(lambda: subprocess.run(check, check=False).returncode == 0, "PostgreSQL")

    def stop(self) -> None:
        # runuser passes SIGTERM on; SIGINT asks PostgreSQL for a fast shutdown that does not wait for clients.
        pid_file = self._folder / "data" / "postmaster.pid"
        if pid_file.exists():
            os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(10)
        stop(self._process)

    def remove(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.remove()


@contextmanager
def postgres() -> Iterator[str]:
    """The SQLAlchemy URL of an empty database on a throw-away server."""
    with postgres_server() as server:
        yield server.url


@contextmanager
def redis(port: int | None = None) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Redis that keeps nothing on disk, and its process, for those who stop it. `port`: the same again."""
    binary, port = shutil.which("redis-server"), port or free_port()
    need("Redis", binary is not None)
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", tempfile.gettempdir()]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(listens, "Redis")
        yield f"redis://127.0.0.1:{port}/0", process
    finally:
        stop(process)


@contextmanager
def chromium(*, args: Iterable[str] = (), preferences: dict[str, Any] | None = None) -> Iterator[Any]:
    """A Playwright persistent context on Debian's Chromium; `preferences` go into its profile (cookie settings)."""
    binary = shutil.which("chromium")
    need("Chromium", binary is not None)
    from playwright.sync_api import sync_playwright

    profile = Path(tempfile.mkdtemp(prefix="chromium-"))
    if preferences:
        (profile / "Default").mkdir(parents=True)
        (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile), executable_path=binary, headless=True, args=[*CHROMIUM_ARGS, *args], viewport={"width": 1280, "height": 800}
        )
        context.set_default_timeout(20_000)
        try:
            yield context
        finally:
            context.close()
            shutil.rmtree(profile, ignore_errors=True)
