"""Opens connections before they are needed: a question that follows finds TCP and TLS done. Sends nothing over them.

The same dialer as for a call: approved origins, checked addresses, verified certificates. What fails here fails in silence;
the call itself will say what is wrong.
"""

from __future__ import annotations

import threading
from typing import Any

from urllib3 import HTTPConnectionPool

from smart_app.outbound.connections import CURRENT, Call


class Warmer:
    """At most one warming of a pool at a time; each on a thread of its own, bounded by its call's deadline."""

    def __init__(self) -> None:
        self._busy: set[int] = set()
        self._lock = threading.Lock()

    def warm(self, pool: HTTPConnectionPool, call: Call, count: int) -> None:
        with self._lock:
            if id(pool) in self._busy:
                return
            self._busy.add(id(pool))
        threading.Thread(target=self._open, args=(pool, call, count), name="warm", daemon=True).start()

    def _open(self, pool: HTTPConnectionPool, call: Call, count: int) -> None:
        CURRENT.set(call)  # this thread's own context ends with it
        taken: list[Any] = []
        try:
            for _ in range(count):
                connection: Any = pool._get_conn()
                taken.append(connection)
                if connection.sock is None:
                    pool._validate_conn(connection)  # connects TLS ones
                    if connection.sock is None:
                        connection.connect()
                    # Idle until used: should the peer drop it meanwhile, the call may ask again on a fresh one.
                    connection.asked = True
        except Exception:
            # Whatever it was, the call that follows meets it too, and says it in words.
            if taken:
                taken.pop().close()
                pool._put_conn(None)
        finally:
            for connection in taken:
                pool._put_conn(connection)
            with self._lock:
                self._busy.discard(id(pool))
