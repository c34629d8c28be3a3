"""Scripted faults, shared by the demo EHR and the demo archives.

Owns which answer goes wrong, how, and how many times. Knows HTTP, not DICOM or FHIR: kinds that need the content
(`wrong-patient`, `swapped-instance`…) are handed to the endpoint, which asks `current_fault()`.

Control: POST /_sandbox/faults {"endpoint": "search-studies", "kind": "slow", "seconds": 10, "times": 1}
         GET lists what is pending, DELETE clears. `endpoint` may hold `*`; `times` absent: until cleared.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from fnmatch import fnmatchcase
from typing import Any

from flask import Flask, Response, g, jsonify, request

from sandbox.serving import Broken

HTTP_KINDS = ("slow", "drip", "cut", "status", "garbage", "html", "huge", "redirect", "empty", "warning", "wrong-boundary")
CONTENT_KINDS = ("wrong-patient", "swapped-instance", "repeated-pages", "partial", "ignore-filters", "no-issuer", "no-length", "cap")
LOGIN_PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body><form><input name=user></form></body></html>"


@dataclass(frozen=True)
class Fault:
    """One scripted fault. `kind` is one of HTTP_KINDS or CONTENT_KINDS, or a word that only one endpoint knows."""

    endpoint: str
    kind: str
    times: int | None = None
    """How often before it heals; None: until cleared."""
    after: int = 0
    """How many calls pass unharmed first (the second page, the 71st frame)."""
    seconds: float = 10.0
    """slow: before the first byte; drip: between drips."""
    bytes: int = 1000
    """cut: bytes sent before the connection breaks; drip: bytes a drip; huge: length of the body."""
    status: int = 503
    retry_after: str | None = None
    location: str = ""
    text: str = ""
    """warning: the Warning header; otherwise for the endpoint's own use."""
    path: str = "*"
    """Only requests whose path (with query) matches this pattern."""


class Faults:
    """Pending faults, thread-safe. One object may serve several applications, or each its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[Fault] = []

    def add(self, endpoint: str, kind: str, **options: Any) -> Fault:
        fault = Fault(endpoint, kind, **options)
        with self._lock:
            self._pending.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._pending.clear()

    def pending(self) -> tuple[Fault, ...]:
        with self._lock:
            return tuple(self._pending)

    def take(self, endpoint: str, path: str = "") -> Fault | None:
        """The first fault for this call, counted down; None: answer properly."""
        with self._lock:
            for place, fault in enumerate(self._pending):
                if not fnmatchcase(endpoint, fault.endpoint) or not fnmatchcase(path, fault.path):
                    continue
                if fault.after > 0:
                    self._pending[place] = replace(fault, after=fault.after - 1)
                    continue
                if fault.times is not None:
                    if fault.times <= 1:
                        del self._pending[place]
                    else:
                        self._pending[place] = replace(fault, times=fault.times - 1)
                return fault
        return None


def current_fault(kind: str | None = None) -> Fault | None:
    """The fault of the request at hand, if any (and of this kind, if given)."""
    fault: Fault | None = g.get("sandbox_fault")
    return fault if fault is not None and (kind is None or fault.kind == kind) else None


def install(app: Flask, faults: Faults, endpoint_name: Callable[[], str | None]) -> None:
    """Make `app` misbehave as told, and give it the control routes. `endpoint_name()` names the request; None: never faulty."""
    app.add_url_rule("/_sandbox/faults", "sandbox_faults", lambda: _control(faults), methods=["GET", "POST", "DELETE"])

    @app.before_request
    def _before() -> Response | None:
        name = None if request.endpoint == "sandbox_faults" else endpoint_name()
        g.sandbox_fault = faults.take(name, request.full_path.rstrip("?")) if name else None
        return _instead(g.sandbox_fault) if g.sandbox_fault else None

    @app.after_request
    def _after(response: Response) -> Response:
        fault = current_fault()
        return _spoil(fault, response) if fault else response


def _control(faults: Faults) -> Any:
    if request.method == "DELETE":
        faults.clear()
    elif request.method == "POST":
        told = request.get_json()
        for one in told if isinstance(told, list) else [told]:
            unknown = set(one) - {field.name for field in fields(Fault)}
            if unknown or "kind" not in one:
                return jsonify(error=f"unknown or missing: {sorted(unknown) or 'kind'}"), 400
            faults.add(**{"endpoint": "*", **one})
    return jsonify([asdict(fault) for fault in faults.pending()])


def _instead(fault: Fault) -> Response | None:
    """The answer that takes the place of the real one, or None."""
    if fault.kind == "slow":
        time.sleep(fault.seconds)
    if fault.kind == "status":
        answer = Response(f"sandbox fault {fault.status}\n", fault.status, mimetype="text/plain")
        if fault.retry_after is not None:
            answer.headers["Retry-After"] = fault.retry_after
        if fault.status == 401:
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    if fault.kind == "garbage":
        return Response(b'[{"0020000D": {"vr": "UI", "Value": ["1.2.', mimetype="application/dicom+json")
    if fault.kind == "html":
        return Response(LOGIN_PAGE, mimetype="text/html")
    if fault.kind == "huge":
        return Response(_blocks(fault.bytes), mimetype="application/dicom+json", headers={"Content-Length": str(fault.bytes)})
    if fault.kind == "redirect":
        return Response(status=302, headers={"Location": fault.location})
    if fault.kind == "empty":
        return Response(b"", 204)
    return None


def _blocks(total: int) -> Iterator[bytes]:
    yield b"["
    left = total - 2
    while left > 0:
        block = b" " * min(left, 65536)
        left -= len(block)
        yield block
    yield b"]"


def _spoil(fault: Fault, response: Response) -> Response:
    if fault.kind == "warning":
        response.headers["Warning"] = fault.text or '299 sandbox "The fuzzymatching parameter is not supported"'
    elif fault.kind == "wrong-boundary":
        response.headers["Content-Type"] = response.headers.get("Content-Type", "").replace("boundary=", "boundary=not-")
    elif fault.kind == "no-length":
        response.headers.pop("Content-Length", None)
        response.response = iter([response.get_data()]) if not response.is_streamed else response.response
        response.headers["Connection"] = "close"
    elif fault.kind in ("cut", "drip"):
        if not response.is_streamed:
            response.headers["Content-Length"] = str(len(response.get_data()))
        response.direct_passthrough = False
        body = _pieces(response.response)
        response.response = _cut(body, fault.bytes) if fault.kind == "cut" else _drip(body, fault.bytes, fault.seconds)
    return response


def _pieces(body: Iterable[Any]) -> Iterator[bytes]:
    for piece in body:
        yield piece.encode() if isinstance(piece, str) else bytes(piece)


def _cut(body: Iterator[bytes], size: int) -> Iterator[bytes]:
    left = size
    for piece in body:
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            raise Broken
    raise Broken


def _drip(body: Iterator[bytes], size: int, seconds: float) -> Iterator[bytes]:
    for piece in body:
        for start in range(0, len(piece), size):
            yield piece[start : start + size]
            time.sleep(seconds)
