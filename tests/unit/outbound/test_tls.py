"""TLS is verified, always: chain, date and name, and by the entry's own CA where it has one."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from smart_app.errors import TimedOut, Unreachable
from smart_app.outbound import Lane, Outbound
from tests.unit.outbound.conftest import reply

NAME = "app.localhost"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Authority:
    folder: Path

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(_name("Test CA"), self.key, [], ca=True, days=(-1, 30))
        self.file = self.folder / "ca.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, key, names, *, ca=False, days=(-1, 30), own=False):
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            _name("Test CA") if not own else subject, subject, key.public_key(), x509.random_serial_number(),
            now + timedelta(days=days[0]), now + timedelta(days=days[1]),
        )  # fmt: skip
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key((key if own else self.key).public_key())
        builder = builder.add_extension(authority, False).add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        if ca:
            usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
            builder = builder.add_extension(usage, True)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        return builder.sign(key if own else self.key, hashes.SHA256())

    def server(self, name: str = NAME, **how: object) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        path = self.folder / f"{x509.random_serial_number()}.pem"
        plain = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        path.write_bytes(plain + self._sign(_name(name), key, [name], **how).public_bytes(serialization.Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def _outbound(peer, ca_file: Path | None) -> Outbound:
    lane = Lane("a", frozenset({f"https://{NAME}:{peer.port}"}), allow_loopback=True, ca_file=ca_file)
    return Outbound([lane], pin_localhost=True)


def _ask(outbound: Outbound, peer, deadline: float = 3):
    return outbound.request("a", "GET", f"https://{NAME}:{peer.port}/", deadline=deadline, max_bytes=99)


def test_the_entrys_own_ca(serve, authority: Authority) -> None:
    names: list[str | None] = []
    context = authority.server()
    context.sni_callback = lambda sock, name, ctx: names.append(name)
    peer = serve(reply(b"ok"), tls=context)
    outbound = _outbound(peer, authority.file)
    assert [_ask(outbound, peer).body for _ in range(3)] == [b"ok"] * 3
    assert (names, peer.connections) == ([NAME], 1)
    assert f"\r\nHost: {NAME}:{peer.port}\r\n" in peer.heads[0]


@pytest.mark.parametrize(
    ("how", "trusted"),
    [
        ({"days": (-30, -1)}, True),
        ({"days": (1, 30)}, True),
        ({"name": "other.localhost"}, True),
        ({"own": True}, True),
        ({}, False),
    ],
    ids=["expired", "not-yet", "other-name", "self-signed", "unknown-ca"],
)
def test_a_wrong_certificate_gets_no_request(serve, authority: Authority, how: dict, trusted: bool) -> None:
    peer = serve(reply(b"ok"), tls=authority.server(**how))
    with pytest.raises(Unreachable):
        _ask(_outbound(peer, authority.file if trusted else None), peer)
    assert peer.heads == []


def test_a_peer_without_tls_gets_no_request(serve, authority: Authority) -> None:
    peer = serve(reply(b"ok"))
    with pytest.raises((Unreachable, TimedOut)):
        _ask(_outbound(peer, authority.file), peer, deadline=0.5)
    assert peer.heads == []


def test_a_handshake_that_never_ends_is_bounded(serve, authority: Authority) -> None:
    import time

    peer = serve(lambda sock, head: time.sleep(5))
    with pytest.raises(TimedOut):
        _ask(_outbound(peer, authority.file), peer, deadline=0.5)


def test_a_drip_under_tls_is_bounded_too(serve, authority: Authority) -> None:
    import time

    def script(sock, head: str) -> bool:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            sock.sendall(b"x")
            time.sleep(0.05)
        return False

    peer = serve(script, tls=authority.server())
    began = time.monotonic()
    with pytest.raises(TimedOut):
        _ask(_outbound(peer, authority.file), peer, deadline=0.6)
    assert time.monotonic() - began < 1.2
