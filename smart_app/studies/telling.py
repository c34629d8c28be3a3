"""The list as events for its page: rows that are new, changed or gone, and the strip. Each names its launch and patient."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from flask import render_template

from launch.context import LaunchContext
from smart_app.studies.listing import Picture
from smart_app.studies.rows import MatchRow, StudyRow

COME_BACK = 2000
"""Milliseconds after which a page that had to hand over its stream asks for the rest."""


def patient_key(ctx: LaunchContext) -> str:
    """What each answer carries so that a page can tell it is its own: names the patient only to who knows the launch."""
    return hashlib.sha256(f"{ctx.handle}{ctx.patient_id}".encode()).hexdigest()[:16]


Matches = Callable[[Picture, LaunchContext], tuple[MatchRow, ...]]
"""The records that wait for a person, as rows."""


class Telling:
    """The events of one stream; remembers what it has told."""

    def __init__(self, ctx: LaunchContext, matches: Matches) -> None:
        self._ctx = ctx
        self._matches = matches
        self._echo = {"launch": ctx.handle, "patient": patient_key(ctx)}
        self._shown: dict[str, StudyRow] = {}
        self._strip: tuple[Any, ...] = ()

    def rows(self, picture: Picture, *, whole: bool = False) -> str:
        """Rows that are new or have changed, and those that are no longer there; empty when there is neither.

        :param whole: all rows there are, for a page that was told the earlier ones by another stream.
        """
        now = {row.uid: row for row in picture.rows}
        changed = [row for uid, row in now.items() if self._shown.get(uid) != row]
        gone = [uid for uid in self._shown if uid not in now]
        self._shown = now
        if not changed and not gone and not whole:
            return ""
        found: dict[str, Any] = {"rows": [row_told(row, self._ctx) for row in changed]}
        return _event("rows", self._echo | found | ({"gone": gone} if gone else {}) | ({"all": True} if whole else {}))

    def strip(self, picture: Picture) -> str:
        """Empty when it is what was told last."""
        told = (picture.strip, picture.notes, picture.restricted, picture.answered, picture.asked, picture.relevant_to, picture.waiting)
        if told == self._strip:
            return ""
        self._strip = told
        return _event("strip", self._echo | strip_told(picture, self._ctx, self._matches(picture, self._ctx)))

    def later(self, since: datetime, pending: Iterable[str], *, again: bool = False) -> str:
        """The asking goes on without this stream: when to come back, and what for. Not so soon `again`."""
        return _event("later", self._echo | {"after": COME_BACK * 2 if again else COME_BACK, "since": since.isoformat(), "asking": sorted(pending)})

    def ended(self) -> str:
        return _event("ended", self._echo)

    def done(self) -> str:
        return _event("done", self._echo)


def strip_told(picture: Picture, ctx: LaunchContext, matches: tuple[MatchRow, ...]) -> dict[str, Any]:
    """The strip and what belongs to it, for its page."""
    strip = picture.strip
    return {
        "tone": strip.tone, "none_found": strip.none_found, "answered": picture.answered, "asked": picture.asked,
        "relevant_to": picture.relevant_to,
        "html": render_template("studies/_strip.html", strip=strip, launch=ctx),
        "notes_html": render_template("studies/_notes.html", strip=strip, notes=picture.notes, matches=matches, launch=ctx, restricted=picture.restricted),
    }  # fmt: skip


def row_told(row: StudyRow, ctx: LaunchContext) -> dict[str, Any]:
    """One row, for its page."""
    hospitals = list(dict.fromkeys(source.organization for source in row.sources))
    words = [row.title, row.modality, *row.modalities, row.hospital, *row.regions, row.date, row.iso_date, row.report]
    return {
        "uid": row.uid, "sort": row.sort, "date": row.iso_date, "modalities": list(row.modalities), "regions": list(row.regions),
        "hospitals": hospitals, "text": " ".join(words).lower(), "html": render_template("studies/_row.html", row=row, launch=ctx),
    }  # fmt: skip


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"
