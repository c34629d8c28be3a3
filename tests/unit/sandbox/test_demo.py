"""`priors demo` from the outside: one line out, everything up, everything gone."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.demo import configuration
from sandbox.demo.plan import WIDTH, ArchivePlan, Plan, PortTaken, choose_port, fixtures_folder
from sandbox.world import ARCHIVES, PATIENTS
from smart_app import config_file

RUN = "import sys; from sandbox.demo import command; sys.exit(command(sys.argv[1:]))"


def free_row() -> int:
    """The first of WIDTH free ports in a row, far from the default."""
    for first in range(21000 + os.getpid() % 500 * 10, 60000, 10):
        try:
            return choose_port(first)
        except PortTaken:
            continue
    raise AssertionError("no free ports")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@contextmanager
def demo(home: Path, port: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", RUN, "--home", str(home), "--port", str(port), "--small", "--no-browser", "--workers", "1", *more]
    with (home / "progress.txt").open("w") as progress:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=progress, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def first_line(process: subprocess.Popen[str], home: Path) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (home / "progress.txt").read_text()
    return line


def listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def page(url: str, **more: object) -> requests.Response:
    """A page of a `*.localhost` origin: connected by address, as the resolver may not know such names."""
    parts = urlsplit(url)
    there = url.replace(parts.hostname or "", "127.0.0.1", 1)
    return requests.get(there, headers={"Host": parts.netloc}, timeout=10, allow_redirects=False, **more)


def test_json_then_a_clean_end(home: Path) -> None:
    port = free_row()
    with demo(home, port, "--json") as process:
        told = json.loads(first_line(process, home))
        assert set(told) == {"app", "ehr", "send", "mailbox", "partner", "discs", "archives", "patients"}
        assert (Path(told["discs"]) / "stbrannoc-perfusion" / "DICOMDIR").is_file()
        assert page(f"{told['mailbox']}/healthz").status_code == 200
        assert "Ferrybank Heart: requests for images" in page(told["partner"]).text
        assert page(f"{told['partner'].replace('ferrybank.', '')}/fhir/Task").status_code == 401
        assert page(f"{told['send']}/ask").status_code == 200
        assert told["app"] == f"http://app.localhost:{port}"
        assert [one["key"] for one in told["archives"]] == [one.key for one in ARCHIVES]
        assert set(told["patients"][0]) == {"id", "name", "story", "launch"}
        assert len(told["patients"]) == len(PATIENTS)
        launched = page(told["patients"][0]["launch"])
        assert launched.status_code == 302
        assert launched.headers["Location"].startswith(f"{told['app']}/launch?")
        assert parse_qs(urlsplit(launched.headers["Location"]).query)["iss"] == [f"{told['ehr']}/fhir"]
        assert page(f"{told['app']}/readyz").status_code == 200
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        assert rest == "", "nothing but the one line on standard output"
    assert not [one for one in range(port, port + WIDTH) if listens(one)]


def test_children_end_when_the_parent_is_killed(home: Path) -> None:
    port = free_row()
    with demo(home, port) as process:
        assert first_line(process, home) == f"Open http://ehr.localhost:{port + 1}/\n"
        assert all(listens(one) for one in range(port, port + WIDTH))
        process.kill()
        process.wait()
        deadline = time.monotonic() + 60
        while any(listens(one) for one in range(port, port + WIDTH)) and time.monotonic() < deadline:
            time.sleep(0.1)
    assert not [one for one in range(port, port + WIDTH) if listens(one)]


def test_a_taken_port_is_named(home: Path) -> None:
    port = free_row()
    with socket.create_server(("127.0.0.1", port + 2)):
        with demo(home, port) as process:
            assert process.wait(timeout=60) == 1
        assert f"Port {port + 2} is in use" in (home / "progress.txt").read_text()
        with pytest.raises(PortTaken):
            choose_port(port)


def plan_in(folder: Path, port: int = 8700) -> Plan:
    for name in ("data", "keys"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    archives = tuple(
        ArchivePlan(one.key, one.name, one.organization, port + 2 + n, "", "t0ken" if n == 1 else None) for n, one in enumerate(ARCHIVES)
    )
    return Plan(str(folder), str(folder), str(fixtures_folder()), port, archives)


def test_the_configuration_it_writes_is_one_that_priors_accepts(tmp_path: Path) -> None:
    settings = config_file.load(configuration.write(plan_in(tmp_path)), {})
    assert settings.development
    assert settings.ehrs[0].issuer == "http://ehr.localhost:8701/fhir"
    assert settings.ehrs[0].frame_ancestors == ("http://ehr.localhost:8701",)
    assert [one.key for one in settings.archives] == [one.key for one in ARCHIVES]
    assert [(one.key, one.credential.kind) for one in settings.partners] == [("ferrybank", "bearer")]
    assert settings.ehrs[0].write_requests == "task"
    assert [one.credential.kind for one in settings.archives] == ["none", "bearer", "none"]
    for file in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def test_keys_stay_the_same_at_the_next_start(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    configuration.write(plan)
    first = {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()}
    configuration.write(plan)
    assert first == {file.name: file.read_bytes() for file in (tmp_path / "keys").iterdir()}
    assert "d" not in configuration.public_jwks(plan, configuration.BACKEND_KID)["keys"][0]


def test_a_plan_reads_back(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    assert Plan.read(plan.save()) == plan
