"""Logs are JSON lines without what must not be there, ours and the libraries'."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from smart_app import logs

HANDLE = "Zx8" + "k" * 22
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlY2FuYXJ5"


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    structlog.reset_defaults()
    logs.configure(stream=stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def _lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_its_time(out: io.StringIO) -> None:
    structlog.get_logger("priors.x").info("request", route="/l/<launch:handle>/studies", status=200, ms=1.5)
    (line,) = _lines(out)
    assert (line["event"], line["route"], line["status"], line["level"], line["logger"]) == ("request", "/l/<launch:handle>/studies", 200, "info", "priors.x")
    assert str(line["timestamp"]).endswith("Z")


@pytest.mark.parametrize(
    ("fields", "canary"),
    [
        ({"access_token": "canary"}, "canary"),
        ({"Authorization": "Basic canary"}, "canary"),
        ({"patient_name": "canary"}, "canary"),
        ({"outer": {"refresh_token": "canary"}}, "canary"),
        ({"url": "https://ehr.example/fhir/Patient?name=canary"}, "canary"),
        ({"text": "GET /dicom-web/studies?PatientID=canary HTTP/1.1"}, "canary"),
        ({"url": "https://user:canary@pacs.example/x"}, "canary"),
        ({"text": f"sent {JWT} to it"}, "c2lnbmF0dXJlY2FuYXJ5"),
        ({"text": "Authorization: Bearer canary-canary"}, "canary-canary"),
        ({"path": f"/l/{HANDLE}/studies"}, HANDLE),
        ({"list": [f"/l/{HANDLE}/studies", {"state": "canary"}]}, HANDLE),
        ({"handle": HANDLE}, HANDLE),
    ],
)
def test_what_must_not_be_there_is_cut(out: io.StringIO, fields: dict[str, object], canary: str) -> None:
    structlog.get_logger("priors.x").warning("something", **fields)
    assert canary not in out.getvalue()


@pytest.mark.parametrize(
    "text",
    ["Retrying GET https://pacs.example/studies?PatientName=canary", f"token {JWT}", "header Authorization: Bearer canary-canary", f"GET /l/{HANDLE}/x"],
)
def test_what_libraries_say_is_cut_too(out: io.StringIO, text: str) -> None:
    logging.getLogger("some.library").warning("said: %s", text)
    (line,) = _lines(out)
    assert str(line["event"]).startswith("said: ")
    assert not any(secret in out.getvalue() for secret in ("canary", JWT, HANDLE))


def test_line_breaks_make_no_second_line(out: io.StringIO) -> None:
    structlog.get_logger("priors.x").info("x", reason='a\n{"event": "forged"}')
    assert [line["event"] for line in _lines(out)] == ["x"]


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "authlib.oauth2", "fhirclient.client", "dicomweb_client.web", "sqlalchemy.engine.Engine"])
def test_talkative_libraries_are_silent(out: io.StringIO, name: str) -> None:
    logging.getLogger(name).debug("GET /Patient?name=canary")
    logging.getLogger(name).info("GET /Patient?name=canary")
    assert out.getvalue() == ""


def test_a_librarys_traceback_keeps_its_kind_only(out: io.StringIO) -> None:
    try:
        raise ValueError("Rosalind MARCHETTI")
    except ValueError:
        logging.getLogger("some.library").exception("it failed")
    (line,) = _lines(out)
    assert line["kind"] == "ValueError"
    assert "MARCHETTI" not in out.getvalue()
