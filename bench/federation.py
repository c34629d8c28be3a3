"""`python -m bench.federation`: statement 11. Five archives that answer in 0.1, 0.3, 1, 3 s and never, one list after another; then
90 requests that hang on one archive while other pages are asked for; then three archives 40 ms away. Prints ratios of one run. No figure is a test.

What a list is compared with is the archives' own answer to the very question Priors asks, over a new connection, in the same round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from http.client import HTTPConnection
from urllib.parse import urlencode

SECONDS = {"list": "0.1,0.3,1.0,3.0,never", "hang": "0.1,0.3,1.0,3.0,never", "far": "0.005,0.005,0.005"}
PART = next((one for one in SECONDS if one in sys.argv), "list")
os.environ["HOSPITAL_SECONDS"] = SECONDS[PART]

from bench.load import hospital  # noqa: E402  reads what the line above says
from bench.load.__main__ import Town, town  # noqa: E402
from bench.load.users import Chart  # noqa: E402
from smart_app.archives.qido import STUDY_FIELDS  # noqa: E402

HANGING = 90
RTT_MS = 40
FAR_ROUNDS = 15


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.federation", description="Lists over fast, slow and silent archives.")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=tuple(SECONDS))
    parser.add_argument("--hanging", type=int, default=HANGING)
    options = parser.parse_args()
    if options.only is None:
        # Each in a process of its own: the breakers of the first must not help the second.
        return max(subprocess.run([sys.executable, "-m", "bench.federation", *sys.argv[1:], "--only", one]).returncode for one in SECONDS)
    with town(HANGING + 10, options.workers, RTT_MS if options.only == "far" else 0) as found:
        result = _hang(found, options.hanging) if options.only == "hang" else _lists(found, options.rounds if options.only == "list" else FAR_ROUNDS)
    print(json.dumps(result, indent=1))
    return 0


def _lists(found: Town, rounds: int) -> dict[str, object]:
    own: dict[int, list[float]] = {}
    rows: dict[int, list[float]] = {}
    done, states = [], []
    for chart in found.charts[-8:]:  # every worker has done everything once before it is measured
        _page(found, chart)
        _list(found, chart, "?source=a0")
    for at in range(rounds):
        chart = found.charts[at]
        for archive, seconds in enumerate(hospital.SECONDS):
            if seconds is not None:
                own.setdefault(archive, []).append(_own(found, archive, chart))
        time.sleep(0.2)
        _page(found, chart)  # as a browser does: the page first, whose styles and code take it a while
        time.sleep(0.1)
        seen, tone, ended = _list(found, chart)
        for archive in own:
            rows.setdefault(archive, []).append(max(seen[hospital.study_uid(chart.patient, archive, one)] for one in range(hospital.STUDIES)))
        done.append(ended)
        states.append(tone)
    told = {
        f"archive {archive}, {hospital.SECONDS[archive]} s": {
            "own ms": _ms(own[archive]), "rows ms": _ms(rows[archive]), "ratio": round(statistics.median(rows[archive]) / statistics.median(own[archive]), 3),
            "after it ms": round(1000 * (statistics.median(rows[archive]) - statistics.median(own[archive])), 1),
        }
        for archive in own
    }  # fmt: skip
    return {"rounds": rounds, "load": os.getloadavg()[0], **told, "done s": round(statistics.median(done), 2), "tones": sorted(set(states))}


def _hang(found: Town, hanging: int) -> dict[str, object]:
    """p95 of other routes before, and while `hanging` requests hang on the archive that never answers (its breakers closed at first)."""
    for chart in found.charts[-8:]:
        _page(found, chart)
        _list(found, chart, "?source=a0")
    quiet = _others(found, 4.0)
    never = hospital.SECONDS.index(None)
    lists: list[tuple[dict[str, float], str, float]] = []
    threads = [threading.Thread(target=lambda c=chart: lists.append(_list(found, c, f"?source=a{never}")), daemon=True) for chart in found.charts[:hanging]]
    begun = time.perf_counter()
    for one in threads:
        one.start()
    time.sleep(4.0)  # all have begun: what remains is the hanging
    crowd = sum(one.is_alive() for one in threads)
    busy = _others(found, 4.0)
    still = sum(one.is_alive() for one in threads)
    for one in threads:
        one.join(60)
    return {
        "load": os.getloadavg()[0], "requests": hanging, "hanging when measured": [crowd, still], "all ended after s": round(time.perf_counter() - begun, 1),
        "ended": len(lists), "tones": sorted({tone for _, tone, _ in lists}),
        "others quiet ms p50/p95": [_ms(quiet), round(1000 * _p95(quiet), 1)], "others beside ms p50/p95": [_ms(busy), round(1000 * _p95(busy), 1)],
        "p95 ratio": round(_p95(busy) / _p95(quiet), 2), "asked": [len(quiet), len(busy)],
    }  # fmt: skip


def _others(found: Town, seconds: float) -> list[float]:
    """Pages of users who wait for no list, 20 a second, over new connections."""
    times: list[float] = []
    end, at = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        begun = time.perf_counter()
        _page(found, found.charts[-1 - at % 5])
        times.append(time.perf_counter() - begun)
        at += 1
        time.sleep(max(0.0, begun + 0.05 - time.perf_counter()))
    return times


def _own(found: Town, archive: int, chart: Chart) -> float:
    patient = hospital.patient_id(chart.patient, archive)
    query = urlencode([("PatientID", patient), *(("includefield", tag) for tag in STUDY_FIELDS), ("limit", "100"), ("offset", "0")])
    begun = time.perf_counter()
    line = HTTPConnection("127.0.0.1", found.archives[archive], timeout=30)
    line.request("GET", f"/rs/studies?{query}", headers={"Accept": "application/dicom+json"})
    line.getresponse().read()
    line.close()
    return time.perf_counter() - begun


def _page(found: Town, chart: Chart) -> None:
    line = HTTPConnection("127.0.0.1", found.port, timeout=60)
    line.request("GET", f"/l/{chart.handle}/studies", headers={"Host": found.host, "Cookie": chart.cookie})
    answer = line.getresponse()
    answer.read()
    line.close()
    if answer.status != 200:
        raise RuntimeError(f"the page answered {answer.status}")


def _list(found: Town, chart: Chart, query: str = "") -> tuple[dict[str, float], str, float]:
    """(study UID -> when its row came, the strip's last tone, when all was said). Comes back for the rest, as the page does."""
    begun, seen, tone = time.perf_counter(), {}, ""
    while True:
        line = HTTPConnection("127.0.0.1", found.port, timeout=60)
        line.request("GET", f"/l/{chart.handle}/studies/stream{query}", headers={"Host": found.host, "Cookie": chart.cookie})
        event, later = "", None
        for text in line.getresponse():
            if text.startswith(b"event: "):
                event = text[7:].strip().decode()
            elif text.startswith(b"data: "):
                data = json.loads(text[6:])
                if event == "rows":
                    for row in data["rows"]:
                        seen.setdefault(row["uid"], time.perf_counter() - begun)
                elif event == "strip":
                    tone = data["tone"]
                elif event == "later":
                    later = data
        line.close()
        if later is None:
            if event != "done":
                raise RuntimeError(f"the list ended with {event or 'nothing'}")
            return seen, tone, time.perf_counter() - begun
        time.sleep(later["after"] / 1000)
        query = "?" + urlencode([("since", later["since"]), *(("asking", one) for one in later["asking"])])


def _ms(values: Sequence[float]) -> float:
    return round(1000 * statistics.median(values), 1)


def _p95(values: Sequence[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


if __name__ == "__main__":
    raise SystemExit(main())
