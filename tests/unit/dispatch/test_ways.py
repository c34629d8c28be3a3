"""By which way, and to which address; link and code never to the same one."""

from __future__ import annotations

import pytest

from smart_app.dispatch.letters import CodeBy
from smart_app.dispatch.ways import Out, Way, way_of
from smart_app.image_requests.types import Facility, Route, RouteKind
from tests.unit.dispatch.correspondence import BRANNOC, EMAIL, HARROW, asked, request


@pytest.mark.parametrize(
    ("route", "facility", "out"),
    [
        (EMAIL, HARROW, Out(Way.MAIL, "images@harrow.example")),
        (BRANNOC.routes[0], BRANNOC, Out(Way.MAIL, "library@brannoc.example", "desk@brannoc.example")),
        (BRANNOC.routes[1], BRANNOC, Out(Way.MAIL, "desk@brannoc.example", "library@brannoc.example")),
        (HARROW.routes[1], HARROW, Out(Way.PAPER, "555 0199")),
        (Route(RouteKind.FHIR, "kestrel"), HARROW, Out(Way.PARTNER, "kestrel")),
        (Route(RouteKind.PATIENT, "rosa@example.org"), None, Out(Way.MAIL, "rosa@example.org")),
        (Route(RouteKind.PATIENT), None, Out(Way.PAPER)),
    ],
)
def test_each_route_has_its_way(route: Route, facility: Facility | None, out: Out) -> None:
    assert way_of(request(asked(route, facility), facility)) == out
    assert out.code_by is (CodeBy.MESSAGE if out.code_to else CodeBy.PHONE)


@pytest.mark.parametrize("second", ["IMAGES@harrow.example", "not an address", "a@b.example\r\nBcc: c@evil.example"])
def test_a_second_address_that_is_none_means_the_phone(second: str) -> None:
    odd = Facility("odd", "Odd", routes=(EMAIL, Route(RouteKind.EMAIL, second)))
    assert way_of(request(asked(EMAIL, odd), odd)).code_by is CodeBy.PHONE
