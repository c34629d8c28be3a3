"""smart_app.sources.imaging_access, smart_app.sources.exchange and smart_app.sources.failing: the patient first, only a certain one, and no address or token where it may not go."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from launch.discovery import Associated
from smart_app.archives.types import PatientId, SourceState
from smart_app.fhir.patient import Identifier
from smart_app.sources.imaging_access import imaging_access
from tests.unit.archives.scripted import Say
from tests.unit.sources.world import EXCHANGE_TOKEN, LAUNCH_TOKEN, MRN, OWN, World, bundle, endpoint, facts, person, study, world

SECRET = "CANARY-CAPABILITY"


@pytest.fixture
def lark() -> Iterator[World]:
    with world(imaging_access) as made:
        yield made


def held(lark: World, *endpoints: dict[str, Any], **changes: Any) -> None:
    """The exchange holds one study with these endpoints."""
    lark.answers["ImagingStudy"] = lambda asked: bundle(study(**changes), *endpoints)


def test_a_study_with_a_token_is_opened_with_the_exchanges_own_credential(lark: World) -> None:
    held(lark, endpoint(f"{lark.server.base}/rs", token=True))
    answer = lark.ask()
    (record,) = answer.studies
    assert answer.state is SourceState.OK
    assert (record.uid, record.archive, record.retrieve, record.open_base) == ("2.25.1", "lark", f"{lark.server.base}/rs", False)
    assert record.claimed_ids == (PatientId("LM-1", "LARK"),)
    place = lark.exchange.place.at(record.retrieve, open_base=record.open_base)
    assert place.authorization() == {"Authorization": f"Bearer {EXCHANGE_TOKEN}"}
    assert place.wado_base == f"{lark.server.base}/rs"


def test_the_patient_is_looked_for_by_identifier_and_the_studies_by_the_id_there(lark: World) -> None:
    lark.ask()
    found = [(one.path, one.query) for one in lark.server.asked]
    assert found[0] == ("/fhir/Patient", {"identifier": [f"{MRN}|4077"]})
    assert found[1][0] == "/fhir/ImagingStudy"
    assert found[1][1]["patient"] == ["x1"]
    assert found[1][1]["_include"] == ["ImagingStudy:endpoint"]
    assert LAUNCH_TOKEN not in lark.sent()


def test_a_capability_address_gets_no_credential_and_is_in_no_text(lark: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    held(lark, endpoint(f"{lark.server.base}/c/{SECRET}/", token=False))
    answer = lark.ask()
    (record,) = answer.studies
    assert record.open_base
    assert record.retrieve == f"{lark.server.base}/c/{SECRET}"
    place = lark.exchange.place.at(record.retrieve, open_base=True)
    assert place.authorization() == {}
    assert place.authorization_after_401(None, {}) is None
    assert SECRET not in f"{answer!r} {record!r} {caplog.text}"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/rs", "https://evil.example/c/x", "{base}.evil.example/rs", "{base}@evil.example/rs", "{base}/rs?token=1", "{base}/../rs",
        "{base}/rs/studies/2.25.99", "http://notspecified", "http://169.254.169.254/latest", "javascript:alert(1)", "", "{base}/rs#x", "file:///etc/passwd",
    ],
)  # fmt: skip
@pytest.mark.parametrize("token", [True, False, None])
def test_an_address_that_is_not_approved_is_only_listed(lark: World, address: str, token: bool | None) -> None:
    held(lark, endpoint(address.format(base=lark.server.base), token=token))
    answer = lark.ask()
    (record,) = answer.studies
    assert record.archive is None
    assert record.retrieve is None
    assert record.unfetchable in {"foreign-place", "no-location"}
    assert answer.state is (SourceState.PARTIAL if record.unfetchable == "foreign-place" else SourceState.OK)
    assert not lark.stranger.asked


def test_both_words_on_one_address_make_it_a_secret(lark: World) -> None:
    held(
        lark, endpoint(f"{lark.server.base}/rs", token=True), endpoint(f"{lark.server.base}/rs", 2, token=False),
        endpoint=[{"reference": "Endpoint/e2"}, {"reference": "Endpoint/e1"}],
    )  # fmt: skip
    assert lark.ask().studies[0].open_base


def test_an_address_without_a_word_is_a_configured_archives(lark: World) -> None:
    held(lark, endpoint(f"{lark.server.base}/kestrel"))
    (record,) = lark.ask().studies
    assert (record.archive, record.retrieve, record.claimed_ids) == ("kestrel", None, (PatientId("K-9", "KESTREL"),))


def test_an_archive_for_which_nobody_knows_an_identifier_is_not_opened(lark: World) -> None:
    held(lark, endpoint(f"{lark.server.base}/kestrel"))
    (record,) = lark.ask(facts(identifiers=(Identifier(MRN, "4077"),))).studies
    assert (record.archive, record.unfetchable) == (None, "unmapped")


def test_a_patient_without_a_mapped_identifier_there_is_listed_and_not_opened(lark: World) -> None:
    lark.answers["Patient"] = lambda asked: bundle(person(identifier=[{"system": MRN, "value": "4077"}]))
    held(lark, endpoint(f"{lark.server.base}/rs", token=True))
    (record,) = lark.ask().studies
    assert (record.archive, record.unfetchable, record.claimed_ids) == (None, "unmapped", ())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"birthDate": "1951-08-08"}, "birth-date-differs"), ({"birthDate": None}, "birth-date-not-given"), ({"gender": "male"}, "sex-differs"),
        ({"gender": "unknown"}, "sex-not-given"), ({"active": False}, "replaced-record"), ({"birthDate": "1951"}, "birth-date-differs"),
        ({"link": [{"type": "replaced-by", "other": {"reference": "Patient/x2"}}]}, "replaced-record"),
        ({"identifier": [{"system": MRN, "value": "4077"}, {"system": MRN, "value": "1"}]}, "another-number"),
        ({"identifier": [{"system": MRN, "value": "4077", "use": "old"}]}, "no-shared-identifier"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_a_candidate_without_studies(lark: World, changes: dict[str, Any], why: str) -> None:
    lark.answers["Patient"] = lambda asked: bundle(person(**changes))
    answer = lark.ask()
    assert [one.why for one in answer.candidates] == [why]
    assert answer.studies == ()
    assert answer.state is SourceState.PARTIAL
    assert all(one.path == "/fhir/Patient" for one in lark.server.asked), "nobody's studies were asked for"


def test_two_records_with_the_same_number_are_both_candidates(lark: World) -> None:
    lark.answers["Patient"] = lambda asked: bundle(person(), person(id="x2"))
    assert [one.why for one in lark.ask().candidates] == ["several-records"] * 2


@pytest.mark.parametrize("placeholder", ["1900-01-01", "1970-01-01"])
def test_a_placeholder_is_no_evidence(lark: World, placeholder: str) -> None:
    lark.answers["Patient"] = lambda asked: bundle(person(birthDate=placeholder))
    assert [one.why for one in lark.ask(facts(birth_date=placeholder)).candidates] == ["birth-date-not-given"]


def test_a_server_that_ignores_the_question_gives_nobody(lark: World) -> None:
    lark.answers["Patient"] = lambda asked: bundle(person(identifier=[{"system": MRN, "value": "9"}]), person(id="x3", identifier=[{"system": OWN, "value": "4077"}]))
    answer = lark.ask()
    assert (answer.studies, answer.candidates, answer.withheld, answer.state) == ((), (), 2, SourceState.PARTIAL)


def test_an_unknown_patient_is_none_in_full(lark: World) -> None:
    lark.answers["Patient"] = lambda asked: bundle()
    assert lark.ask().state is SourceState.EMPTY


def test_without_an_identifier_it_is_not_asked(lark: World) -> None:
    answer = lark.ask(facts(identifiers=(Identifier("urn:kestrel", "K-9"), Identifier(MRN, "4*"), Identifier(MRN, "1", use="old"))))
    assert answer.state is SourceState.NO_IDENTIFIER
    assert not lark.server.asked


@pytest.mark.parametrize("said", [403, 401, 404, 500])
@pytest.mark.parametrize("where", ["Patient", "ImagingStudy"])
def test_a_failure_is_never_an_empty_answer(lark: World, said: int, where: str) -> None:
    lark.answers[where] = lambda asked: Say(said)
    answer = lark.ask()
    assert answer.state is (SourceState.REFUSED if said in (401, 403) else SourceState.FAILED)
    assert answer.http // 100 == said // 100


def test_503_with_retry_after_is_the_same_question_again_within_the_deadline(lark: World) -> None:
    tries = 0

    def slow(asked: Any) -> Say:
        nonlocal tries
        tries += 1
        return Say(503, headers={"Retry-After": "0"}) if tries < 6 else bundle(study())

    lark.answers["ImagingStudy"] = slow
    assert len(lark.ask().studies) == 1
    lark.answers["ImagingStudy"] = lambda asked: Say(503, headers={"Retry-After": "9"})
    assert lark.ask(seconds=1).state is SourceState.FAILED


def test_another_patients_study_is_withheld(lark: World) -> None:
    lark.answers["ImagingStudy"] = lambda asked: bundle(study(), study(2, subject={"reference": "Patient/x2"}), study(3, subject={"reference": "https://evil/Patient/x1"}))
    answer = lark.ask()
    assert [one.uid for one in answer.studies] == ["2.25.1"]
    assert (answer.withheld, answer.state) == (2, SourceState.PARTIAL)


def test_a_next_page_elsewhere_is_not_followed_and_the_rest_stays(lark: World) -> None:
    link = [{"relation": "next", "url": f"{lark.stranger.base}/fhir/ImagingStudy?page=2"}]
    lark.answers["ImagingStudy"] = lambda asked: bundle(study(), link=link)
    answer = lark.ask()
    assert (len(answer.studies), answer.more_exist, answer.state) == (1, True, SourceState.PARTIAL)
    assert answer.not_approved == (lark.stranger.base,)
    assert not lark.stranger.asked


def test_an_associated_server_gets_the_launchs_token_and_patient() -> None:
    def named(server: str, stranger: str) -> tuple[Associated, ...]:
        return Associated(f"{stranger}/fhir", frozenset({"launch-ehr"})), Associated(f"{server}/fhir", frozenset({"smart-imaging-access"}))

    with world(imaging_access, named, fhir=None, associated_with="north", discovery="launch", credential={"kind": "ehr-token", "ehr": "north"}) as made:
        made.answers["ImagingStudy"] = lambda asked: bundle(study(subject={"reference": "Patient/p1"}))
        answer = made.ask(facts(identifiers=(Identifier(OWN, "LM-1"),)))
        assert len(answer.studies) == 1
        named_there = made.source.named(made.context())
        assert named_there is not None
        assert named_there.host == "127.0.0.1", "where the EHR said it is"
        assert {one.headers["authorization"] for one in made.server.asked} == {f"Bearer {LAUNCH_TOKEN}"}
        made.issuer_key = "south"
        assert made.source.named(made.context()) is None, "another EHR's launch has nothing to do with it"


def test_an_associated_server_that_is_a_stranger_gets_nothing() -> None:
    def named(server: str, stranger: str) -> tuple[Associated, ...]:
        return (Associated(f"{stranger}/fhir", frozenset({"smart-imaging-access"})),)

    with world(imaging_access, named, fhir=None, associated_with="north", discovery="launch", credential={"kind": "ehr-token", "ehr": "north"}) as made:
        answer = made.ask()
        assert (answer.state, answer.not_approved) == (SourceState.NOT_APPROVED, (made.stranger.base,))
        assert not made.stranger.asked
        assert not made.server.asked


@pytest.mark.parametrize(("origins", "host"), [(["https://img.north.example"], "img.north.example"), (["https://a.example", "https://b.example"], ""), ([], "")])
def test_the_strip_knows_an_associated_servers_host_before_it_is_asked(origins: list[str], host: str) -> None:
    with world(imaging_access, lambda server, stranger: (), fhir=None, associated_with="north", discovery="launch", origins=origins) as made:
        named = made.source.named(made.context())
        assert named is not None
        assert named.host == host


def test_an_ehr_that_names_no_imaging_server_has_failed() -> None:
    with world(imaging_access, lambda server, stranger: (), fhir=None, associated_with="north", discovery="launch") as made:
        assert (made.ask().state, made.ask().fault_code) == (SourceState.FAILED, "missing")
