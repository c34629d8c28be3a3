"""The FHIR client against a scripted EHR: the token stays inside the base, paging always ends, one retry after a 401."""

from __future__ import annotations

from typing import Any

import pytest

from smart_app.errors import Cut, TimedOut, TooLarge
from smart_app.fhir.client import FhirClient, FhirFailed, FhirLimits, FhirMissing, FhirRefused
from tests.unit.archives.scripted import Asked, Say, Scripted, fhir, outbound_to, scripted


class Tokens:
    def __init__(self, *later: str) -> None:
        self.now, self.later = "t1", list(later)
        self.refreshes = 0

    def access_token(self) -> str:
        return self.now

    def refreshed(self, rejected: str) -> str:
        assert rejected == self.now
        self.refreshes += 1
        self.now = self.later.pop(0) if self.later else self.now
        return self.now


def client(server: Scripted, tokens: Tokens | None = None, **limits: Any) -> FhirClient:
    return FhirClient(outbound_to(ehr_n=server.base), "ehr:n", f"{server.base}/fhir", tokens or Tokens(), FhirLimits(**{"deadline": 5, **limits}))


def bundle(*entries: Any, following: str | None = None) -> Say:
    links = [{"relation": "self", "url": "x"}] + ([{"relation": "next", "url": following}] if following else [])
    return fhir({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": list(entries)})


def entry(number: int) -> dict[str, Any]:
    return {"resource": {"resourceType": "ImagingStudy", "id": f"s{number}"}}


def search(server: Scripted, **limits: Any) -> list[Any]:
    return list(client(server, **limits).search("ImagingStudy", [("patient", "p1")]))


def test_reads_one_resource_with_the_bearer() -> None:
    with scripted(lambda asked: fhir({"resourceType": "Patient", "id": "p1"})) as server:
        assert client(server).read("Patient", "p1")["id"] == "p1"
    assert server.asked[0].path == "/fhir/Patient/p1"
    assert server.asked[0].headers["authorization"] == "Bearer t1"


@pytest.mark.parametrize("answer", [{"resourceType": "Patient", "id": "p2"}, {"resourceType": "OperationOutcome"}, ["x"], "text"])
def test_another_resource_than_asked_is_refused(answer: Any) -> None:
    with scripted(lambda asked: fhir(answer)) as server, pytest.raises(FhirFailed):
        client(server).read("Patient", "p1")


@pytest.mark.parametrize("name", ["../admin", "p1/x", "..", ".", "", "p 1", "p1?x", "//evil/x", "a" * 65, "p%2e", "p\n"])
def test_an_odd_id_is_never_sent(name: str) -> None:
    with scripted(lambda asked: fhir({})) as server:
        with pytest.raises(FhirMissing):
            client(server).read("Patient", name)
        assert server.asked == []


@pytest.mark.parametrize(
    ("say", "error"),
    [
        (Say(403), FhirRefused), (Say(401), FhirRefused), (Say(404), FhirMissing), (Say(410), FhirMissing), (Say(500), FhirFailed), (Say(400), FhirFailed),
        (Say(302, headers={"Location": "/x"}), FhirFailed), (Say(200, b"<html>"), FhirFailed), (Say(200, b'{"a":' * 50_000), FhirFailed),
        (Say(200, b"\xff\xfe\x00"), FhirFailed), (Say(200, b"{" + b" " * 9000), TooLarge), (Say(200, b"{}", announce=99), Cut), (Say(hang=9), TimedOut),
    ],
)  # fmt: skip
def test_each_fault_has_its_error(say: Say, error: type[Exception]) -> None:
    big = len(say.body) > 9000 and say.body.startswith(b"{ ")
    with scripted(lambda asked: say) as server, pytest.raises(error):
        client(server, deadline=1, **({"page_bytes": 5000} if big else {})).read("Patient", "p1")


def test_one_fresh_token_after_401_and_no_more() -> None:
    tokens = Tokens("t2")
    with scripted(lambda asked: fhir({"resourceType": "Patient", "id": "p1"}) if asked.headers["authorization"] == "Bearer t2" else Say(401)) as server:
        client(server, tokens).read("Patient", "p1")
    assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer t1", "Bearer t2"]
    tokens = Tokens("t2", "t3")
    with scripted(lambda asked: Say(401)) as server, pytest.raises(FhirRefused):
        client(server, tokens).read("Patient", "p1")
    assert tokens.refreshes == 1


def test_503_with_retry_after_is_asked_again() -> None:
    answers = iter([Say(503, headers={"Retry-After": "0"}), bundle(entry(1))])
    with scripted(lambda asked: next(answers)) as server:
        assert len(search(server)[0].entries) == 1


def test_every_page_is_followed_also_by_relative_link() -> None:
    def answer(asked: Asked) -> Say:
        page = int(asked.one("page") or 1)
        return bundle(entry(page), following=f"ImagingStudy?page={page + 1}" if page == 1 else f"{server.base}/fhir?page={page + 1}" if page < 4 else None)

    with scripted(answer) as server:
        pages = search(server)
    assert [page.entries[0]["resource"]["id"] for page in pages] == ["s1", "s2", "s3", "s4"]
    assert pages[-1].ended == ""


@pytest.mark.parametrize(
    "following",
    [
        "{evil}/fhir?page=2", "//{evilhost}/fhir?page=2", "{own}/other?page=2", "{own}/fhir2?page=2", "{own}/fhir/../admin", "{own}/fhir/%2e%2e/admin",
        "http://user@{ownhost}/fhir?page=2", "ftp://{ownhost}/fhir", "javascript:alert(1)", "{own}/fhir\\..\\x", "http://[::1/", "file:///etc/passwd",
    ],
)  # fmt: skip
def test_a_page_link_out_of_the_base_is_named_and_not_followed(following: str) -> None:
    with scripted(lambda asked: bundle()) as evil:
        link: list[str] = []
        with scripted(lambda asked: bundle(entry(1), following=link[0])) as server:
            link.append(following.format(evil=evil.base, evilhost=evil.base[7:], own=server.base, ownhost=server.base[7:]))
            (page,) = search(server)
        assert evil.asked == []
    assert page.ended == "foreign-link"
    assert len(server.asked) == 1
    assert len(page.entries) == 1


def test_a_page_that_repeats_ends_the_search() -> None:
    with scripted(lambda asked: bundle(entry(1), following=f"{server.base}/fhir/ImagingStudy?page=2")) as server:
        pages = search(server)
    assert len(server.asked) == 2
    assert (pages[0].ended, pages[1].ended, pages[1].entries) == ("", "repeated", ())


def test_endless_pages_that_repeat_content_under_new_links_end() -> None:
    with scripted(lambda asked: bundle(entry(1), following=f"{server.base}/fhir?page={len(server.asked)}")) as server:
        pages = search(server)
    assert len(server.asked) == 2
    assert pages[-1].ended == "repeated"


def test_endless_new_pages_stop_at_the_bound() -> None:
    with scripted(lambda asked: bundle(entry(len(server.asked)), following=f"{server.base}/fhir?page={len(server.asked)}")) as server:
        pages = search(server, pages=5)
    assert len(server.asked) == 5
    assert pages[-1].ended == "too-many"


def test_all_pages_share_one_deadline_and_one_size() -> None:
    def slow(asked: Asked) -> Say:
        say = bundle(entry(len(server.asked)), following=f"{server.base}/fhir?page={len(server.asked)}")
        say.hang = 0.3
        return say

    with scripted(slow) as server, pytest.raises(TimedOut):
        search(server, deadline=1)
    assert len(server.asked) <= 5
    padded = lambda asked: bundle({"resource": {"id": str(len(server.asked)), "x": "y" * 500}}, following=f"{server.base}/fhir?page={len(server.asked)}")  # noqa: E731
    with scripted(padded) as server, pytest.raises(TooLarge):
        search(server, total_bytes=3000)
