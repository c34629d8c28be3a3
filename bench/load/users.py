"""The users: each has an open chart, loads its list once a minute and looks at an image a second otherwise. One asyncio process.

What is counted: every answer's time, every answer that is not what it should be, and how far a list or a frame lies above the
time its archive takes by itself.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlencode

from bench.load import hospital

AS_STORED = 'multipart/related; type="application/octet-stream"; transfer-syntax=*'
HEALTHY = [at for at, seconds in enumerate(hospital.SECONDS) if seconds is not None and seconds < 1]
SLOWEST = max(seconds for seconds in hospital.SECONDS if seconds is not None and seconds < 1)
LIMIT = 60.0


@dataclass(frozen=True)
class Chart:
    """One live launch."""

    patient: str
    handle: str
    cookie: str


@dataclass
class Tally:
    """Seconds by kind; errors by kind and reason."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, seconds: float) -> None:
        self.times.setdefault(kind, []).append(seconds)


class Wrong(Exception):
    """An answer that is not what it should be; the text is a fixed word."""


class Line:
    """One keep-alive connection to Priors, or to an archive."""

    def __init__(self, port: int, host: str, cookie: str = "") -> None:
        self._port, self._host, self._cookie = port, host, cookie
        self._pair: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str, accept: str = "*/*") -> tuple[int, dict[str, str], bytes]:
        pieces = []
        status, headers, stream = await self.begin(path, accept)
        async for piece in stream:
            pieces.append(piece)
        return status, headers, b"".join(pieces)

    async def begin(self, path: str, accept: str):  # type: ignore[no-untyped-def]
        if self._pair is None or self._pair[0].at_eof() or self._pair[1].is_closing():
            self._pair = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        reader, writer = self._pair
        cookie = f"Cookie: {self._cookie}\r\n" if self._cookie else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\nAccept: {accept}\r\n{cookie}\r\n".encode())
        first = await reader.readline()
        if not first:
            self._pair = None
            return await self.begin(path, accept)
        headers: dict[str, str] = {}
        while (raw := await reader.readline()) not in (b"\r\n", b""):
            name, _, value = raw.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return int(first.split(b" ")[1]), headers, self._body(reader, headers)

    async def _body(self, reader: asyncio.StreamReader, headers: dict[str, str]):  # type: ignore[no-untyped-def]
        if headers.get("transfer-encoding", "").lower() == "chunked":
            while size := int((await reader.readline()).split(b";")[0], 16):
                yield await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
        else:
            left = int(headers.get("content-length") or 0)
            while left:
                piece = await reader.read(min(left, 1 << 18))
                if not piece:
                    raise Wrong("cut short")
                left -= len(piece)
                yield piece
        if headers.get("connection", "").lower() == "close":
            self.close()

    def close(self) -> None:
        if self._pair is not None:
            self._pair[1].close()
            self._pair = None


async def listed(line: Line, chart: Chart, tally: Tally) -> None:
    """Load the list to its end, as its page does: the rows of the healthy archives, whole, and the truth about the others."""
    begun, event = time.perf_counter(), "later"
    healthy = {hospital.study_uid(chart.patient, at, one) for at in HEALTHY for one in range(hospital.STUDIES)}
    seen: set[str] = set()
    told: dict[str, dict[str, object]] = {}
    query = ""
    while event == "later":
        event = await _streamed(line, f"/l/{chart.handle}/studies/stream{query}", told, healthy, seen, begun, tally)
        if event == "later":  # its thread was needed: the asking goes on, and the page comes back for the rest
            later = told["later"]
            await asyncio.sleep(int(str(later["after"])) / 1000)
            query = "?" + urlencode([("since", str(later["since"])), *(("asking", key) for key in later["asking"])])  # type: ignore[attr-defined]
    tally.add("list done", time.perf_counter() - begun)
    strip = told.get("strip", {})
    if event != "done":
        raise Wrong("list without an end")
    if not healthy <= seen:
        raise Wrong("list misses a study")
    if any(hospital.owner(uid)[0] != chart.patient for uid in seen):
        raise Wrong("list of another patient")
    if strip.get("tone") != "partial" or strip.get("none_found"):
        raise Wrong("list claims to be whole")


