"""What a sender is told of their own sending: what is wanted, how much is safely received, what became of it. Numbers and words, never bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smart_app.intake.types import Finding
from smart_app.links.types import Purpose
from smart_app.portal.visit import Visit
from smart_app.portal.words import day, wanted_words
from smart_app.spool.store import Spool
from smart_app.spool.types import Upload

Findings = Callable[[Upload], tuple[Finding, ...] | None]
"""What was found in an upload; None: nobody has looked yet."""


class Telling:
    def __init__(self, spool: Spool, findings: Findings, missing: Callable[[str], str] = lambda request: "") -> None:
        """`missing`: what a reviewer wrote is still missing of a request."""
        self._spool, self._findings, self._missing = spool, findings, missing

    def page(self, visit: Visit, token: str) -> dict[str, Any]:
        asked = visit.request.asked if visit.request is not None else None
        return {
            "token": token,
            "wanted": wanted_words(asked.wanted) if asked else visit.about.title,
            "reference": visit.link.request or "",
            "until": day(visit.link.expires_at.date().isoformat()),
            "purpose": visit.link.purpose.value,
            "by_patient": visit.link.purpose is Purpose.BROUGHT or (visit.request is not None and visit.request.facility is None),
            "person": {"name": asked.patient.name, "born": asked.patient.birth_date or "", "sex": asked.patient.sex or ""} if asked else None,
            "state": visit.request.state.value if visit.request is not None else "",
            "asked": {"modality": asked.wanted.modality, "from": asked.wanted.date_from, "to": asked.wanted.date_to, "thin": asked.wanted.thin} if asked else None,
            "open": self._open(visit),
            "missing": self._missing(visit.link.request) if visit.link.request else "",
        }

    def progress(self, upload: str) -> dict[str, int]:
        now = self._spool.progress(upload)
        return {"files": now.files, "whole": now.whole, "bytes": now.bytes, "received": now.held}

    def state(self, visit: Visit) -> dict[str, Any]:
        """All uploads of this link, the newest first."""
        uploads = []
        for one in self._spool.of_link(visit.link.id):
            found = self._findings(one) if one.finished_at else None
            uploads.append(
                {
                    "upload": one.id, "state": one.state.value, "finished": one.finished_at.isoformat() if one.finished_at else None,
                    **self.progress(one.id), "checked": found is not None,
                    "findings": [{"what": each.what, "level": each.level.value, "words": each.words, "count": each.count} for each in found or ()],
                }
            )  # fmt: skip
        return {"uploads": uploads, "request": visit.request.state.value if visit.request is not None else None}

    def receipt(self, visit: Visit) -> dict[str, Any]:
        done = [(one, self._spool.progress(one.id)) for one in self._spool.of_link(visit.link.id) if one.finished_at is not None]
        return {"done": done, "reference": visit.link.request or "", "sender": visit.about.sender}

    def _open(self, visit: Visit) -> dict[str, Any] | None:
        found = self._spool.open_of(visit.link.id)
        return self.progress(found.id) | {"begun": found.begun_at.isoformat()} if found is not None else None
