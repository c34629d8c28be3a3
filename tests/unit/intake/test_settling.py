"""What a request is told: never stored while something waits, is missing, or was not what was asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from smart_app.image_requests.workflow import Act
from smart_app.intake.received import Content, Line, Received, Standing, Summary
from smart_app.intake.settling import outcome
from smart_app.intake.types import Finding, ItemState, Level
from smart_app.links.types import Purpose

NOW = datetime(2026, 11, 24, tzinfo=UTC)
S = ItemState


def item(state: ItemState, *findings: Finding, remark: str = "") -> Received:
    summary = Summary("1.2", "CT pelvis", "", "", (), "", "", "", 3, (), ())
    content = Content(summary, "Lakeside", findings=(Finding("exam", Level.GOOD, "Asked for."), *findings), remark=remark, history=(Line(NOW, "2 of 3 images stored and read back"),))
    return Received("i", "RQ-1", "RQ-1", Purpose.REQUEST, "d", "s", state, Standing.CERTAIN, 1, False, False, 0, NOW, NOW, NOW, None, content)


OTHER_EXAM = Finding("exam", Level.CARE, "Not what was asked for.")
GAP = Finding("gaps", Level.BAD, "11 images missing in series 4.")


@pytest.mark.parametrize(
    ("items", "act"),
    [
        ([], None),
        ([item(S.IN_REVIEW)], None),
        ([item(S.STORED), item(S.SECOND_PERSON)], None),
        ([item(S.STORED), item(S.STORING)], None),
        ([item(S.STORED)], Act.STORE),
        ([item(S.STORED), item(S.LEFT), item(S.SET_ASIDE), item(S.NOT_FOR_US)], Act.STORE),
        ([item(S.STORED), item(S.STORED_IN_PART)], Act.STORE_PART),
        ([item(S.STORED, GAP)], Act.STORE_PART),
        ([item(S.STORED, Finding("damaged", Level.BAD, "2 images are damaged."))], Act.STORE_PART),
        ([item(S.STORED, OTHER_EXAM)], Act.STORE_PART),
        ([item(S.STORED), item(S.STORED, OTHER_EXAM, GAP)], Act.STORE),
        ([item(S.SET_ASIDE)], Act.REJECT),
        ([item(S.NOT_USABLE, remark="The head is cut off")], Act.REJECT),
        ([item(S.EXPIRED)], None),
        ([item(S.WITHDRAWN)], Act.REJECT),
        ([item(S.WITHDRAWN), item(S.EXPIRED)], Act.REJECT),
        ([item(S.WITHDRAWN), item(S.IN_REVIEW)], None),
        ([item(S.STORED), item(S.WITHDRAWN)], Act.STORE_PART),
        ([item(S.STORED), item(S.WITHDRAWN, OTHER_EXAM)], Act.STORE),
    ],
)
def test_what_the_request_is_told(items: list[Received], act: Act | None) -> None:
    found = outcome(items)
    assert (found.act if found else None) is act
    assert found is None or found.act is Act.STORE or found.reason


def test_the_reason_names_what_is_missing_and_the_reviewers_words() -> None:
    found = outcome([item(S.STORED, GAP, remark="Please send series 4 again")])
    assert found is not None
    assert found.reason == "Please send series 4 again. CT pelvis: 11 images missing in series 4."
    rejected = outcome([item(S.NOT_USABLE, remark="The head is cut off")])
    assert rejected is not None
    assert rejected.reason == "The head is cut off."
    assert replace(found, reason="") != found