async def _streamed(
    line: Line, path: str, told: dict[str, dict[str, object]], healthy: set[str], seen: set[str], begun: float, tally: Tally
) -> str:
    """Read one stream to its end; the name of its last event. `told` keeps the last of each."""
    status, _, stream = await line.begin(path, "text/event-stream")
    if status != 200:
        async for _piece in stream:
            pass
        raise Wrong(f"list answered {status}")
    rest, event = b"", ""
    async for piece in stream:
        rest += piece
        while b"\n" in rest:
            text, _, rest = rest.partition(b"\n")
            if text.startswith(b"event: "):
                event = text[7:].decode()
            elif text.startswith(b"data: "):
                told[event] = json.loads(text[6:])
                if event == "rows":
                    fresh = {row["uid"] for row in told[event]["rows"]}  # type: ignore[attr-defined]
                    if not seen and fresh:
                        tally.add("list first", time.perf_counter() - begun)
                    if not healthy <= seen and healthy <= seen | fresh:
                        tally.add("list healthy", time.perf_counter() - begun)
                    seen |= fresh
    return event


async def looked(line: Line, chart: Chart, study: str, at: int, tally: Tally) -> None:
    """One frame through the gateway."""
    where = hospital.owner(study)[1]
    begun = time.perf_counter()
    path = f"/l/{chart.handle}/dicomweb/a{where}/studies/{study}/series/{hospital.series_uid(study)}/instances/{hospital.instance_uid(study, at)}/frames/1"
    status, _, body = await line.get(path, AS_STORED)
    tally.add("frame", time.perf_counter() - begun)
    if status != 200:
        raise Wrong(f"frame answered {status}")
    if len(body) < hospital.FRAME:
        raise Wrong("frame too short")


async def opened(line: Line, chart: Chart, study: str, tally: Tally) -> None:
    """What the viewer asks when a study is opened: its outline and the metadata of its series."""
    where, begun = hospital.owner(study)[1], time.perf_counter()
    for path in (f"/l/{chart.handle}/outline/a{where}/{study}",
                 f"/l/{chart.handle}/dicomweb/a{where}/studies/{study}/series/{hospital.series_uid(study)}/metadata"):  # fmt: skip
        status, _, _ = await line.get(path, "application/dicom+json, application/json")
        if status != 200:
            raise Wrong(f"open answered {status}")
    tally.add("open", time.perf_counter() - begun)


async def user(port: int, host: str, chart: Chart, seconds: float, begins: float, tally: Tally) -> None:
    """One user until `seconds` have passed: a list a minute, the rest of the minute an image a second, each study looked at for ten."""
    chosen = random.Random(chart.patient)
    end = time.perf_counter() + seconds
    await asyncio.sleep(begins)
    line = Line(port, host, chart.cookie)
    while time.perf_counter() < end:
        minute = time.perf_counter() + 60
        await _counted(listed(line, chart, tally), "list", tally, line)
        while time.perf_counter() < min(minute, end):
            study = hospital.study_uid(chart.patient, chosen.choice(HEALTHY), chosen.randrange(hospital.STUDIES))
            await _counted(opened(line, chart, study, tally), "open", tally, line)
            for at in range(10):
                due = time.perf_counter() + 1
                await _counted(looked(line, chart, study, at, tally), "frame", tally, line)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                if time.perf_counter() >= min(minute, end):
                    break
    line.close()


async def direct(port: int, seconds: float, tally: Tally) -> None:
    """The anchor, in the same minutes: two frames a second straight from an archive."""
    line, end = Line(port, "127.0.0.1"), time.perf_counter() + seconds
    study = hospital.study_uid("u0", 0, 0)
    while time.perf_counter() < end:
        begun = time.perf_counter()
        path = f"/rs/studies/{study}/series/{hospital.series_uid(study)}/instances/{hospital.instance_uid(study, 1)}/frames/1"
        await line.get(path, AS_STORED)
        tally.add("direct frame", time.perf_counter() - begun)
        await asyncio.sleep(0.5)
    line.close()


async def _counted(asked, kind: str, tally: Tally, line: Line) -> None:  # type: ignore[no-untyped-def]
    try:
        await asyncio.wait_for(asked, LIMIT)
        tally.add(f"{kind} asked", 0)
    except (Wrong, OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
        tally.errors[f"{kind}: {error or type(error).__name__}"] += 1
        line.close()
