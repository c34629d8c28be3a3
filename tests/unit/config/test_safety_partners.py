"""Unsafe settings of partners, programs and writing into an EHR stop the start, each with its line and cure."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest
import yaml

from smart_app import registration
from smart_app.config_file import WrongConfiguration, load
from smart_app.config_safety_partners import SERVED, unsafe_exchange_of_requests
from smart_app.fhir_api import scopes

EHR = {"key": "northgate", "name": "Northgate", "issuer": "https://ehr.example.org/fhir", "client_id": "priors"}
PARTNER = {"key": "kestrel", "name": "Kestrel", "fhir": "https://fhir.kestrel.example.org/r4"}
CLIENT = {"key": "kestrel", "name": "Kestrel", "client_id": "kestrel-1", "jwks_url": "https://fhir.kestrel.example.org/jwks.json", "scopes": ["system/Task.rus"], "facilities": ["kestrel"]}


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("K", secrets.token_urlsafe(32))

    def write(**more: Any) -> Path:
        content = {"public_url": "https://priors.example.org", "sealing_keys": [{"id": "k", "env": "K"}], "ehrs": [EHR]} | more
        (tmp_path / "priors.yaml").write_text(yaml.safe_dump(content))
        return tmp_path / "priors.yaml"

    return write


def test_a_good_one_starts_and_has_its_lanes(written: Any, tmp_path: Path) -> None:
    settings = load(written(partners=[PARTNER], api_clients=[CLIENT]))
    lanes = {lane.key: lane.origins for lane in registration.lanes(settings)}
    assert lanes["partner:kestrel"] == frozenset({"https://fhir.kestrel.example.org:443"})
    assert lanes["client:kestrel"] == frozenset({"https://fhir.kestrel.example.org:443"})
    assert list(unsafe_exchange_of_requests(settings, {})) == []
    assert tuple(scopes.SERVED) == SERVED
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [{"kty": "EC", "crv": "P-384", "x": "a", "y": "b"}]}))
    inline = {name: value for name, value in CLIENT.items() if name != "jwks_url"} | {"jwks_file": "keys.json"}
    assert load(written(api_clients=[inline])).api_clients[0].jwks_file == tmp_path / "keys.json"


@pytest.mark.parametrize(("more", "setting", "reason"), [
    ({"ehrs": [EHR | {"write_requests": "task"}]}, "ehrs[0].write_requests", "nobody could write"),
    ({"partners": [PARTNER, PARTNER]}, "partners[1].key", "used twice"),
    ({"partners": [PARTNER | {"fhir": "http://fhir.kestrel.example.org"}]}, "partners[0].fhir", "plain http"),
    ({"partners": [PARTNER | {"fhir": "https://10.0.0.9/fhir"}]}, "partners[0].fhir", "private address"),
    ({"partners": [PARTNER | {"credential": {"kind": "ehr-token", "ehr": "northgate"}}]}, "partners[0].credential.kind", "nobody is signed in"),
    ({"partners": [PARTNER | {"credential": {"kind": "bearer"}}]}, "partners[0].credential.kind", "needs `token`"),
    ({"api_clients": [CLIENT, CLIENT | {"key": "other"}]}, "api_clients[1].client_id", "used twice"),
    ({"api_clients": [CLIENT | {"scopes": ["system/Observation.rs"]}]}, "api_clients[0].scopes[0]", "gives nothing"),
    ({"api_clients": [CLIENT | {"scopes": ["patient/Task.rs"]}]}, "api_clients[0].scopes[0]", "gives nothing"),
    ({"api_clients": [CLIENT | {"jwks_url": "http://169.254.169.254/jwks"}]}, "api_clients[0].jwks_url", "private address"),
    ({"api_clients": [CLIENT | {"facilities": []}]}, "api_clients[0]", "all_facilities"),
    ({"api_clients": [CLIENT | {"jwks_file": "x"}]}, "api_clients[0]", "exactly one"),
])  # fmt: skip
def test_each_danger_is_named(written: Any, more: dict[str, Any], setting: str, reason: str) -> None:
    with pytest.raises(WrongConfiguration) as caught:
        load(written(**more))
    assert any(problem.setting.replace(".0", "[0]").replace(".1", "[1]") == setting or problem.setting == setting for problem in caught.value.problems), str(caught.value)
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", ["{}", '{"keys": []}', '{"keys": [{"kty": "EC", "d": "private"}]}', '{"keys": [{"kty": "oct", "k": "s"}]}', "not json"])
def test_a_key_file_holds_public_keys_and_nothing_else(written: Any, tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    inline = {name: value for name, value in CLIENT.items() if name != "jwks_url"} | {"jwks_file": "keys.json"}
    with pytest.raises(WrongConfiguration, match="holds no public keys"):
        load(written(api_clients=[inline]))
