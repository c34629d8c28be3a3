"""A distant archive on one machine: a TCP proxy that adds a round trip and TCP's slow start. Run as its own process.

`python -m bench.delay TARGET_PORT RTT_MS LISTEN_PORT...` Each direction is held back by half the round trip; a new
connection costs one round trip before its first byte, and may keep only its window in flight: 14 600 bytes at first,
growing by what was acknowledged, up to Linux's usual 4 MiB. (This kernel family often lacks netem, and needs root for it.)
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections import deque

FIRST_WINDOW = 14_600
LARGEST_WINDOW = 4 << 20


class Direction:
    """One way of one connection."""

    def __init__(self, half: float) -> None:
        self._half = half
        self._window, self._in_flight = FIRST_WINDOW, 0
        self._room, self._more = asyncio.Event(), asyncio.Event()
        self._queue: deque[tuple[float, bytes]] = deque()

    async def take(self, reader: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while self._in_flight >= self._window:
                self._room.clear()
                await self._room.wait()
            data = await reader.read(min(65536, self._window - self._in_flight))
            due = loop.time() + self._half
            if data:
                self._in_flight += len(data)
                loop.call_at(due + self._half, self._acknowledged, len(data))
            self._queue.append((due, data))
            self._more.set()
            if not data:
                return

    def _acknowledged(self, count: int) -> None:
        self._in_flight -= count
        self._window = min(LARGEST_WINDOW, self._window + count)
        self._room.set()

    async def give(self, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self._queue:
                self._more.clear()
                await self._more.wait()
            due, data = self._queue.popleft()
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            if not data:
                if writer.can_write_eof():
                    writer.write_eof()
                return
            writer.write(data)
            await writer.drain()


async def serve(target: int, rtt: float, ports: list[int]) -> None:
    """Listen on every port of `ports` until cancelled; `rtt` in seconds."""

    async def pair(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far: asyncio.StreamWriter | None = None
        try:
            await asyncio.sleep(rtt)
            far_reader, far = await asyncio.open_connection("127.0.0.1", target, limit=1 << 20)
            up, down = Direction(rtt / 2), Direction(rtt / 2)
            await asyncio.gather(up.take(reader), up.give(far), down.take(far_reader), down.give(writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            for one in (writer, far):
                if one is not None:
                    one.close()

    async with contextlib.AsyncExitStack() as running:
        for port in ports:
            await running.enter_async_context(await asyncio.start_server(pair, "127.0.0.1", port, limit=1 << 20))
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000, [int(port) for port in sys.argv[3:]]))
