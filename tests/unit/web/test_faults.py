"""Faults in words for people and in JSON for programs, and nothing that should not be there."""

from __future__ import annotations

import pytest

from tests.unit.web.conftest import HANDLE, World


def test_a_person_gets_a_page_with_a_reference(world: World) -> None:
    response = world.client().get(f"/l/{HANDLE}/image/kestrel/1.2.503")
    title, action, reference, code, side, status, retry, _ = response.text.split("|")
    assert (response.status_code, code, side, status) == (503, "busy", "ours", "503")
    assert title.endswith(".")
    assert action.endswith(".")
    assert reference == response.headers["X-Request-Id"]
    assert retry == f"/l/{HANDLE}/image/kestrel/1.2.503"
    assert response.headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "application/json"},
        {"Accept": "text/event-stream"},
        {"Accept": "application/dicom+json"},
        {"Accept": 'multipart/related; type="application/octet-stream"'},
        {"Accept": "*/*", "Sec-Fetch-Dest": "empty"},
        {"Accept": "image/avif,image/webp,*/*", "Sec-Fetch-Dest": "image"},
    ],
)
def test_a_program_gets_json(world: World, headers: dict[str, str]) -> None:
    response = world.client().get(f"/l/{HANDLE}/image/kestrel/1.2.404", headers=headers)
    assert response.status_code == 404
    error = response.json["error"]
    assert set(error) == {"code", "title", "action", "reference"}
    assert (error["code"], error["reference"]) == ("not-found", response.headers["X-Request-Id"])


def test_the_unexpected_says_nothing_of_itself(world: World, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    response = world.client().get(f"/l/{HANDLE}/image/kestrel/1.2.500")
    out = capsys.readouterr()
    assert response.status_code == 500
    for text in (response.text, out.out, out.err, caplog.text):
        assert "MARCHETTI" not in text
        assert "RuntimeError(" not in text


def test_a_failed_launch_has_its_own_page(world: World) -> None:
    response = world.client(None).get("/launch?iss=https://other.example/fhir&launch=abc")
    assert response.status_code == 504
    assert response.text.startswith("launch The EHR did not answer.")
    assert "abc" not in response.text


def test_wrong_methods_and_large_bodies(world: World) -> None:
    refused = world.client().post(f"/l/{HANDLE}/studies")
    assert (refused.status_code, "GET" in refused.headers["Allow"]) == (405, True)
    large = world.client().post("/form", data=b"x" * 1_100_000, content_type="application/x-www-form-urlencoded", headers={"Origin": "https://priors.example"})
    assert large.status_code in (200, 413)
