"""The table: each figure beside its anchor, what this version has to reach and what is aimed at; on the terminal and in the docs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.samples import Samples


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
        ratio("P4", "300 frames through the gateway, second time", "frames gateway again", "frames direct", "direct", None, 0.30),
        ratio("P5", "300 frames through the gateway, one by one", "frames gateway", "frames direct", "direct", 1.5, 1.0),
        ratio("P5", "the series through the gateway, one answer", "series gateway", "frames direct", "direct, frames", 1.5, 1.0),
        ratio("P6", f"300 frames one by one, {far}", "frames gateway far", "frames direct far", "direct", None, 0.40),
        ratio("P6", f"the series, one answer, {far}", "series gateway far", "frames direct far", "direct, frames", None, 0.40),
        ratio("P7", "first frame, new connection", "first frame gateway", "first frame direct", "direct", None, 1.1),
        ratio("P7", f"first frame, new connection, {far}", "first frame gateway far", "first frame direct far", "direct", None, 1.1),
        Line("P8", "list: first rows after the fastest archive's own answer", _seconds(samples.median("list first rows")),
             f"archive {_seconds(samples.median('list archive near'))}", rows_late, " ms", None, 50),
        ratio("P8", "list: last rows against the slowest archive", "list last rows", "list archive far", "archive", None, 1.05),
        Line("P9", "worker memory above idle, relaying 1 GB", f"{samples.median('worker growth MiB'):.0f} MiB",
             f"idle {samples.median('worker idle MiB'):.0f} MiB", samples.median("worker growth MiB"), " MiB", 64, 64),
        Line("P11", "bytes on the wire before the first image", f"{megabytes:.2f} MB",
             f"OHIF {samples.median('bytes before first image ohif') / 1e6:.2f} MB", megabytes, " MB", None, 1.0),
    ]  # fmt: skip


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
        ("300 frames through nginx proxy_pass, against direct", f"{samples.ratio('frames nginx', 'frames direct'):.2f}x"),
        ("300 frames from nginx proxy_cache, against direct", f"{samples.ratio('frames nginx cache', 'frames direct'):.2f}x"),
        ("the series as one answer direct, against 300 frames direct", f"{samples.ratio('series direct', 'frames direct'):.2f}x"),
        (f"the same, archive {rtt} ms away", f"{samples.ratio('series direct far', 'frames direct far'):.2f}x"),
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
