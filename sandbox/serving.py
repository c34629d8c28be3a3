"""A small threaded WSGI server for the sandbox: HTTP/1.1 with keep-alive on a loopback port.

Owns sockets only. Unlike Werkzeug's development server it keeps connections open between requests, and it can break
one on purpose: an application whose body raises `Broken` has its connection reset in mid-answer, as a failing peer would.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
MAX_DRAIN = 4_000_000
IDLE_SECONDS = 30.0


class Broken(Exception):
    """Raised by a response body to break the connection at this byte."""


class _Input:
    """Request body: knows its end, by length or by chunks, so that the next request starts at the right byte."""

    def __init__(self, stream: Any, length: int, chunked: bool) -> None:
        self._stream, self._left, self._chunked, self._ended = stream, length, chunked, not chunked

    def _more(self) -> bool:
        if self._left or self._ended:
            return self._left > 0
        self._left = int(self._stream.readline(1024).split(b";")[0] or b"0", 16)
        if self._left == 0:
            self._ended = True
            while self._stream.readline(8192).strip():
                pass
        return self._left > 0

    def read(self, size: int = -1) -> bytes:
        parts: list[bytes] = []
        wanted = size if size is not None and size >= 0 else sys.maxsize
        while wanted > 0 and self._more():
            data = self._stream.read(min(wanted, self._left))
            if not data:
                raise ConnectionError("request body ended early")
            self._left -= len(data)
            wanted -= len(data)
            parts.append(data)
            if self._chunked and self._left == 0:
                self._stream.readline(8)
        return b"".join(parts)

    def readline(self, size: int = -1) -> bytes:
        line = bytearray()
        while (size < 0 or len(line) < size) and not line.endswith(b"\n"):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return bytes(line)

    def __iter__(self) -> Any:
        return iter(self.readline, b"")

    def drain(self) -> bool:
        """Read the rest. False: too much, the connection must close."""
        taken = 0
        while data := self.read(65536):
            taken += len(data)
            if taken > MAX_DRAIN:
                return False
        return True


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65536
    timeout = IDLE_SECONDS
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: the sandbox prints its addresses, not its traffic."""

    def _environ(self, body: _Input) -> dict[str, Any]:
        url = urlsplit(self.path)
        host, port = self.server.server_address[:2]
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(url.path).decode("latin-1"),
            "QUERY_STRING": url.query,
            "REQUEST_URI": self.path,
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": body,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                environ[key] = value
            else:
                environ[f"HTTP_{key}"] = f"{environ[f'HTTP_{key}']},{value}" if f"HTTP_{key}" in environ else value
        return environ

    def _answer(self) -> None:
        if "100-continue" in self.headers.get("Expect", "").lower():
            self.send_response_only(100)
            self.end_headers()
            self.wfile.flush()
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        body = _Input(self.rfile, 0 if chunked else int(self.headers.get("Content-Length") or 0), chunked)
        head: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
            head[:] = [status, headers]
            return lambda data: None

        result = self.server.app(self._environ(body), start_response)
        try:
            self._send(head, result)
        finally:
            if hasattr(result, "close"):
                result.close()
        self.wfile.flush()
        if not self.close_connection and not body.drain():
            self.close_connection = True

    def _send(self, head: list[Any], result: Iterable[bytes]) -> None:
        iterator = iter(result)
        first = next(iterator, b"")
        code, _, reason = head[0].partition(" ")
        names = {name.lower() for name, _ in head[1]}
        bodiless = self.command == "HEAD" or code in ("204", "304") or code.startswith("1")
        chunk = "content-length" not in names and not bodiless and self.request_version == "HTTP/1.1"
        self.send_response_only(int(code), reason)
        for name, value in head[1]:
            self.send_header(name, value)
            if name.lower() == "connection" and value.lower() == "close":
                self.close_connection = True
        if chunk:
            self.send_header("Transfer-Encoding", "chunked")
        elif "content-length" not in names and not bodiless:
            self.close_connection = True
        self.end_headers()
        if bodiless:
            return
        while True:
            if first:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(first), first) if chunk else first)
                # A dripping answer must leave in drips: only big blocks may wait in the buffer.
                if len(first) < 4096:
                    self.wfile.flush()
            try:
                first = next(iterator)
            except StopIteration:
                break
        if chunk:
            self.wfile.write(b"0\r\n\r\n")

    def handle_one_request(self) -> None:
        try:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or len(self.raw_requestline) > 65536 or not self.parse_request():
                self.close_connection = True
                return
            self._answer()
        except Broken:
            self.close_connection = True
            self.wfile.flush()
            # shutdown, not reset: the bytes already written arrive, then the stream ends too early
            self.connection.shutdown(socket.SHUT_RDWR)
        except (ConnectionError, TimeoutError, ValueError):
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], app: WsgiApp) -> None:
        self.app = app
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError, OSError)):
            super().handle_error(request, client_address)


class Server:
    """A running server. `url` is `http://host:port` without a slash; `stop()` drops open connections too."""

    def __init__(self, server: _Server, host: str) -> None:
        self._server = server
        self.host, self.port = host, int(server.server_address[1])
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.drop_connections()
        self._server.server_close()
        self._thread.join(5)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(app: WsgiApp, host: str = "127.0.0.1", port: int = 0) -> Server:
    """Serve `app` on `host` in the background; port 0 takes a free one. Raises OSError when the port is taken."""
    return Server(_Server((host, port), app), host)
