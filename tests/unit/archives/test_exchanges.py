"""The place an exchange's images come from: whose address it is, and what goes with it."""

from __future__ import annotations

from typing import Any

import pytest

from smart_app.archives.exchanges import NO_PLACE, ConfiguredExchange, Exchanges
from smart_app.archives.registry import Archives, LaunchToken
from smart_app.archives.types import PatientId
from smart_app.config_archives import Exchange


class Tokens:
    def access_token(self) -> str:
        return "THEIRS"

    def refreshed(self, rejected: str) -> str:
        return "THEIRS-2"


def lark(**changes: Any) -> ConfiguredExchange:
    values = {
        "key": "lark", "name": "Larkmoor", "fhir": "https://hie.example/fhir", "origins": ["https://images.example"], "identifier_systems": ["urn:mrn"],
        "patient_ids": [{"system": "urn:lark", "issuer": "LARK"}], "patient_id_issuer": "LARK",
        "credential": {"kind": "oauth", "token_url": "https://hie.example/t", "client_id": "c"},
    } | changes  # fmt: skip
    (found,) = Exchanges([Exchange.model_validate(values)], read_secret=lambda _: "", oauth=lambda _: Tokens())
    return found


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("https://images.example/rs", "https://images.example/rs"), ("https://images.example/rs/", "https://images.example/rs"),
        ("https://images.example:443/rs", "https://images.example:443/rs"), ("https://hie.example/c/SECRET", "https://hie.example/c/SECRET"),
        ("https://images.example/rs/studies", "https://images.example/rs"), ("https://images.example/rs/studies/", "https://images.example/rs"),
        ("https://images.example/rs/studies/2.25.1", "https://images.example/rs"), ("https://images.example/rs/studies/2.25.1/series/2.25.2", "https://images.example/rs"),
        ("https://images.example/rs/studies/2.25.2", None), ("http://images.example/rs", None), ("https://images.example:8443/rs", None),
        ("https://images.example.evil/rs", None), ("https://a@images.example/rs", None), ("https://images.example/rs?x=1", None), ("https://images.example/a/../rs", None),
        ("//images.example/rs", None), ("", None), ("https://images.example/r s", None), ("https://images.example/" + "x" * 9000, None),
    ],
)  # fmt: skip
def test_an_address_is_a_base_only_in_an_origin_of_its_own(address: str, base: str | None) -> None:
    assert lark().base_of(address, "2.25.1") == base


def test_its_place_is_found_by_key_alone_and_goes_nowhere_by_itself() -> None:
    exchange = lark()
    archives = Archives([], read_secret=lambda _: "", places=[exchange.place])
    assert archives.by_key("lark") is exchange.place
    assert list(archives) == []
    assert archives.by_address(f"{NO_PLACE}/studies") is None
    assert exchange.place.wado_base == NO_PLACE
    assert exchange.place.at(None) is exchange.place


def test_an_open_place_has_no_credential_whatever_the_exchange_has() -> None:
    place = lark().place
    assert place.at("https://images.example/rs").authorization() == {"Authorization": "Bearer THEIRS"}
    opened = place.at("https://images.example/c/SECRET", open_base=True)
    assert opened.authorization() == {}
    assert opened.authorization_after_401(None, {"Authorization": "x"}) is None
    assert "SECRET" not in opened.lane


def test_an_ehrs_own_exchange_knows_whose_it_is_and_is_shared_by_nobody() -> None:
    exchange = lark(credential={"kind": "ehr-token", "ehr": "north"})
    assert exchange.ehr == "north"
    assert exchange.place.settings.credential.kind == "ehr-token", "kept images of it are one launch's"
    assert exchange.proof(LaunchToken("south", Tokens())).headers() == {}, "another EHR's launch sends nothing"
    assert exchange.proof(LaunchToken("north", Tokens())).headers() == {"Authorization": "Bearer THEIRS"}


def test_only_mapped_identifiers_may_stand_in_images() -> None:
    exchange = lark()
    assert exchange.patient_ids([("urn:lark", "1"), ("urn:mrn", "2"), (None, "3"), ("urn:lark", "1")]) == (PatientId("1", "LARK"),)
    assert exchange.asked_with([("urn:lark", "1"), ("urn:mrn", "2")]) == (PatientId("2", "urn:mrn"),)
    assert Exchanges([], read_secret=lambda _: "", oauth=lambda _: Tokens()).by_key("lark") is None
