"""Small decisions of the door and its words, by tables."""

from __future__ import annotations

from dataclasses import fields

import pytest

from smart_app.audit.portal_events import LinkProofFailed
from smart_app.config import Settings
from smart_app.config_hosts import portal_dangers
from smart_app.config_safety import is_loopback
from smart_app.errors import AppError
from smart_app.image_requests.types import Wanted
from smart_app.links.about import About, read_about, write_about
from smart_app.links.store import plain_code
from smart_app.portal.asked import announced, numbers
from smart_app.portal.visit import iso_date
from smart_app.portal.words import day, wanted_words


@pytest.mark.parametrize(("typed", "read"), [(("9", "8", "1951"), "1951-08-09"), (("31", "2", "1951"), ""), (("", "", ""), ""), (("9", "8", "51"), "0051-08-09"), (("x", "8", "1951"), "")])
def test_dates_as_typed(typed: tuple[str, str, str], read: str) -> None:
    assert iso_date(*typed) == read


def test_codes_as_typed() -> None:
    assert {plain_code(typed) for typed in ("K7M2QX", "k7m 2qx", " K7M-2QX ", "k7m\t2qx")} == {"K7M2QX"}


def test_what_a_link_is_about_comes_back_and_rubbish_is_nothing() -> None:
    about = About("CT head", "R. M.", "1951-08-09", "Kestrel", "northgate", "p1")
    assert read_about(write_about(about)) == about
    assert read_about("") == read_about("[1]") == About()


@pytest.mark.parametrize(("wanted", "words"), [
    (Wanted("CT perfusion of the head", date_from="2026-05-21", date_to="2026-05-21"), "CT perfusion of the head, 21 May 2026, and its report. Other studies are welcome too."),
    (Wanted("MRI knee", date_from="2026-01-01", date_to="2026-02-01", report=False), "MRI knee, from 1 Jan 2026 to 1 Feb 2026. Other studies are welcome too."),
    (Wanted("CT", report=False, thin=True, others=True), "CT. The thin slices, please, if you have them. All others of the same region, too."),
    (Wanted("CT", accession="KV-1", missing="series 4"), "CT (number KV-1); missing here: series 4, and its report. Other studies are welcome too."),
])  # fmt: skip
def test_what_is_wanted_in_words(wanted: Wanted, words: str) -> None:
    assert wanted_words(wanted) == words
    assert day("2026") == "2026"


@pytest.mark.parametrize("body", [
    None, [], {}, {"files": []}, {"files": [{}]}, {"files": [{"name": "", "size": 1}]}, {"files": [{"name": "a", "size": -1}]}, {"files": [{"name": "a", "size": "1"}]},
    {"files": [{"name": "a", "size": True}]}, {"files": [{"name": "a", "size": 1, "state": "whole"}]}, {"files": [{"name": "a", "size": 1, "sha256": "z"}]},
    {"files": [{"name": "a" * 1001, "size": 1}]}, {"files": [{"name": "a", "size": 1}] * 501}, {"files": [{"name": "a", "size": 1}], "held": 9}, {"files": "ab"},
])  # fmt: skip
def test_what_is_no_list_of_files_is_refused(body: object) -> None:
    with pytest.raises(AppError):
        announced(body)


def test_numbers_left_out() -> None:
    assert numbers(None) == () == numbers({})
    assert numbers({"without": [1, 2]}) == (1, 2)
    for wrong in ([], {"without": "1"}, {"without": [True]}, {"else": []}):
        with pytest.raises(AppError):
            numbers(wrong)


@pytest.mark.parametrize(("portal", "more", "found"), [
    (None, {}, None), ("https://send.example.org", {}, None), ("http://send.localhost:9", {"development": True, "public_url": "http://app.localhost:9"}, None),
    ("https://priors.example.org", {}, "is the host"), ("https://priors.example.org:8443", {}, "is the host"), ("http://send.example.org", {}, "plain http"),
    ("https://send.example.org/x", {}, "more than an origin"), ("send.example.org", {}, "not an http"), ("https://send.example.org:x", {}, "not an http"),
])  # fmt: skip
def test_the_portal_has_a_host_of_its_own(portal: str | None, more: dict[str, object], found: str | None) -> None:
    ehr = {"key": "northgate", "name": "N", "issuer": "https://ehr.example/fhir", "client_id": "c"}
    settings = Settings.model_validate({"public_url": "https://priors.example.org", "portal_url": portal, "sealing_keys": [{"id": "k", "env": "K"}], "ehrs": [ehr]} | more)
    reasons = [reason for _, reason, _ in portal_dangers(settings, is_loopback)]
    assert (found is None) == (not reasons)
    assert found is None or found in reasons[0]


def test_the_audit_never_says_a_token_or_a_code() -> None:
    assert {one.name for one in fields(LinkProofFailed)} == {"who", "patient", "outcome", "link", "left", "request"}
