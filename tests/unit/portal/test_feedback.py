"""What a sender hears of what they sent: damaged files by reason, another person's without a name, the reviewer's words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic_core import to_json

from smart_app.clock import utc_now
from smart_app.intake.arrival import Tally
from smart_app.intake.items import Items
from smart_app.intake.received import Content, Received, Standing, Summary
from smart_app.intake.types import Finding, ItemState, Level
from smart_app.links.types import Purpose
from smart_app.portal.feedback import Feedback, told
from tests.unit.portal.senders import World

SUMMARY = Summary("1.2.3", "CTA head and neck", "2026-05-21", "", ("CT",), "", "", "", 340, (), ())
FINDINGS = (Finding("person", Level.GOOD, "All of it names CANARY."), Finding("thin", Level.CARE, "Thick slices only (5 mm)."), Finding("exam", Level.GOOD, "Asked for."))
NOW = utc_now()
ITEM = Received("i", "RQ-1", "RQ-1", Purpose.REQUEST, "", "", ItemState.IN_REVIEW, Standing.CERTAIN, 1, False, False, 0, NOW, NOW, NOW, None, Content(SUMMARY, "Kestrel", findings=FINDINGS))


@pytest.mark.parametrize(("changes", "words"), [
    ({}, [("care", "CTA head and neck: Thick slices only (5 mm).")]),
    ({"content": replace(ITEM.content, findings=FINDINGS[:1])}, [("good", "CTA head and neck: 340 images, nothing wrong that we could see.")]),
    ({"content": replace(ITEM.content, findings=(Finding("person", Level.BAD, "Its images name CANARY; CANARY2."),))}, [("bad", "CTA head and neck: It does not all name one person clearly; somebody looks at it.")]),
    ({"state": ItemState.SET_ASIDE}, [("bad", "CTA head and neck: 340 images. It is of another person. It stays out of the record.")]),
    ({"state": ItemState.NOT_USABLE, "content": replace(ITEM.content, findings=(), remark="Series 4 stops at the skull base.")},
     [("bad", "CTA head and neck cannot be used."), ("care", "CTA head and neck: “Series 4 stops at the skull base.”")]),
    ({"state": ItemState.STORED, "content": replace(ITEM.content, findings=())}, [("good", "CTA head and neck is in the medical record.")]),
])  # fmt: skip
def test_a_study_in_words(changes: dict[str, object], words: list[tuple[str, str]]) -> None:
    said = told(replace(ITEM, **changes))
    assert [(one.level.value, one.words) for one in said] == words
    assert "CANARY" not in repr(said)


def test_nothing_is_said_before_somebody_has_looked(world: World) -> None:
    sender = world.sender()
    sender.begin()
    sender.announce(("CANARY.dcm", 3))
    sender.send((1, 0, b"abc"))
    sender.finish()
    assert sender.get("/state").json["uploads"][0]["checked"] is False
    items = Items(world.parts.database, world.parts.keyring, world.parts.clock, tenant="default")
    upload = world.parts.spool.upload(sender.upload)
    assert Feedback(items).of(upload) is None
    with world.parts.database.transaction() as session:
        items.mark_screened(session, sender.upload, to_json(Tally(3, 1, 0, (("CANARY.dcm", "cut"), ("b", "cut")))))
    state = sender.get("/state").json["uploads"][0]
    assert (state["checked"], [one["words"] for one in state["findings"]]) == (
        True, ["2 files: This file breaks off in the middle, most likely when it was copied. Send it again from the original."],
    )  # fmt: skip
