"""Which images of a study are shown, and in which order: every series is seen, from its middle, and no image twice."""

from __future__ import annotations

import pytest

from smart_app.archives.types import Said
from smart_app.intake.looking import few, in_order
from smart_app.intake.received import Instance, Source, Stage
from smart_app.intake.types import Header


def images(**series: int) -> list[Instance]:
    made = [
        Instance(f"{name}{number}", "s", "u", 1, Stage.WAITING, "", Source(Header("1", name, f"{name}{number}", "4", "5", Said(), None, instance_number=number), "/x", "f", ""))
        for name, count in series.items()
        for number in range(1, count + 1)
    ]
    return made[::-1]


def test_all_of_it_the_largest_series_first_each_by_its_numbers() -> None:
    assert [place.words for place in in_order(images(a=1, b=2))] == ["Series 1, image 1 of 2", "Series 1, image 2 of 2", "Series 2, image 1 of 1"]
    assert [place.words for place in in_order(images(a=3))] == ["Image 1 of 3", "Image 2 of 3", "Image 3 of 3"]
    assert in_order([]) == ()


@pytest.mark.parametrize(
    ("series", "places"),
    [({"a": 1}, (0,)), ({"a": 3}, (0, 1, 2)), ({"a": 60}, (5, 15, 25, 35, 45, 55)), ({"a": 40, "b": 20}, (6, 20, 33, 43, 50, 56)), (dict.fromkeys("abcdefgh", 1), (0, 1, 2, 3, 4, 5)), ({}, None)],
)
def test_six_stand_for_a_study(series: dict[str, int], places: tuple[int, ...] | None) -> None:
    found = few([("item", images(**series))])  # type: ignore[list-item]
    assert [one.places for one in found] == ([places] if places is not None else [])


def test_six_in_all_are_shared_by_the_studies() -> None:
    assert [one.places for one in few([("a", images(a=9)), ("b", images(b=1)), ("c", images(c=9)), ("d", images(d=9))])] == [(4,), (0,), (4,), (4,)]  # type: ignore[list-item]
    assert len(few([(str(at), images(a=9)) for at in range(9)])) == 6  # type: ignore[misc]
