"""The mail server says yes, not now, no, or nothing: each is told apart; TLS is verified and never given up."""

from __future__ import annotations

import datetime
import ssl
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from sandbox.mailbox.smtp import EVERYBODY, Mailserver
from smart_app.dispatch.transport import NotTaken, Post, Refused, Unknown
from tests.peers import free_port
from tests.unit.dispatch.correspondence import mail_settings

TO = "images@harrow.example"


def message() -> EmailMessage:
    one = EmailMessage()
    one["Message-ID"], one["Subject"] = "<one@northgate.example>", "Hello"
    one.set_content(".a line that begins with a dot\n..two\n")
    return one


def hand_over(server: Mailserver, **more: object) -> list[str]:
    given: list[str] = []
    password = str(more.pop("secret")) if "secret" in more else None
    Post(mail_settings(server, **more), password).hand_over(message(), TO, lambda: given.append("giving"))
    return given


def test_a_message_is_given_once_and_comes_as_it_was(mailbox: Mailserver) -> None:
    assert hand_over(mailbox) == ["giving"]
    (one,) = mailbox.inbox.all(TO)
    assert one.text.splitlines() == [".a line that begins with a dot", "..two"]


@pytest.mark.parametrize(
    ("at", "answer", "error", "reason"),
    [
        ("at_address", "550 no such user", Refused, "mail-address-refused"),
        ("at_address", "451 greylisted", NotTaken, "mail-not-taken"),
        ("at_data", "554 looks like spam", Refused, "mail-content-refused"),
        ("at_data", "452 mailbox full", NotTaken, "mail-not-taken"),
        ("at_data", "lost", Unknown, ""),
        ("at_data", "cut", Unknown, ""),
    ],
)
def test_what_the_server_says_is_told_apart(mailbox: Mailserver, at: str, answer: str, error: type[Exception], reason: str) -> None:
    getattr(mailbox.scripts, at)[EVERYBODY] = [answer]
    given: list[str] = []
    with pytest.raises(error) as raised:
        Post(mail_settings(mailbox), None).hand_over(message(), TO, lambda: given.append("giving"))
    assert getattr(raised.value, "reason", "") == reason
    assert given == (["giving"] if at == "at_data" else []), "an address is judged before anything can be in doubt"
    assert len(mailbox.inbox.all()) == (answer == "lost")


def test_a_server_that_is_away_is_not_now(mailbox: Mailserver) -> None:
    with pytest.raises(NotTaken, match="mail-server-away"):
        hand_over(mailbox, port=free_port())


def test_what_is_raised_before_giving_stops_it(mailbox: Mailserver) -> None:
    def stop() -> None:
        raise RuntimeError("another has it")

    with pytest.raises(RuntimeError):
        Post(mail_settings(mailbox), None).hand_over(message(), TO, stop)
    assert not mailbox.inbox.all()


def test_tls_is_verified_and_never_given_up(mailbox: Mailserver, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="unprotected"):
        mail_settings(mailbox, host="smtp.example.org")
    with pytest.raises(Refused, match="mail-server-set-up"):
        hand_over(mailbox, security="starttls")
    serving, ca = _certificate(tmp_path)
    with Mailserver(certificate=serving, users={"priors": "right"}) as server:
        sure = {"security": "starttls", "ca_file": ca, "username": "priors", "password": {"env": "X"}}
        with pytest.raises(Refused, match="mail-certificate"):
            hand_over(server, **sure | {"ca_file": None}, secret="right")
        with pytest.raises(Refused, match="mail-sign-in-refused"):
            hand_over(server, **sure, secret="wrong")
        assert not server.inbox.all()
        hand_over(server, **sure, secret="right")
        assert len(server.inbox.all()) == 1


def test_a_user_needs_a_password(mailbox: Mailserver) -> None:
    for alone in ({"username": "priors"}, {"password": {"env": "X"}}):
        with pytest.raises(ValidationError, match="give both or neither"):
            mail_settings(mailbox, **alone)
    with pytest.raises(ValidationError, match="plain e-mail address"):
        mail_settings(mailbox, sender="images@northgate.example\r\nBcc: x@y.example")


def _certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """For 127.0.0.1, signed by itself."""
    import ipaddress

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mailbox")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    )  # fmt: skip
    ca, pem = folder / "ca.pem", folder / "key.pem"
    ca.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca, pem)
    return context, ca
