"""A DICOMweb archive as a source: asked with the patient's identifiers in its own namespace, and with those a person confirmed.

Every row is judged once more by birth date, sex and name before it is listed (`identity.rulings`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from launch.context import LaunchContext
from smart_app.archives.fanout import Question, Tell
from smart_app.archives.qido import Qido
from smart_app.archives.registry import ConfiguredArchive
from smart_app.archives.types import Answer, SourceState
from smart_app.clock import Clock
from smart_app.identity.crosswalk import Crossed, crossed
from smart_app.identity.rulings import Ruling, Sorter
from smart_app.sources.base import Inquiry, Named
from smart_app.sources.discovery import Discovered, Discovery

RulingsOf = Callable[[LaunchContext], tuple[Ruling, ...]]
"""What people decided about records that may be this launch's patient's."""


class ArchiveSource:
    """One configured archive."""

    def __init__(
        self, archive: ConfiguredArchive, qido: Qido, clock: Clock, rulings: RulingsOf = lambda context: (), discovery: Discovery | None = None
    ) -> None:
        """`discovery` is asked only while the chart holds no identifier of this archive."""
        self._archive = archive
        self._discovery = discovery
        self._qido = qido
        self._clock = clock
        self._rulings = rulings

    def named(self, context: LaunchContext) -> Named:
        return Named(self._archive.key, self._archive.name, self._archive.organization, "DICOMweb archive", urlsplit(self._archive.qido_base).hostname or "")

    def questions(self, inquiry: Inquiry) -> Iterable[Question]:
        archive, rulings = self._archive, self._rulings(inquiry.context)
        watch = archive.settings.local if archive.settings.watch is None else archive.settings.watch
        # An archive that takes the launch's own token may tell each user something else.
        own = "ehr-token" in (archive.settings.credential.kind, archive.settings.discovery.credential.kind)
        shared = () if own else (archive.key, inquiry.context.issuer_key, inquiry.facts, rulings)

        def call(seconds: float, tell: Tell | None = None) -> Answer:
            return self._answer(inquiry, rulings, seconds, tell)

        yield Question(archive.key, archive.name, archive.organization, call, watch=watch, shared=shared, early=call)

    def _answer(self, inquiry: Inquiry, rulings: tuple[Ruling, ...], seconds: float, tell: Tell | None) -> Answer:
        archive, known = self._archive, crossed(inquiry.facts, self._archive)
        sorter = Sorter(archive.key, inquiry.facts, known.ids, rulings, archive.settings.silent_rows)
        end = time.monotonic() + seconds
        found = Discovered() if known.ids or self._discovery is None else self._discovery.find(inquiry, sorter, seconds)
        if found.ids:
            sorter = replace(sorter, identifiers=found.ids, vouched=found.certain)
        ids = tuple(dict.fromkeys([*sorter.identifiers, *(ruling.key.patient_id for ruling in sorter.links())]))
        if ids:
            # What is told early is this patient's by the same rules.
            early = (lambda answer: tell(sorter.sort(answer))) if tell is not None else None
            answer = sorter.sort(self._qido.studies(archive, ids, inquiry.launch, max(0.001, end - time.monotonic()), early))
        else:
            answer = self._unasked(known, found)
        if self._discovery is not None and found.candidates:
            counted = tuple(self._discovery.counted(inquiry, one, max(0.001, end - time.monotonic())) for one in found.candidates)
            answer = replace(answer, candidates=(*answer.candidates, *counted))
        if found.more:
            answer = replace(answer, more_exist=True)
        whole = known.whole or not (known.ids or known.retired or known.unusable or found.failure)
        if not ids or whole:
            return answer
        state = SourceState.PARTIAL if answer.state.answered_in_full else answer.state
        return replace(answer, state=state, notes=(*answer.notes, *known.notes))

    def _unasked(self, known: Crossed, found: Discovered) -> Answer:
        now = self._clock()
        code = "retired-identifier" if known.retired else "unusable-identifier" if known.unusable else "not-discovered" if found.asked else None
        archive = self._archive
        answer = Answer(archive.key, archive.name, archive.organization, SourceState.NO_IDENTIFIER, asked_at=now, answered_at=now, fault_code=code)
        if found.candidates:
            return replace(answer, state=SourceState.PARTIAL if found.failure else SourceState.EMPTY, fault_code=found.code)
        # A patient index that did not answer is a failure of this source: it may well know the patient.
        return answer if found.failure is None else replace(answer, state=found.failure, fault_code=found.code)
