"""`priors check` of exchanges over sockets: what is well, what is wrong, and what to do."""

from __future__ import annotations

import pytest

from launch.discovery import Associated, SmartServer
from launch.errors import EhrSilent
from smart_app.check_exchanges import exchange_line
from smart_app.sources.imaging_access import imaging_access
from tests.unit.archives.scripted import Say, fhir
from tests.unit.sources.world import EXCHANGE_TOKEN, World, bundle, person, world


class Launcher:
    def __init__(self, *urls: str, silent: bool = False) -> None:
        self._urls, self._silent = urls, silent

    def inspect(self, key: str) -> SmartServer:
        if self._silent:
            raise EhrSilent
        named = tuple(Associated(url, frozenset({"smart-imaging-access"})) for url in self._urls)
        return SmartServer("http://t", None, None, None, frozenset(), (), "v2", False, associated=named)


def line(made: World, launcher: Launcher | None = None):
    return exchange_line(made.exchange, made.source._around.outbound, launcher or Launcher())


def test_one_that_answers_is_asked_with_our_credential_for_nobody() -> None:
    with world(imaging_access) as made:
        made.answers["Patient"] = lambda asked: bundle()
        found = line(made)
        assert (found.ok, found.wrong, found.supports) == (True, "", ("patient search",))
        assert made.server.asked[-1].query == {"identifier": ["urn:mrn|PRIORS-CHECK-NOBODY"]}
        assert EXCHANGE_TOKEN in str(made.server.asked[-1].headers)
        assert found.as_text()[0].startswith("ok   exchange lark (Larkmoor) http")


@pytest.mark.parametrize(
    ("answer", "words", "advice"),
    [
        (lambda asked: Say(401), "refused", "credential"),
        (lambda asked: Say(403), "refused", "credential"),
        (lambda asked: Say(404), "no Patient search", "FHIR base"),
        (lambda asked: Say(500), "fault", "fhir"),
        (lambda asked: Say(200), "not FHIR", "fhir"),
        (lambda asked: fhir({"resourceType": "Basic"}), "not FHIR", "fhir"),
        (lambda asked: bundle(person()), "not asked for", "ignored"),
    ],
)
def test_what_is_wrong_and_what_to_do(answer, words: str, advice: str) -> None:
    with world(imaging_access) as made:
        made.answers["Patient"] = answer
        found = line(made)
        assert not found.ok
        assert words in found.wrong
        assert advice in found.advice
        assert any("What to do:" in text for text in found.as_text())


def test_an_associated_server_is_asked_what_it_is_without_any_token() -> None:
    with world(imaging_access, lambda server, stranger: (), fhir=None, associated_with="north", discovery="launch", credential={"kind": "ehr-token", "ehr": "north"}) as made:
        made.answers["metadata"] = lambda asked: fhir({"resourceType": "CapabilityStatement"})
        found = exchange_line(made.exchange, made.source._around.outbound, Launcher(f"{made.server.base}/fhir"))
        assert found.ok, found.wrong
        assert [one.path for one in made.server.asked] == ["/fhir/metadata"]
        assert "authorization" not in made.server.asked[-1].headers


def test_an_associated_server_elsewhere_is_not_asked() -> None:
    with world(imaging_access, lambda server, stranger: (), fhir=None, associated_with="north", discovery="launch") as made:
        found = exchange_line(made.exchange, made.source._around.outbound, Launcher("https://stranger.example/fhir"))
        assert not found.ok
        assert "not configured" in found.wrong
        assert found.address == "https://stranger.example"
        assert not made.server.asked


def test_an_ehr_that_is_silent() -> None:
    with world(imaging_access, lambda server, stranger: (), fhir=None, associated_with="north", discovery="launch") as made:
        found = exchange_line(made.exchange, made.source._around.outbound, Launcher(silent=True))
        assert "could not be asked" in found.wrong
