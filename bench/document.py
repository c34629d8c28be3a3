"""`docs/performance.md`: the table of one run with its machine, versions and what limits each figure."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import ohif
from bench.places import FAR_PARALLEL, RTT_MS, WORKERS
from bench.report import Line
from bench.samples import Samples

READINGS = (
    ("P1", "The page's head asks for the outline, for the first image's UID and for its file while the page's own code is still on its way; one file names "
           "patient, study and series and holds the pixels. What is left is the browser's own work: script, layout, and the first canvas, which waits for the "
           "graphics process. Without a graphics card all of that is drawn by the same two cores. The list asks its sources after the first picture, or a second."),
    ("P2", "One multipart answer for the series, fetched, split and turned into values by a worker beside the page while Cornerstone waits its turn; the stack "
           "scrolls on the 2D canvas until WebGL is there. The limit is the series' metadata (judged one by one, some hundred milliseconds of Python) and the "
           "copies of 157 MB through Orthanc, gunicorn and the browser's network process on two cores. OHIF asks for 300 frames one by one."),
    ("P3", "As P1 and P2, plus round trips: each new connection to the archive costs two of them, and slow start several more until half a megabyte fits "
           "its window. One stream is bound by its window for each round trip."),
    ("P4", "The series as one answer is one file that the kernel sends; each image of it was judged for this launch first. One by one, an image costs "
           "about a millisecond and a half of Python (gunicorn, Flask, the checks, a log line), whoever keeps it: nginx in front would not change that, since "
           "each has to be allowed."),
    ("P5", "The one answer follows the retrieval: bytes are read from the archive, judged, written to a file and read again, beside Orthanc on the same two "
           "cores. The viewer uses the one answer; single frames are asked for only where somebody jumps ahead of the stream."),
    ("P6", "One stream is bound by a window of 4 MiB for each round trip, an image fetched by itself by the round trip; both at once, with half of the calls "
           f"the archive allows, fill the line. This run allows the distant archives {FAR_PARALLEL} calls (`limits.parallel`; the default is 8)."),
    ("P7", "The first frame of a launch is audited before its first byte: a write to disk that the direct way does not have. What else remains is what one "
           "request costs us. At a distance it disappears in the round trips."),
    ("P9", "Answers are streamed in pieces of a megabyte at most; only single frames and small objects are ever held whole. Kept images are files, not memory."),
    ("P11", "The page, three weights of its font, the viewer's own code and one frame of 525 kB. Cornerstone comes after the first image."),
)  # fmt: skip


@dataclass(frozen=True)
class Machine:
    """Where and when a run was made."""

    day: str
    processor: str
    cores: int
    memory_gib: float
    system: str
    load: float
    minutes: float
    versions: tuple[tuple[str, str], ...]

    @classmethod
    def this(cls, load: tuple[float, float, float], seconds: float) -> Machine:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
        return cls(
            datetime.now(UTC).date().isoformat(), _processor(), os.cpu_count() or 1, memory, _system(), load[0], seconds / 60, tuple(_versions())
        )


def document(lines: Sequence[Line], more: Sequence[tuple[str, str]], samples: Samples, machine: Machine, flags: str) -> str:
    rows = "\n".join(
        f"| {one.figure} | {one.what} | {one.ours} | {one.anchor} | **{one.value}** | {one.target(one.now)} | {one.target(one.final)} | {one.verdict} |" for one in lines
    )
    limits = "\n".join(f"- {what}: {value}" for what, value in more)
    readings = "\n".join(f"- **{figures}**: {text}" for figures, text in READINGS)
    versions = ", ".join(f"{name} {number}" for name, number in machine.versions)
    counts = f"browser visits n={samples.count('first image priors')} ({samples.count('first image priors far')} at {RTT_MS} ms), "
    counts += f"transfers n={samples.count('frames direct 1w')} ({samples.count('frames direct far 1w')} at {RTT_MS} ms), "
    counts += f"single frames n={samples.count('first frame direct 1w')}, lists n={samples.count('list done')}"
    return f"""# Performance

Written by `make bench`; a run replaces this file. Priors is compared, on one machine and in one run, with what it stands
in front of (Orthanc, asked directly), what could stand there instead (nginx) and the viewer most people would use (OHIF).
Only the ratios mean much: everything shares the machine's cores, the browser draws without a graphics card, and the same
direct run differs by half between a quiet and a busy minute. Ours and the anchor alternate (A B A B …); figures are medians.

