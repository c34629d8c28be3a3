"""Everything that is measured, started on free loopback ports and stopped again: Orthanc, nginx, OHIF's site, the demo EHR, Priors.

One Orthanc holds the study three times: as the hospital's own archive (asked directly), and as two others that are
asked through the delay proxy. Priors runs as `priors demo` runs it: gunicorn, 2 workers of 24 threads, or 1, or 4.
"""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench import ohif
from bench.study import LoadStudy, objects
from sandbox.demo import configuration
from sandbox.demo.children import Child, Children
from sandbox.demo.plan import ArchivePlan, Plan, choose_port, fixtures_folder
from sandbox.world import ARCHIVES
from tests.peers import ORTHANC_PLUGIN, free_port

RTT_MS = 40
WORKERS = 2
FAR_PARALLEL = 48
"""Calls that the distant archives allow at once: a connection carries one window, or one image, a round trip."""
PER_REQUEST = 10
"""Objects stored with one request, six requests at once: the quickest way into Orthanc."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Places:
    """Where everything answers. `near` and `far` are the load study in the archive at 0 ms and at `RTT_MS`."""

    plan: Plan
    near: LoadStudy
    far: LoadStudy
    small: LoadStudy
    """One image in the third archive, which is as far as the second."""
    orthanc: str
    orthanc_far: str
    nginx: str
    nginx_cache: str
    ohif_near: str
    ohif_far: str
    priors: Priors

    def workers(self) -> list[int]:
        """Process ids of Priors' workers."""
        return self.priors.workers()


