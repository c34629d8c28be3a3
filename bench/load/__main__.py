"""`python -m bench.load`: G17's load on this machine, and the cost of one list and one opened study in processor time. See `--help`."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import secrets
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from bench.load import hospital
from bench.load.users import SLOWEST, Chart, Line, Tally, direct, listed, looked, opened, user
from launch.context import LaunchContext, User
from launch.session import BROWSER_COOKIE, TokenSet
from sandbox.demo.children import Child, Children
from smart_app import config_file
from smart_app.parts import build
from tests.peers import free_port

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Town:
    port: int
    host: str
    archives: Sequence[int]
    charts: Sequence[Chart]
    gunicorn: Child

    def workers(self) -> list[int]:
        master = self.gunicorn.process.pid
        return [int(one) for one in Path(f"/proc/{master}/task/{master}/children").read_text().split()]

    def resident(self) -> float:
        """MiB of all workers."""
        return sum(int(Path(f"/proc/{one}/status").read_text().split("VmRSS:")[1].split()[0]) for one in self.workers()) / 1024

    def processor(self) -> float:
        """Seconds of processor time that all workers have used."""
        fields = (Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in self.workers())
        return sum((int(field[11]) + int(field[12])) / TICKS for field in fields)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load", description="Many users, five archives of which one is slow and one dead.")
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--costs", action="store_true", help="only the processor time of one list, one opened study and one frame")
    options = parser.parse_args()
    with town(options.users, options.workers) as found:
        costs = _costs(found)
        load = {} if options.costs else asyncio.run(_load(found, options.seconds))
    result = {"users": options.users, "seconds": options.seconds, "workers": options.workers, "machine load before": os.getloadavg()[0]} | costs | load
    print(json.dumps(result, indent=1))
    return 1 if load.get("errors") else 0


@contextmanager
def town(users: int, workers: int, rtt_ms: int = 0) -> Iterator[Town]:
    """The scripted hospital, Priors in front of it as the demo runs it, and a live launch for each user. `rtt_ms`: how far the archives are."""
    folder = Path(tempfile.mkdtemp(prefix="priors-load-"))
    children = Children(folder / "logs")
    try:
        ehr, *archives = (free_port() for _ in range(1 + len(hospital.SECONDS)))
        near, port, key = archives, free_port(), folder / "key"
        if rtt_ms:
            archives = [free_port() for _ in near]
            for target, listen in zip(near, archives, strict=True):
                children.start(f"delay-{listen}", [sys.executable, "-m", "bench.delay", str(target), str(rtt_ms), str(listen)])
        key.touch(0o600)
        key.write_text(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        config = folder / "priors.yaml"
        config.write_text(yaml.safe_dump(_settings(folder, port, ehr, archives)))
        children.start("hospital", [sys.executable, "-m", "bench.load.hospital", str(ehr), *map(str, near)])
        environment = {"PRIORS_CONFIG": str(config)}
        charts = _launches(config, ehr, users)
        command = [sys.executable, "-m", "gunicorn", "-c", "python:sandbox.demo.gunicorn_settings", "--bind", f"127.0.0.1:{port}", "--no-control-socket"]
        priors = children.start("priors", [*command, "--workers", str(workers), "smart_app.factory:create_app()"], environment)
        children.wait_ready(priors, port, "/readyz", "app.localhost")
        yield Town(port, f"app.localhost:{port}", archives, charts, priors)
    finally:
        children.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path, port: int, ehr: int, archives: Sequence[int]) -> dict[str, object]:
    return {
        "public_url": f"http://app.localhost:{port}", "development": True, "data_dir": str(folder / "data"),
        "sealing_keys": [{"id": "k", "file": str(folder / "key")}],
        "ehrs": [{"key": "ehr", "name": "Load", "issuer": f"http://127.0.0.1:{ehr}/fhir", "client_id": "c", "allow_http": True}],
        "archives": [
            {"key": f"a{at}", "name": f"Archive {at}", "dicomweb": f"http://127.0.0.1:{one}/rs", "patient_id_issuer": f"A{at}",
             "identifier_systems": [f"urn:archive:{at}"], "local": at == 0, "allow_http": True}
            for at, one in enumerate(archives)
        ],
    }  # fmt: skip


def _launches(config: Path, ehr: int, users: int) -> list[Chart]:
    """Live launches, one a user, each of its own patient, as the launch itself would leave them."""
    parts = build(config_file.load(config, {}))
    charts, now, issuer = [], datetime.now(UTC), f"http://127.0.0.1:{ehr}/fhir"
    for at in range(users):
        handle = secrets.token_urlsafe(24)
        context = LaunchContext(handle, "ehr", issuer, User(issuer, f"doctor-{at}"), f"u{at}", None, frozenset({"patient/*.rs"}), now, now + timedelta(hours=4))
        cookie = parts.store.open_launch(None, context, TokenSet("token", now + timedelta(hours=4)))
        charts.append(Chart(f"u{at}", handle, f"{BROWSER_COOKIE}={cookie}"))
    parts.database.engine.dispose()
    return charts


def _costs(found: Town) -> dict[str, float]:
    """Processor seconds of the workers for one list, one opened study, one frame: one user, one thing at a time."""
    chart, line, tally = found.charts[0], Line(found.port, found.host, found.charts[0].cookie), Tally()
    study = hospital.study_uid(chart.patient, 0, 0)

    async def repeat(times: int, what: str) -> float:
        before = found.processor()
        for at in range(times):
            if what == "list":
                await listed(line, chart, tally)
            elif what == "study":
                await opened(line, chart, hospital.study_uid(chart.patient, at % 3, at % 2), tally)
            else:
                await looked(line, chart, study, at % hospital.SLICES, tally)
        return 1000 * (found.processor() - before) / times

    async def all_three() -> dict[str, float]:
        warm = await repeat(1, "list")
        costs = {"ms processor a list": await repeat(2, "list"), "ms processor an opened study": await repeat(30, "study"), "ms processor a frame": await repeat(200, "frame")}
        line.close()
        return costs | {"ms processor the first list": warm}

    return asyncio.run(all_three())


async def _load(found: Town, seconds: float) -> dict[str, object]:
    tally = Tally()
    at_start = found.resident()
    spread = min(60.0, seconds / 2)
    count = len(found.charts)
    resident: list[float] = []

    async def watch() -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            await asyncio.sleep(1)
            resident.append(found.resident())

    used = found.processor()
    people = (user(found.port, found.host, chart, seconds, spread * at / count, tally) for at, chart in enumerate(found.charts))
    await asyncio.gather(*people, direct(found.archives[0], seconds, tally), watch())
    third = max(1, len(resident) // 3)
    early, late = statistics.median(resident[third : 2 * third] or resident), statistics.median(resident[-third:])
    frame, anchor = tally.times.get("frame", [0.0]), tally.times.get("direct frame", [0.0])
    whole = tally.times.get("list healthy", [0.0])
    return {
        "lists": len(tally.times.get("list asked", ())), "frames": len(tally.times.get("frame asked", ())), "opened": len(tally.times.get("open asked", ())),
        "errors": dict(tally.errors),
        "list first ms p50/p95": _span(tally.times.get("list first", [0.0])), "list healthy ms p50/p95": _span(whole), "list done ms p50/p95": _span(tally.times.get("list done", [0.0])),
        "list overhead p95 ms": round(1000 * (_quantile(whole, 0.95) - SLOWEST), 1),
        "frame ms p50/p95/p99": [*_span(frame), round(1000 * _quantile(frame, 0.99), 1)], "direct frame ms p50/p95": _span(anchor),
        "frame overhead p95 ms": round(1000 * (_quantile(frame, 0.95) - statistics.median(anchor)), 1),
        "workers MiB start/second third/last third": [round(at_start), round(early), round(late)], "growth percent": round(100 * (late - early) / early, 1),
        "workers processor cores": round((found.processor() - used) / seconds, 2),
    }  # fmt: skip


def _quantile(values: Sequence[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def _span(values: Sequence[float]) -> list[float]:
    return [round(1000 * _quantile(values, share), 1) for share in (0.5, 0.95)]


if __name__ == "__main__":
    raise SystemExit(main())
