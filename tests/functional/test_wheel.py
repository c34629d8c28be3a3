"""`pip install .` gives a wheel that serves by itself: in an empty folder, with nothing but a configuration."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests import peers

ROOT = Path(__file__).parents[2]
CONFIGURATION = """\
public_url: http://app.localhost:{port}
development: true
sealing_keys: [{{id: k, env: PRIORS_TEST_KEY}}]
ehrs:
  - {{key: northgate, name: Northgate, issuer: "http://ehr.localhost:1/fhir", client_id: p, allow_http: true}}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    (found,) = folder.glob("*.whl")
    return found


def test_the_wheel_holds_bundle_templates_and_migrations(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "smart_app/static/viewer/.vite/manifest.json",
        "smart_app/templates/studies/page.html",
        "smart_app/migrations/versions/0001_first_tables.py",
        "launch/service.py",
        "sandbox/fhir_fixtures/README.md",
    ):
        assert needed in names
    assert not [name for name in names if "node_modules" in name or name.startswith("tests/")]


def test_gunicorn_serves_from_the_wheel_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    installed, empty, port = tmp_path / "installed", tmp_path / "empty", peers.free_port()
    zipfile.ZipFile(wheel).extractall(installed)
    empty.mkdir()
    (empty / "priors.yaml").write_text(CONFIGURATION.format(port=port))
    environ = {
        **os.environ,
        "PYTHONPATH": str(installed),
        "PRIORS_CONFIG": str(empty / "priors.yaml"),
        "PRIORS_TEST_KEY": secrets.token_urlsafe(32),
    }
    command = [
        sys.executable,
        "-P",
        "-m",
        "gunicorn",
        "-k",
        "gthread",
        "--no-control-socket",
        "-b",
        f"127.0.0.1:{port}",
        "smart_app.factory:create_app()",
    ]
    process = subprocess.Popen(command, cwd=empty, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        peers.wait_until(lambda: peers.answers(f"http://127.0.0.1:{port}/readyz"), "gunicorn from the wheel")
        request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": f"app.localhost:{port}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            page = answer.read().decode()
        assert "Northgate" in page
        served = subprocess.run(
            [sys.executable, "-P", "-c", "import smart_app; print(smart_app.__file__)"],
            cwd=empty,
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        assert served.stdout.startswith(str(installed)), "the wheel's own code must have served, not the checkout's"
    finally:
        peers.stop(process)
