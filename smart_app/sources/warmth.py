"""Connections to whom a list will ask, opened while its page is still on the way: the question then costs one round trip.

Only to configured origins, and only where this patient will be asked for. Nothing is sent over them before the question.
"""

from __future__ import annotations

from collections.abc import Mapping

from launch.context import LaunchContext
from smart_app.archives.registry import Archives
from smart_app.fhir.patient import PatientFacts
from smart_app.identity.crosswalk import crossed
from smart_app.outbound import Outbound

AT_ONCE = 2
"""Questions that go to one source together: a page and its proof, or studies and reports."""


class Warmth:
    """One a process. `issuers`: EHR key -> FHIR base."""

    def __init__(self, outbound: Outbound, issuers: Mapping[str, str], archives: Archives) -> None:
        self._outbound = outbound
        self._issuers = issuers
        self._archives = archives

    def __call__(self, ctx: LaunchContext, facts: PatientFacts) -> None:
        """Returns at once."""
        self._outbound.warm(f"ehr:{ctx.issuer_key}", self._issuers[ctx.issuer_key], AT_ONCE)
        for archive in self._archives:
            if crossed(facts, archive).ids:
                self._outbound.warm(archive.lane, archive.qido_base, AT_ONCE)
