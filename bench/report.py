"""The table: each figure beside its anchor, what this version has to reach and what is aimed at; on the terminal and in the docs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.samples import Samples
from bench.transfers import WORKERS


@dataclass(frozen=True)
class Line:
    figure: str
    what: str
    ours: str
    anchor: str
    compared: float
    """What the targets are about: a ratio, or the figure itself where `unit` says so."""
    unit: str
    now: float | None
    """What this version must reach."""
    final: float | None

    @property
    def value(self) -> str:
        return "–" if math.isnan(self.compared) else _number(self.compared) + self.unit

    def target(self, limit: float | None) -> str:
        return "" if limit is None else f"≤ {_number(limit)}{self.unit}"

    @property
    def verdict(self) -> str:
        """About this version's target; a figure without one is only told."""
        if math.isnan(self.compared):
            return "not measured"
        if self.now is None and self.final is None:
            return ""
        if self.now is not None:
            return "met" if self.compared <= self.now else "MISSED"
        return "final met" if self.final is not None and self.compared <= self.final else "final open"


def lines(samples: Samples, rtt: int) -> list[Line]:
    far = f"archive {rtt} ms away"

    def ratio(figure: str, what: str, ours: str, anchor: str, than: str, now: float | None, final: float | None, show: Callable[[float], str] = _seconds) -> Line:
        return Line(figure, what, show(samples.median(ours)), f"{than} {show(samples.median(anchor))}", samples.ratio(ours, anchor), "x", now, final)

    megabytes = samples.median("bytes before first image priors") / 1e6
    rows_late = (samples.median("list first rows") - samples.median("list archive near")) * 1000
    return [
        ratio("P1", "first image on screen, cold browser", "first image priors", "first image ohif", "OHIF", 0.25, 0.10, _milliseconds),
        ratio("P2", "all images ready, cold browser", "all images priors", "all images ohif", "OHIF", None, 0.25, _milliseconds),
        ratio("P3", f"first image, {far}", "first image priors far", "first image ohif far", "OHIF", None, 0.12, _milliseconds),
        ratio("P3", f"all images, {far}", "all images priors far", "all images ohif far", "OHIF", None, 0.25, _milliseconds),
        *(line for workers in WORKERS for line in _transfers(ratio, workers, far)),
        Line("P8", "list: first rows after the fastest archive's own answer", _seconds(samples.median("list first rows")),
             f"archive {_seconds(samples.median('list archive near'))}", rows_late, " ms", None, 50),
        ratio("P8", "list: last rows against the slowest archive", "list last rows", "list archive far", "archive", None, 1.05),
        *(
            Line("P9", f"worker memory above idle, relaying 1 GB, {_workers(count)}", f"{samples.median(f'worker growth MiB {count}w'):.0f} MiB",
                 f"idle {samples.median(f'worker idle MiB {count}w'):.0f} MiB", samples.median(f"worker growth MiB {count}w"), " MiB", 64, 64)
            for count in WORKERS
        ),
        Line("P11", "bytes on the wire before the first image", f"{megabytes:.2f} MB",
             f"OHIF {samples.median('bytes before first image ohif') / 1e6:.2f} MB", megabytes, " MB", None, 1.0),
    ]  # fmt: skip


def _transfers(ratio: Callable[..., Line], workers: int, far: str) -> list[Line]:
    by, told = f" {workers}w", _workers(workers)
    direct, distant = f"frames direct{by}", f"frames direct far{by}"
    return [
        ratio("P4", f"the series, kept, one answer, {told}", f"series gateway kept{by}", direct, "direct, frames", None, 0.30),
        ratio("P4", f"300 frames one by one, kept, {told}", f"frames gateway kept{by}", direct, "direct", None, None),
        ratio("P5", f"the series, nothing kept, one answer, {told}", f"series gateway{by}", direct, "direct, frames", 1.5, 1.0),
        ratio("P5", f"300 frames one by one, nothing kept, {told}", f"frames gateway{by}", direct, "direct", None, None),
        ratio("P6", f"the series, nothing kept, one answer, {far}, {told}", f"series gateway far{by}", distant, "direct, frames", None, 0.40),
        ratio("P6", f"300 frames one by one, nothing kept, {far}, {told}", f"frames gateway far{by}", distant, "direct", None, None),
        ratio("P7", f"first frame of a study just opened, {told}", f"first frame opened{by}", f"first frame direct{by}", "direct", None, 1.1),
        ratio("P7", f"first frame of a study just opened, {far}, {told}", f"first frame opened far{by}", f"first frame direct far{by}", "direct", None, 1.1),
        ratio("P7", f"a frame of a series that is kept, {told}", f"frame kept gateway{by}", f"frame kept direct{by}", "direct", None, 1.1),
        ratio("P7", f"a frame of a series that is kept, {far}, {told}", f"frame kept gateway far{by}", f"frame kept direct far{by}", "direct", None, 1.1),
        ratio("P7", f"a frame from rest, nothing on its way, {told}", f"first frame gateway{by}", f"first frame direct{by}", "direct", None, None),
        ratio("P7", f"a frame from rest, {far}, {told}", f"first frame gateway far{by}", f"first frame direct far{by}", "direct", None, None),
    ]


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"


def beside(samples: Samples, rtt: int) -> list[tuple[str, str]]:
    """What is not compared with a target, but says where the limits are."""
    def beside_ohif(name: str, suffix: str) -> str:
        ours, anchor = f"{name} priors{suffix}", f"first image ohif{suffix}"
        return f"{_milliseconds(samples.median(ours))}, {samples.ratio(ours, anchor):.2f}x of OHIF's first image"

    found = [
        ("the first image in Priors as painted (2D canvas)", beside_ohif("priors:first-picture", "")),
        ("the same image drawn again by WebGL, ready for tools", beside_ohif("priors:first-image", "")),
        (f"painted, archive {rtt} ms away", beside_ohif("priors:first-picture", " far")),
        (f"drawn by WebGL, archive {rtt} ms away", beside_ohif("priors:first-image", " far")),
        ("300 frames through nginx proxy_pass, against direct", f"{samples.ratio('frames nginx 1w', 'frames direct 1w'):.2f}x"),
        ("300 frames from nginx proxy_cache, against direct", f"{samples.ratio('frames nginx cache 1w', 'frames direct 1w'):.2f}x"),
        ("the series as one answer direct, against 300 frames direct", f"{samples.ratio('series direct 1w', 'frames direct 1w'):.2f}x"),
        (f"the same, archive {rtt} ms away", f"{samples.ratio('series direct far 1w', 'frames direct far 1w'):.2f}x"),
    ]
    return [(what, value) for what, value in found if "nan" not in value]


def terminal(found: Sequence[Line], more: Sequence[tuple[str, str]]) -> str:
    rows = [("", "figure", "ours", "anchor", "compared", "this version", "final", "")]
    rows += [(one.figure, one.what, one.ours, one.anchor, one.value, one.target(one.now), one.target(one.final), one.verdict) for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text = "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return text + "\n\n" + "\n".join(f"{what}: {value}" for what, value in more)


def _number(value: float) -> str:
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.0f}"


def _seconds(value: float) -> str:
    return "–" if math.isnan(value) else f"{value * 1000:.0f} ms" if value < 0.2 else f"{value:.2f} s"


def _milliseconds(value: float) -> str:
    return _seconds(value / 1000)
