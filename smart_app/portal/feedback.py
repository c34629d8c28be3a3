"""What a sender is told of what they sent, while they are still there and later: what is damaged, missing or another person's, and what a reviewer wrote.

Nobody's name is in it: a link's holder learns of the files that came, never of the patient. safety.md K6.
"""

from __future__ import annotations

from collections import Counter

from smart_app.intake.arrival import TALLY
from smart_app.intake.items import Items
from smart_app.intake.reasons import REASONS
from smart_app.intake.received import Received
from smart_app.intake.types import Finding, ItemState, Level
from smart_app.spool.types import Upload

NAMED = "person"
"""This finding speaks of people by name: the sender gets other words."""
WORDS = {
    ItemState.SET_ASIDE: (Level.BAD, "is of another person. It stays out of the record."),
    ItemState.STORED: (Level.GOOD, "is in the medical record."),
    ItemState.STORED_IN_PART: (Level.CARE, "is in the medical record in part."),
    ItemState.NOT_USABLE: (Level.BAD, "cannot be used."),
    ItemState.NOT_FOR_US: (Level.CARE, "is not needed here."),
}


class Feedback:
    def __init__(self, items: Items) -> None:
        self._items = items

    def of(self, upload: Upload) -> tuple[Finding, ...] | None:
        """None: nobody has looked yet."""
        screened = self._items.screened(upload.id)
        if screened is None:
            return None
        tally, found = TALLY.validate_json(screened), []
        for reason, count in Counter(reason for _, reason in tally.refused).items():
            words = REASONS[reason].sender if reason in REASONS else "It cannot be used."
            found.append(Finding("damaged", Level.BAD, f"{count:,} {'file' if count == 1 else 'files'}: {words}", count))
        for item in self._items.of_scope(upload.request or upload.id):
            if any(one.upload == upload.id for one in self._items.instances(item.id)):
                found += told(item)
        return tuple(found)


def told(item: Received) -> list[Finding]:
    """One study in words for whoever sent it."""
    title = item.summary.title or "A study"
    images = f"{item.summary.images:,} image{'' if item.summary.images == 1 else 's'}"
    state = WORDS.get(item.state)
    if item.state is ItemState.SET_ASIDE:
        return [Finding(NAMED, Level.BAD, f"{title}: {images}. It {state[1] if state else ''}")]
    found = [Finding("state", state[0], f"{title} {state[1]}")] if state else []
    for one in item.content.findings:
        if one.level is Level.GOOD or one.what == "damaged":
            continue  # damaged files are counted once for the whole upload
        words = "It does not all name one person clearly; somebody looks at it." if one.what == NAMED else one.words
        found.append(Finding(one.what, one.level, f"{title}: {words}", one.count))
    if item.content.remark:
        found.append(Finding("remark", Level.CARE, f"{title}: “{item.content.remark}”"))
    return found or [Finding("complete", Level.GOOD, f"{title}: {images}, nothing wrong that we could see.")]
