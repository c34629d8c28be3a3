"""Each product's ways: configured by name, its lists are whole and its pages few; probed, it is recognised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from smart_app.archives.dialects import DIALECTS, MARKS, Dialect, Include, Paging, dialect_of, differences
from smart_app.archives.probing import NOBODY, Probed, Prober
from smart_app.archives.qido import Qido
from smart_app.archives.registry import Archives, ConfiguredArchive
from smart_app.archives.types import Answer, PatientId, SourceState
from smart_app.config_archives import Archive
from smart_app.dialect_settings import Profile
from tests.unit.archives.scripted import Say, Scripted, outbound_to, scripted
from tests.unit.archives.speaking import PATIENT, UID, Ways, speaking

PRODUCTS = {
    "plain": Ways(),
    "orthanc": Ways(server="Orthanc", nothing="[]", thumbnail=False, retrieve="http://127.0.0.1/dicom-web"),
    "dcm4chee": Ways(server="WildFly/26", default=1000, warns=True),
    "azure": Ways(server="dicom.azurehealthcareapis.com", refuses_above=200, thumbnail=False),
    "google": Ways(server="healthcare.googleapis.com", cap=5000, nothing="[]", thumbnail=False),
    "medplum": Ways(server="Medplum", cap=20, nothing="[]", thumbnail=False, rendered=False),
    "dicomcloud": Ways(server="DICOMcloud", cap=12, nothing="[]", thumbnail=False, rendered=False),
    "dcmjs": Ways(server="dicomweb-server", ignores_offset=True, ignores_limit=True, default=1000, nothing="[]", thumbnail=False, rendered=False),
}  # fmt: skip


def archive(server: Scripted, dialect: str, **profile: Any) -> ConfiguredArchive:
    (found,) = Archives(
        [Archive(key="kestrel", name="Kestrel", dicomweb=f"{server.base}/rs", patient_id_issuer="K", identifier_systems=("urn:k",), dialect=dialect, profile=profile)],
        read_secret=str,
    )  # fmt: skip
    return found


def ask(server: Scripted, dialect: str, **profile: Any) -> Answer:
    qido = Qido(outbound_to(archive_kestrel=server.base), lambda: datetime(2026, 5, 21, tzinfo=UTC))
    return qido.studies(archive(server, dialect, **profile), [PatientId(PATIENT, "K")], None, 5)


def probe(server: Scripted, dialect: str = "plain", study: str | None = f"{UID}.0", **profile: Any) -> Probed | None:
    return Prober(outbound_to(archive_kestrel=server.base), archive(server, dialect, **profile)).probe(study)


def test_the_configuration_names_exactly_the_dialects_and_their_facts() -> None:
    assert set(get_args(Archive.model_fields["dialect"].annotation)) == set(DIALECTS) == set(PRODUCTS)
    assert set(Profile.model_fields) == set(Dialect.__dataclass_fields__)
    assert set(MARKS) == set(DIALECTS) - {"plain"}


def test_a_single_fact_overrides_its_dialect() -> None:
    settings = Archive(
        key="a", name="A", dicomweb="http://a.example/rs", patient_id_issuer="A", identifier_systems=("urn:a",), dialect="azure",
        profile={"paging": "empty-page", "include": "all", "page_cap": 50},
    )  # fmt: skip
    found = dialect_of(settings)
    assert (found.paging, found.include, found.page_cap, found.thumbnail) == (Paging.EMPTY, Include.ALL, 50, False)
    assert set(differences(found, DIALECTS["azure"])) == {"paging", "include", "page_cap"}


@pytest.mark.parametrize("held", [0, 1, 11, 12, 13, 100, 130])
@pytest.mark.parametrize("name", PRODUCTS)
def test_every_study_of_every_product_is_listed_and_the_list_is_whole(name: str, held: int) -> None:
    with scripted(speaking(PRODUCTS[name], held)) as server:
        answer = ask(server, name)
    assert len(answer.studies) == held
    assert (answer.state, answer.more_exist, answer.notes) == (SourceState.OK if held else SourceState.EMPTY, False, ())


@pytest.mark.parametrize(("name", "held", "asked"), [("azure", 30, ["0"]), ("google", 100, ["0", "100"]), ("dcmjs", 130, ["0"]), ("medplum", 30, ["0", "1", "20", "30"])])
def test_no_more_is_asked_than_the_dialect_needs(name: str, held: int, asked: list[str]) -> None:
    with scripted(speaking(PRODUCTS[name], held)) as server:
        ask(server, name)
    assert sorted(one.one("offset") or "" for one in server.asked) == sorted(asked)


def test_a_warning_that_is_not_taken_back_means_that_more_exist() -> None:
    ways = Ways(cap=10, warns=True)
    with scripted(speaking(ways, 25)) as server:
        assert ask(server, "plain").more_exist, "plain takes every Warning for a loss"
        assert not ask(server, "dcm4chee").more_exist
    with scripted(lambda asked: Say(204, headers={"Warning": "299 x y"})) as server:
        assert ask(server, "dcm4chee").more_exist


@pytest.mark.parametrize(
    ("ways", "profile"),
    [
        (Ways(fields="all"), {"include": "all"}),
        (Ways(fields="none"), {"include": "none"}),
        (Ways(accepts="application/json"), {"search_accept": "application/json"}),
        (Ways(charset="iso-8859-1"), {"charset": "iso-8859-1"}),
        (Ways(max_url=300), {"max_url": 300}),
        (Ways(refuses_above=50), {"page_cap": 50}),
        (Ways(retrieve="http://inside.example"), {"retrieve_elsewhere": True}),
    ],
)
def test_a_fact_that_is_configured_makes_the_list_whole(ways: Ways, profile: dict[str, Any]) -> None:
    with scripted(speaking(ways, 3)) as server:
        answer = ask(server, "plain", **profile)
        untold = ask(server, "plain")
    assert [record.description for record in answer.studies] == ["Schädel"] * 3
    assert (answer.state, answer.notes) == (SourceState.OK, ())
    assert untold.state is not SourceState.EMPTY, "never 'none' because of a dialect"


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_is_recognised_and_its_configuration_proposed(name: str) -> None:
    with scripted(speaking(PRODUCTS[name], 3)) as server:
        found = probe(server)
        assert found is not None
        again = probe(server, found.dialect, **{key: value.value if isinstance(value, Paging | Include) else value for key, value in found.facts.items()})
    assert found.dialect == name
    assert found.yaml.splitlines()[0] == f"dialect: {name}"
    assert again is not None
    assert again.differs == {}, "what it proposes is what it finds"


@pytest.mark.parametrize(
    ("ways", "fact"),
    [
        (Ways(fields="all"), "include: all"),
        (Ways(fields="none"), "include: none"),
        (Ways(accepts="application/json"), "search_accept: application/json"),
        (Ways(any_syntax=False), "any_transfer_syntax: false"),
        (Ways(rendered=False), "rendered: false"),
        (Ways(thumbnail=False), "thumbnail: false"),
        (Ways(ignores_offset=True), "paging: one-page"),
        (Ways(omits=("modalities", "counts")), "omits: [modalities, counts]"),
        (Ways(charset="iso-8859-1"), "charset: iso-8859-1"),
        (Ways(refuses_above=100), "page_cap: 100"),
        (Ways(retrieve="http://inside.example:8080"), "retrieve_elsewhere: true"),
    ],
)
def test_each_way_is_found_out(ways: Ways, fact: str) -> None:
    with scripted(speaking(ways, 3)) as server:
        found = probe(server)
    assert found is not None
    assert found.yaml == f"dialect: plain\nprofile: {{{fact}}}"
    assert list(found.differs) == [fact.split(":")[0]]


def test_without_a_study_only_nobody_is_asked_about() -> None:
    with scripted(speaking(Ways(nothing="[]"), 3)) as server:
        found = probe(server, study=None)
    assert found is not None
    assert (found.empty_answer, found.asked_study) == ("[]", False)
    assert {asked.one("PatientID") for asked in server.asked} == {NOBODY}
    assert {asked.path for asked in server.asked} == {"/rs/studies"}


@pytest.mark.parametrize("say", [Say(401), Say(500), Say(200, b"<html>", {"Content-Type": "text/html"}), Say(200, b"{}", {"Content-Type": "application/json"}), Say(302)])
def test_what_is_no_archive_gets_no_proposal(say: Say) -> None:
    with scripted(lambda asked: say) as server:
        assert probe(server) is None
