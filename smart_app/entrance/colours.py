"""The EHR's own colours (`smart_style_url`), fetched from the EHR's origins only, as a style sheet that keeps our contrast.

What it may change is decided in `smart_app.style`. An EHR that does not answer costs nothing but its colours.
"""

from __future__ import annotations

import json
import threading

import structlog

from launch.context import LaunchContext
from smart_app.errors import AppError
from smart_app.outbound import Outbound
from smart_app.style import style_css

log = structlog.get_logger("priors.entrance")
SECONDS = 2.0
MAX_BYTES = 50_000
MAX_KEPT = 64


class Colours:
    """Remembers the sheet of each style address for the life of the process: it is the same for all users of an EHR."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._sheets: dict[tuple[str, str], str] = {}
        self._lock = threading.Lock()

    def of(self, context: LaunchContext) -> str:
        """CSS text; empty when the EHR names no style, it is unreachable or nothing of it may be used."""
        url = context.smart_style_url
        if url is None:
            return ""
        place = (context.issuer_key, url)
        with self._lock:
            if place in self._sheets:
                return self._sheets[place]
        sheet = self._ask(context.issuer_key, url)
        if sheet is None:
            return ""
        with self._lock:
            if len(self._sheets) >= MAX_KEPT:
                self._sheets.clear()
            self._sheets[place] = sheet
        return sheet

    def _ask(self, issuer: str, url: str) -> str | None:
        try:
            reply = self._outbound.request(
                f"ehr:{issuer}", "GET", url, headers={"Accept": "application/json"}, deadline=SECONDS, max_bytes=MAX_BYTES
            )
            style = json.loads(reply.body) if reply.status == 200 else None
        except (AppError, ValueError, RecursionError) as error:
            log.info("ehr_style_unusable", issuer=issuer, reason=type(error).__name__)
            return None
        return style_css(style).css if isinstance(style, dict) else ""
