"""Five archives on raw sockets, each well until told to fail in one named way, at one kind of question.

What a healthy archive sends is in `Healthy`; a fault is a function that spoils it, or does something else with the socket.
"""

from __future__ import annotations

import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs, urlsplit

from tests.unit.viewer.fake import SERIES, STUDY, instance, multipart, part10

JSON = "application/dicom+json"
OTHER_STUDY, OTHER_PATIENT, PATIENT = "1.2.840.9", "P-666", "P-1"
PIXELS = instance(1).PixelData
DRIP_EVERY = 0.2


@dataclass(frozen=True)
class Said:
    """One HTTP answer, and the question it answers."""

    op: str
    status: int = 200
    type: str = JSON
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(self.body)
        return found

    def with_rows(self, rows: object) -> Said:
        return replace(self, body=json.dumps(rows).encode())

    def on_the_wire(self) -> bytes:
        fields = {"Content-Type": self.type, "Content-Length": str(len(self.body)), "Connection": "close", **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode() + self.body


Act = Callable[[socket.socket, Said], None]


def tag(vr: str, *values: object) -> dict[str, object]:
    return {"vr": vr, "Value": list(values)}


def study_row(uid: str = STUDY, patient: str = PATIENT) -> dict[str, object]:
    return {
        "0020000D": tag("UI", uid), "00100020": tag("LO", patient), "00080020": tag("DA", "20260112"), "00080061": tag("CS", "CT"),
        "00081030": tag("LO", "CT chest"), "00201206": tag("IS", 1), "00201208": tag("IS", 2),
    }  # fmt: skip


def healthy(op: str, query: dict[str, list[str]]) -> Said:
    first = query.get("offset", ["0"])[0] == "0"
    named: dict[str, object] = {"0020000D": tag("UI", STUDY), "0020000E": tag("UI", SERIES), "00100020": tag("LO", PATIENT)}
    if op == "token":
        return Said(op, 200, "application/json", b'{"access_token":"t","token_type":"Bearer","expires_in":300}')
    if op == "studies":
        return Said(op, query=query).with_rows([study_row()] if first else [])
    if op == "series":
        return Said(op, query=query).with_rows([named | {"00080060": tag("CS", "CT"), "00201209": tag("IS", 2)}] if first else [])
    if op == "instances":
        return Said(op, query=query).with_rows([named | {"00080018": tag("UI", f"{SERIES}.{at}"), "00200013": tag("IS", at)} for at in (1, 2)] if first else [])
    if op == "metadata":
        return Said(op).with_rows([named | {"00080018": tag("UI", f"{SERIES}.{at}"), "00080016": tag("UI", "1.2.840.10008.5.1.4.1.1.2"),
                                            "00200013": tag("IS", at), "00280010": tag("US", 64), "00280011": tag("US", 64)} for at in (1, 2)])  # fmt: skip
    if op == "frame":
        return Said(op, 200, 'multipart/related; type="application/octet-stream"; boundary=fake-boundary', multipart([PIXELS], "application/octet-stream"))
    if op == "rendered":
        return Said(op, 200, "image/jpeg", b"\xff\xd8\xff\xe0" + b"jpeg" * 100 + b"\xff\xd9")
    objects = [part10(instance(at)) for at in (1, 2)]
    return Said(op, 200, 'multipart/related; type="application/dicom"; boundary=fake-boundary', multipart(objects, "application/dicom"))


def op_of(path: str) -> str:
    last = path.rsplit("/", 1)[1]
    if last in ("studies", "series", "instances", "metadata", "rendered", "token"):
        return last
    return "frame" if "/frames/" in path else "stream"


def send(sock: socket.socket, said: Said) -> None:
    sock.sendall(said.on_the_wire())


class Archive:
    """`failing` is the kind of question that `act` answers; every other is answered as a healthy archive would."""

    def __init__(self, scheme: str = "http", tls: ssl.SSLContext | None = None) -> None:
        self.act: Act | None = None
        self.failing = ""
        self._tls = tls
        self._listen(0)
        self.base = f"{scheme}://127.0.0.1:{self.port}/dw"

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def up(self) -> None:
        self._listen(self.port)

    def down(self) -> None:
        """Nobody listens there any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError, ValueError):
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with sock:
                head = b""
                while b"\r\n\r\n" not in head:
                    piece = sock.recv(65536)
                    if not piece:
                        return
                    head += piece
                    if head[:1] == b"\x16":
                        garbage(sock, Said(""))  # a TLS greeting to a server that speaks none
                        return
                _rest_of_question(sock, head)
                url = urlsplit(head.split(b" ")[1].decode("latin-1"))
                query = parse_qs(url.query)
                op = op_of(url.path)
                said = healthy(op, query)
                (self.act if self.act is not None and op == self.failing else send)(sock, said)


def _rest_of_question(sock: socket.socket, head: bytes) -> None:
    """A body left unread would reset the connection behind the answer."""
    fields, _, begun = head.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in fields.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(begun) < length:
        piece = sock.recv(65536)
        if not piece:
            return
        begun += piece


# -- TCP --


def reset(sock: socket.socket, said: Said) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_in_body(sock: socket.socket, said: Said) -> None:
    wire = said.on_the_wire()
    sock.sendall(wire[: len(wire) - len(said.body) // 2])
    time.sleep(0.02)  # what was sent is read before the reset throws it away
    reset(sock, said)


def cut_in_body(sock: socket.socket, said: Said) -> None:
    wire = said.on_the_wire()
    sock.sendall(wire[: len(wire) - len(said.body) // 2])


def silent(sock: socket.socket, said: Said) -> None:
    sock.settimeout(5)
    with suppress(OSError):
        sock.recv(1)


def drip(sock: socket.socket, said: Said) -> None:
    for byte in said.on_the_wire():
        sock.sendall(bytes([byte]))
        time.sleep(DRIP_EVERY)


def head_then_silence(sock: socket.socket, said: Said) -> None:
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: ")
    silent(sock, said)


def half_close(sock: socket.socket, said: Said) -> None:
    sock.shutdown(socket.SHUT_WR)


def garbage(sock: socket.socket, said: Said) -> None:
    sock.sendall(b"\x16\x03\x01\x02\x00\x01\xff\xfe SMTP ready\r\n\r\n")


# -- HTTP --


def status(code: int, body: bytes = b"", **headers: str) -> Act:
    def act(sock: socket.socket, said: Said) -> None:
        oauth = said.op == "token" and 400 <= code < 404
        kind, text = ("application/json", b'{"error":"invalid_client"}') if oauth else ("text/plain", body)
        send(sock, Said(said.op, code, kind, text, {name.replace("_", "-"): value for name, value in headers.items()}))

    return act


def changed(**fields: object) -> Act:
    """The healthy answer with other fields."""
    return lambda sock, said: send(sock, replace(said, **fields))  # type: ignore[arg-type]


def with_header(**headers: str) -> Act:
    return lambda sock, said: send(sock, replace(said, headers=headers))


BOMB = gzip.compress(b"[" + b" " * 40_000_000)


def bomb(sock: socket.socket, said: Said) -> None:
    send(sock, replace(said, body=BOMB, headers={"Content-Encoding": "gzip"}))


def huge(sock: socket.socket, said: Said) -> None:
    body = b"[" + b" " * 3_000_000
    send(sock, replace(said, body=body))


# -- DICOM --


def rows(change: Callable[[list[dict[str, object]]], object]) -> Act:
    return lambda sock, said: send(sock, said.with_rows(change(said.rows)))


def objects(*made: object) -> Act:
    body = multipart([part10(one) for one in made], "application/dicom")  # type: ignore[arg-type]
    return lambda sock, said: send(sock, replace(said, body=body))


def endless(sock: socket.socket, said: Said) -> None:
    """Every page is full of what was never told before."""
    begin, limit = (int(said.query.get(name, [default])[0]) for name, default in (("offset", "0"), ("limit", "10")))
    made = []
    for at in range(begin, begin + limit):
        row = study_row(f"{STUDY}.{at}") if said.op == "studies" else {"0020000D": tag("UI", STUDY), "0020000E": tag("UI", SERIES)}
        if said.op != "studies":
            row |= {"00080018": tag("UI", f"{SERIES}.{at}")} if said.op == "instances" else {"0020000E": tag("UI", f"{SERIES}.{at}")}
        made.append(row)
    send(sock, replace(said, body=json.dumps(made).encode()))


def repeated(sock: socket.socket, said: Said) -> None:
    """The first page, whatever was asked for."""
    send(sock, healthy(said.op, {}))