| | |
|---|---|
| Date | {machine.day} |
| Machine | {machine.cores} cores ({machine.processor}), {machine.memory_gib:.0f} GiB, {machine.system}; all of it on this machine |
| Load before the run | {machine.load:.1f} (of {machine.cores} cores): {_quiet(machine)} |
| Run | `bench/run{" " + flags if flags else ""}`, {machine.minutes:.0f} minutes; {counts} |
| Versions | {versions} |

## Figures

| | figure | ours | anchor | compared | this version | final | |
|---|---|---|---|---|---|---|---|
{rows}

Beside them:

{limits}

## How it is measured

The study is a 300-slice 512 x 512 CT phantom (157.7 MB, explicit little endian), drawn by `bench/phantom.py`, the same on
every machine. It lies in Debian's Orthanc under a demo patient's numbers. Priors runs as the demo runs it: gunicorn with {WORKERS}
workers of 24 threads (transfers and memory: 1 and 4), the demo EHR beside it, default settings but for `limits.parallel: {FAR_PARALLEL}` of the
distant archives. There is no nginx in front of Priors. The archive "{RTT_MS} ms away" is the same Orthanc behind
`bench/delay.py`, which adds the round trip, one more for a new connection, and TCP's slow start.

- **First image** is the first moment at which a canvas of at least 200 x 200 pixels *shows* a picture (5 % of it lit, 16 grey
  levels), watched in the same way in both pages from inside them, counted from the navigation. In Priors that is the
  series' own first image with its own window at its full resolution, painted on a 2D canvas (`priors:first-picture`);
  the same image drawn by Cornerstone in WebGL, on which tools work, follows (`priors:first-image`). Both are above.
- **All images** is, in Priors, the moment when all 300 are decoded, kept and can be scrolled to (`priors:all-images`); each visit goes to
  the last one to prove it. Until Cornerstone is there they are painted as the first one is; its tools come with `priors:first-image`.
  For OHIF it is the arrival of the last of 300 frames, which is kinder: its decoding is not waited for.
- **Cold** is a new browser profile that has finished starting and has loaded no page. Priors' page is the study's own
  address in a live launch whose list was loaded before, with nothing of the series kept by Priors; OHIF's is its viewer with the study's UID. OHIF {ohif.VERSION} is the build
  its makers ship in the npm package, served by nginx with gzipped files; it asks Orthanc through the same nginx, with no login.
- **Frames** are fetched over 6 keep-alive connections by `bench/wire.py`, which parses next to nothing: the ruler must not
  cost what it measures. Every round asks through a new launch that has read the metadata, as the viewer does.
- **Nothing kept**: the folder of kept images was emptied before, and nothing was on its way when the clock started. **Kept**: another
  launch, of a person who has not looked at this series yet, when an earlier launch had it fetched. The product's viewer asks for
  the series as one answer, so that is the figure the targets are held against; one by one is told beside it.
- **First frame**, over a new connection: of a study whose outline has just been asked for, as the viewer does, which begins to fetch the
  series (it includes the launch's audit record); of a series that is kept, in a launch that has looked at it; and from rest, with
  nothing kept and no connection of ours to the archive alive (Orthanc drops one after 1 s).
- **The list** is asked of the chart and three archives, one at 0 ms and two at {RTT_MS} ms. An archive's own answer is the answer to the
  same question over a new connection.
- **Memory** is a worker's resident size, looked at every 20 ms while series and frames pass, above what it was after the first.

Run it again with `make bench` (about 12 minutes on 2 cores; the first time it also draws the study and fetches OHIF), or
`bench/run --quick` (under four minutes, prints only), or a part: `bench/run --only transfers`. It needs Debian's orthanc,
orthanc-dicomweb, nginx-light and chromium, and installs them when it may. All servers listen on loopback and are
stopped at the end. No test asserts a time.

## What limits each figure

{readings}
"""


def _quiet(machine: Machine) -> str:
    if machine.load < 0.5 * machine.cores:
        return "quiet"
    return "others were using the machine: absolute times are too long, ratios less exact"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _system() -> str:
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return platform.system()


def _versions() -> list[tuple[str, str]]:
    found = [("Orthanc", _package("orthanc")), ("orthanc-dicomweb", _package("orthanc-dicomweb")), ("nginx", _package("nginx-light"))]
    found += [("Chromium", _package("chromium")), ("OHIF", ohif.VERSION), ("Python", platform.python_version())]
    return [*found, *((name, version(name)) for name in ("flask", "gunicorn", "urllib3"))]


def _package(name: str) -> str:
    said = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True, text=True, check=False)
    return said.stdout.split("+")[0].split("-")[0] or "unknown"
