"""A DICOMweb archive as a source: asked with the patient's identifiers in its own namespace, and with nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from launch.context import LaunchContext
from smart_app.archives.fanout import Question, Tell
from smart_app.archives.qido import Qido
from smart_app.archives.registry import ConfiguredArchive
from smart_app.archives.types import Answer, SourceState
from smart_app.clock import Clock
from smart_app.identity.crosswalk import Crossed, crossed
from smart_app.sources.base import Inquiry, Named


class ArchiveSource:
    """One configured archive."""

    def __init__(self, archive: ConfiguredArchive, qido: Qido, clock: Clock) -> None:
        self._archive = archive
        self._qido = qido
        self._clock = clock

    def named(self, context: LaunchContext) -> Named:
        return Named(self._archive.key, self._archive.name, self._archive.organization, "DICOMweb archive", urlsplit(self._archive.qido_base).hostname or "")

    def questions(self, inquiry: Inquiry) -> Iterable[Question]:
        archive, known = self._archive, crossed(inquiry.facts, self._archive)

        def call(seconds: float, tell: Tell | None = None) -> Answer:
            if not known.ids:
                return self._unasked(known)
            answer = self._qido.studies(archive, known.ids, inquiry.launch, seconds, tell)
            if known.whole:
                return answer
            state = SourceState.PARTIAL if answer.state.answered_in_full else answer.state
            return replace(answer, state=state, notes=(*answer.notes, *known.notes))

        watch = archive.settings.local if archive.settings.watch is None else archive.settings.watch
        # An archive that takes the launch's own token may tell each user something else.
        shared = (archive.key, inquiry.context.issuer_key, inquiry.facts, known) if archive.settings.credential.kind != "ehr-token" else ()
        yield Question(archive.key, archive.name, archive.organization, call, watch=watch, shared=shared, early=call)

    def _unasked(self, known: Crossed) -> Answer:
        now = self._clock()
        code = "retired-identifier" if known.retired else "unusable-identifier" if known.unusable else None
        archive = self._archive
        return Answer(archive.key, archive.name, archive.organization, SourceState.NO_IDENTIFIER, asked_at=now, answered_at=now, fault_code=code)
