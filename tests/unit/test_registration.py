"""What the configuration becomes for the layers below: which origins may be called, and with which keys."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from launch.issuers import ClientAuth
from smart_app import registration, secrets_source
from smart_app.check import to_enter
from smart_app.config import SealingKey, Settings
from smart_app.config_file import load
from smart_app.config_safety import is_loopback
from smart_app.secrets_source import NoSecret

TEXT = """\
public_url: https://priors.example.org/
sealing_keys: [{id: k, env: K}]
ehrs:
  - key: northgate
    name: Northgate
    issuer: https://ehr.example.org/fhir/
    client_id: priors
    client_auth: client_secret_basic
    client_secret: {env: CLIENT_SECRET}
    origins: [https://login.example.org]
    backend: {client_id: b, key: {kid: b1, pem: {file: backend.pem}}}
    frame_ancestors: [https://chart.example.org]
archives:
  - key: kestrel
    name: Kestrel
    qido: https://q.example.org/rs
    wado: https://w.example.org:8443/rs
    credential: {kind: oauth, token_url: "https://id.example.org/token", client_id: p, client_secret: {env: CLIENT_SECRET}}
    patient_id_issuer: KESTREL
    identifier_systems: ["urn:oid:1.2.3"]
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    monkeypatch.setenv("K", secrets.token_urlsafe(32))
    monkeypatch.setenv("CLIENT_SECRET", "kept-away-from-everyone")
    pem = ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "backend.pem").write_bytes(pem)
    (tmp_path / "backend.pem").chmod(0o600)
    (tmp_path / "priors.yaml").write_text(TEXT)
    return load(tmp_path / "priors.yaml")


def test_an_ehr_becomes_an_issuer_with_its_own_redirect_uri(settings: Settings) -> None:
    (issuer,) = registration.issuers(settings)
    assert (issuer.issuer, issuer.redirect_uri) == ("https://ehr.example.org/fhir", "https://priors.example.org/cb/northgate")
    assert issuer.auth is ClientAuth.BASIC
    assert issuer.secret == "kept-away-from-everyone"
    assert issuer.secret not in repr(issuer)
    assert issuer.backend is not None
    assert "PRIVATE" not in repr(issuer.backend)


def test_each_lane_holds_only_its_own_origins(settings: Settings) -> None:
    lanes = {lane.key: lane for lane in registration.lanes(settings)}
    assert lanes["ehr:northgate"].origins == {"https://ehr.example.org:443", "https://login.example.org:443"}
    assert lanes["archive:kestrel"].origins == {"https://q.example.org:443", "https://w.example.org:8443", "https://id.example.org:443"}
    assert not any(lane.allow_http or lane.allow_private or lane.allow_loopback for lane in lanes.values())


def test_what_to_enter_at_the_ehr(settings: Settings) -> None:
    (entry,) = to_enter(settings)
    assert entry.launch_url == "https://priors.example.org/launch"
    assert entry.jwks_url == "https://priors.example.org/jwks.json"
    assert entry.scopes.startswith("launch launch/patient openid")


@pytest.mark.parametrize("host", ["localhost", "app.localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["localhost.example.org", "127.example.org", "10.0.0.1", "notlocalhost"])
def test_names_that_only_look_like_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_sealing_key_must_be_random(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Z", "A" * 43)
    with pytest.raises(NoSecret, match="not random"):
        secrets_source.sealing_key(SealingKey(id="z", env="Z"))
