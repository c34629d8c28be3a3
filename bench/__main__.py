"""`bench/run`: one interleaved run of everything, a table, and `docs/performance.md`. See `--help`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from bench import browser, listing, memory, report, transfers
from bench.document import Machine, document
from bench.places import RTT_MS, WORKERS, Places, places
from bench.samples import Samples

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "bench" / "out"
PARTS = ("list", "memory", "transfers", "browser")
SLICES = 300


@dataclass(frozen=True)
class Effort:
    """How often each thing is measured, and the seconds after which the whole run gives up."""

    transfers: int
    transfers_far: int
    first_frames: int
    lists: int
    visits: int
    visits_far: int
    byte_visits: int
    limit: int


FULL = Effort(transfers=7, transfers_far=4, first_frames=9, lists=9, visits=6, visits_far=4, byte_visits=1, limit=720)
QUICK = Effort(transfers=3, transfers_far=1, first_frames=3, lists=3, visits=2, visits_far=1, byte_visits=1, limit=300)


class OutOfTime(BaseException):
    """The run took longer than it may: what was measured is told, what was started is stopped."""


def main() -> int:
    options = _parser().parse_args()
    effort = QUICK if options.quick else FULL
    chosen = options.only.split(",") if options.only else list(PARTS)
    if wrong := set(chosen) - set(PARTS):
        print(f"--only knows {', '.join(PARTS)}, not {', '.join(sorted(wrong))}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGALRM, _late)
    samples, before, begun = Samples(), os.getloadavg(), time.monotonic()
    with places(WORK, SLICES, _say, browser="browser" in chosen) as found:
        _say(f"Measuring ({'short' if options.quick else 'full'} run; load before it {before[0]:.1f}).")
        signal.alarm(effort.limit)
        try:
            for part in chosen:
                since = time.monotonic()
                _measure(part, found, samples, effort)
                _say(f"  {part}: {time.monotonic() - since:.0f} s")
        except OutOfTime:
            _say(f"  {part}: stopped, the run took {effort.limit // 60} minutes; what was measured until then follows")
        finally:
            signal.alarm(0)
    table, more = report.lines(samples, RTT_MS), report.beside(samples, RTT_MS)
    print(report.terminal(table, more))
    (WORK / "samples.json").write_text(json.dumps(samples.values, indent=1))
    if options.write or not (options.quick or options.only):
        machine = Machine.this(before, time.monotonic() - begun)
        (ROOT / "docs" / "performance.md").write_text(document(table, more, samples, machine, "--quick" if options.quick else ""))
        _say("Written: docs/performance.md")
    return 0


def _measure(part: str, found: Places, samples: Samples, effort: Effort) -> None:
    found.priors.serve(WORKERS)
    if part == "list":
        listing.measure(found, samples, effort.lists)
    elif part == "transfers":
        transfers.measure(found, samples, effort.transfers, effort.transfers_far, effort.first_frames)
    elif part == "memory":
        memory.measure(found, samples)
    else:
        browser.measure(found, samples, effort.visits, effort.visits_far, effort.byte_visits, WORK / "pictures")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench/run", description="Priors beside Orthanc, nginx and OHIF on this machine.")
    parser.add_argument("--quick", action="store_true", help="few repetitions, under four minutes; does not write the document")
    parser.add_argument("--only", metavar="PARTS", help=f"some of {','.join(PARTS)}; does not write the document")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md all the same")
    return parser


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _late(*_: object) -> None:
    raise OutOfTime


if __name__ == "__main__":
    raise SystemExit(main())