class Priors:
    """Priors under gunicorn, started again with as many workers as are wanted."""

    def __init__(self, children: Children, plan: Plan, configured: Mapping[str, str]) -> None:
        self._children, self._plan, self._configured = children, plan, configured
        self._child: Child | None = None
        self._count = 0

    def serve(self, workers: int) -> None:
        if workers == self._count:
            return
        if self._child is not None:
            self._child.process.terminate()
            self._child.process.wait(20)
        command = [sys.executable, "-m", "gunicorn", "-c", "python:sandbox.demo.gunicorn_settings", "--bind", f"127.0.0.1:{self._plan.port}"]
        self._child = self._children.start(
            "priors", [*command, "--workers", str(workers), "--no-control-socket", "smart_app.factory:create_app()"], self._configured
        )
        self._count = workers
        self._children.wait_ready(self._child, self._plan.port, "/readyz", "app.localhost")

    def forget(self) -> None:
        """Nothing of any series is kept any more, nor on its way."""
        kept = self._plan.path("data", "frames")
        until = time.monotonic() + 10
        while any(kept.glob("*.filling")) and time.monotonic() < until:
            time.sleep(0.05)
        for one in kept.iterdir():
            if one.is_dir():
                shutil.rmtree(one, ignore_errors=True)
            elif one.name != "alive":
                one.unlink(missing_ok=True)

    def workers(self) -> list[int]:
        assert self._child is not None
        master = self._child.process.pid
        return [int(one) for one in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


@contextmanager
def places(work: Path, slices: int, say: Say, *, browser: bool = True) -> Iterator[Places]:
    """Start all, fill the archive, stop all. `work` keeps what is slow to make (pictures, OHIF) for the next run.

    Without `browser` OHIF is not fetched.
    """
    near, far, small = LoadStudy("northgate", slices), LoadStudy("kestrel", slices), LoadStudy("stbrannoc", 1)
    site = ohif.site(work / "ohif", say) if browser else work
    run = work / "run"
    shutil.rmtree(run, ignore_errors=True)
    for folder in (run, run / "data"):
        folder.mkdir(mode=0o700, parents=True)
    plan = _plan(run)
    children = Children(run / "logs")
    try:
        orthanc, kestrel, stbrannoc = (one.port for one in plan.archives)
        archive = children.start("orthanc", [_orthanc(), str(_orthanc_settings(run, orthanc))])
        children.start("delay", [sys.executable, "-m", "bench.delay", str(orthanc), str(RTT_MS), str(kestrel), str(stbrannoc)])
        ports = [free_port() for _ in range(3)]
        nginx = children.start("nginx", ["nginx", "-p", str(run), "-c", str(_nginx_settings(run, site, orthanc, kestrel, ports))])
        ehr = children.start("ehr", [sys.executable, "-m", "sandbox.demo.serve", str(plan.save()), "ehr"])
        configured = {"PRIORS_CONFIG": str(_widened(configuration.write(plan)))}
        subprocess.run([sys.executable, "-m", "smart_app.cli", "db", "upgrade"], env={**os.environ, **configured}, check=True, capture_output=True)
        priors = Priors(children, plan, configured)
        children.wait_ready(archive, orthanc, "/dicom-web/studies?limit=1", "127.0.0.1")
        for load in (near, far, small):
            _store(f"http://127.0.0.1:{orthanc}/dicom-web", objects(work / "ct", slices, load, say))
        children.wait_ready(nginx, ports[0], "/dicom-web/studies?limit=1", "127.0.0.1")
        children.wait_ready(ehr, plan.ehr_port, "/healthz", "ehr.localhost")
        priors.serve(WORKERS)
        yield Places(
            plan=plan, near=near, far=far, small=small,
            orthanc=f"http://127.0.0.1:{orthanc}/dicom-web", orthanc_far=f"http://127.0.0.1:{kestrel}/dicom-web",
            nginx=f"http://127.0.0.1:{ports[0]}/dicom-web", nginx_cache=f"http://127.0.0.1:{ports[2]}/dicom-web",
            ohif_near=f"http://localhost:{ports[0]}", ohif_far=f"http://localhost:{ports[1]}", priors=priors,
        )  # fmt: skip
    finally:
        children.stop()


def _plan(run: Path) -> Plan:
    port = choose_port(None)
    archives = tuple(ArchivePlan(one.key, one.name, one.organization, port + 2 + at, "", None) for at, one in enumerate(ARCHIVES))
    return Plan(str(run), str(run), str(fixtures_folder()), port, archives)


def _widened(file: Path) -> Path:
    """The distant archives are told to allow more calls at once than the default."""
    settings = yaml.safe_load(file.read_text())
    for one in settings["archives"]:
        if not one["local"]:
            one["limits"] = {"parallel": FAR_PARALLEL}
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    return file


def _orthanc() -> str:
    return shutil.which("Orthanc") or "/usr/sbin/Orthanc"


def _orthanc_settings(run: Path, port: int) -> Path:
    folder = run / "orthanc"
    folder.mkdir()
    settings = {
        "Name": "BENCH", "StorageDirectory": str(folder), "IndexDirectory": str(folder), "Plugins": [str(ORTHANC_PLUGIN)],
        "HttpPort": port, "DicomServerEnabled": False, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "HttpCompressionEnabled": False, "WebDavEnabled": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": True, "WadoRoot": "/wado", "Host": f"127.0.0.1:{port}", "Ssl": False},
    }  # fmt: skip
    file = run / "orthanc.json"
    file.write_text(json.dumps(settings))
    return file


def _nginx_settings(run: Path, site: Path, near: int, far: int, ports: Sequence[int]) -> Path:
    """Three servers: OHIF with the archive at 0 ms, OHIF with the far one, and the archive behind a proxy cache."""
    relay = "proxy_http_version 1.1; proxy_set_header Connection ''; proxy_buffers 16 64k; proxy_busy_buffers_size 256k; proxy_max_temp_file_size 0;"
    ohif_site = f"root {site}; location / {{ try_files $uri /index.html; gzip_static on; }}"
    cache = "proxy_cache frames; proxy_cache_key $uri$is_args$args$http_accept; proxy_cache_valid 200 1h; proxy_ignore_headers Cache-Control Expires Vary;"

    def server(port: int, target: str, extra: str, where: str = "") -> str:
        return f"server {{ listen 127.0.0.1:{port}; {where} location /dicom-web/ {{ proxy_pass http://{target}; {relay} {extra} }} }}"

    file = run / "nginx.conf"
    file.write_text(
        f"""
daemon off; pid {run}/nginx.pid; error_log {run}/nginx-error.log; worker_processes 2; {"user root;" if os.geteuid() == 0 else ""}
events {{ worker_connections 512; }}
http {{
  include /etc/nginx/mime.types; types {{ application/wasm wasm; }} default_type application/octet-stream;
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 10000;
  client_body_temp_path {run}/nginx-body; proxy_temp_path {run}/nginx-proxy; fastcgi_temp_path {run}/nginx-f; uwsgi_temp_path {run}/nginx-u; scgi_temp_path {run}/nginx-s;
  proxy_cache_path {run}/nginx-cache levels=1:2 keys_zone=frames:10m max_size=2g inactive=2h use_temp_path=off;
  upstream near {{ server 127.0.0.1:{near}; keepalive 32; keepalive_timeout 1s; }}
  upstream far {{ server 127.0.0.1:{far}; keepalive 32; keepalive_timeout 1s; }}
  {server(ports[0], "near", "", ohif_site)}
  {server(ports[1], "far", "", ohif_site)}
  {server(ports[2], "near", cache)}
}}
"""
    )
    return file


def _store(base: str, contents: Iterator[bytes]) -> None:
    waiting: queue.Queue[list[bytes] | None] = queue.Queue(maxsize=4)
    failures: list[BaseException] = []

    def work() -> None:
        while (group := waiting.get()) is not None:
            try:
                _post(base, group)
            except BaseException as error:
                failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(6)]
    for one in workers:
        one.start()
    group: list[bytes] = []
    for content in contents:
        group.append(content)
        if len(group) == PER_REQUEST:
            waiting.put(group)
            group = []
    if group:
        waiting.put(group)
    for _ in workers:
        waiting.put(None)
    for one in workers:
        one.join()
    if failures:
        raise failures[0]


def _post(base: str, group: list[bytes]) -> None:
    body = b"".join(b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n" for content in group) + b"--b--\r\n"
    headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b', "Accept": "application/dicom+json"}
    with urllib.request.urlopen(urllib.request.Request(f"{base}/studies", body, headers), timeout=60) as answer:
        stored = json.loads(answer.read()).get("00081199", {}).get("Value", [])
    if len(stored) != len(group):
        raise RuntimeError(f"the archive stored {len(stored)} of {len(group)} objects")
