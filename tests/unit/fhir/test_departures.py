"""The strict model names fields, never values, and never stands in the way."""

from __future__ import annotations

from typing import Any

import pytest

from smart_app.fhir.departures import departures_of


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({"birthDate": "1951-08-09", "name": [{"family": "Li"}], "gender": "female"}, ()),
        ({"birthDate": "CANARY"}, ("birthDate",)),
        ({"name": {"family": "CANARY"}}, ("name",)),
        ({"CANARY": 1}, ("resource",)),
        ({"identifier": [{"value": "1"}, {"value": 7}]}, ("identifier.1.value",)),
        ({"contact": [{"name": {"family": 3}}]}, ("contact.0.name.family",)),
        ({"name": [None], "identifier": "CANARY"}, ("identifier", "name")),
    ],
)
def test_paths(fields: dict[str, Any], paths: tuple[str, ...], caplog: pytest.LogCaptureFixture) -> None:
    found = departures_of({"resourceType": "Patient", "id": "p1"} | fields)
    assert "CANARY" not in str(found) + caplog.text
    assert bool(found) == bool(paths)
    assert found == paths
