"""Whose address is it? Parsed equality and whole segments only; credentials go where they belong."""

from __future__ import annotations

import pytest

from smart_app.archives.registry import Archives, LaunchToken, origin_shown
from smart_app.config_archives import Archive


def archives(**settings: object) -> Archives:
    return Archives(
        [
            Archive(key="kestrel", name="Kestrel", dicomweb="https://pacs.org/dicom-web/", patient_id_issuer="K", identifier_systems=("k",), **settings),
            Archive(key="deep", name="Deep", qido="https://pacs.org/dicom-web/deep/rs", wado="https://cdn.pacs.org:8443/w", patient_id_issuer="D", identifier_systems=("d",)),
        ],
        read_secret=lambda ref: "s3cret",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://pacs.org/dicom-web", "kestrel"),
        ("https://PACS.org:443/dicom-web/studies/1.2", "kestrel"),
        ("https://pacs.org/dicom-web/deep/rs/studies/1.2", "deep"),
        ("https://cdn.pacs.org:8443/w/", "deep"),
        ("http://pacs.org/dicom-web", None),
        ("https://pacs.org:8443/dicom-web", None),
        ("https://pacs.org.evil/dicom-web", None),
        ("https://evil@pacs.org/dicom-web", None),
        ("https://pacs.org@evil/dicom-web", None),
        ("https://pacs.org/dicom-webby", None),
        ("https://pacs.org/dicom-web/../admin", None),
        ("https://pacs.org/dicom-web/%2e%2e/admin", None),
        ("https://pacs.org/dicom-web%2fx", None),
        ("https://pacs.org\\@evil/dicom-web", None),
        ("https://pacs.org/dicom-web\r\nX: y", None),
        ("//pacs.org/dicom-web", None),
        ("/dicom-web", None),
        ("javascript:alert(1)", None),
        ("https://pacs.org:99999/dicom-web", None),
        ("https://[::1/dicom-web", None),
        ("http://notspecified", None),
        ("", None),
    ],
)
def test_by_address(address: str, key: str | None) -> None:
    found = archives().by_address(address)
    assert (found.key if found else None) == key


@pytest.mark.parametrize(
    ("credential", "header"),
    [
        ({"kind": "none"}, {}),
        ({"kind": "basic", "username": "u", "password": {"env": "X"}}, {"Authorization": "Basic dTpzM2NyZXQ="}),
        ({"kind": "bearer", "token": {"env": "X"}}, {"Authorization": "Bearer s3cret"}),
    ],
)
def test_fixed_credentials_and_no_second_try(credential: dict[str, object], header: dict[str, str]) -> None:
    kestrel = archives(credential=credential).by_key("kestrel")
    assert kestrel is not None
    assert kestrel.authorization() == header
    assert kestrel.authorization_after_401(None, header) is None
    assert "s3cret" not in repr(kestrel)


def test_an_oauth_archive_needs_a_provider_and_the_ehr_token_its_own_ehr() -> None:
    with pytest.raises(ValueError, match="no OAuth provider"):
        archives(credential={"kind": "oauth"})
    kestrel = archives(credential={"kind": "ehr-token", "ehr": "northgate"}).by_key("kestrel")
    assert kestrel is not None

    class Never:
        def access_token(self) -> str:
            raise AssertionError("the token of another EHR was touched")

        def refreshed(self, rejected: str) -> str:
            raise AssertionError

    assert kestrel.authorization(LaunchToken("other", Never())) == {}
    assert kestrel.authorization(None) == {}


@pytest.mark.parametrize(
    ("url", "shown"),
    [("https://u:p@x.org:8443/a?b=c", "https://x.org:8443"), ("nonsense", "an unreadable address"), ("https://[bad", "an unreadable address")],
)
def test_an_origin_is_shown_without_anything_secret(url: str, shown: str) -> None:
    assert origin_shown(url) == shown
