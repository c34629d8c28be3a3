"""Who asks for which study, decided once a request: the study is in this launch's own list, for this patient, or it is not there.

Owns the gateway's one refusal (safety.md Z1, Z2): a study that this launch does not hold is 404, whether it exists or
not, and the try is audited.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from launch.context import LaunchContext
from smart_app.archives.registry import Archives, ConfiguredArchive, LaunchToken
from smart_app.archives.types import PatientId, Said
from smart_app.audit.events import AccessDenied, Event, Who
from smart_app.errors import AppError, Fault, Side
from smart_app.holdings.store import Held, Holdings

NOT_IN_LIST = Fault("not-found", Side.PERSON, "This is not here.", "Open the Images tab again from the patient’s chart.", False, 404)
KEEP_SECONDS = 2.0
"""How long a yes may be believed without asking the database again: frames come by the hundred."""
KEEP = 512


class Recorder(Protocol):
    """What we need of the audit log. Raises when the record cannot be written: then nothing may be sent."""

    def record(self, event: Event) -> str: ...


TokenOf = Callable[[LaunchContext], LaunchToken | None]


@dataclass(frozen=True)
class Ask:
    """One request for one held study."""

    context: LaunchContext
    who: Who
    archive: ConfiguredArchive
    held: Held
    launch: LaunchToken | None = field(repr=False)

    @property
    def handle(self) -> str:
        return self.context.handle

    @property
    def study(self) -> str:
        return self.held.study_uid

    @property
    def patients(self) -> tuple[PatientId, ...]:
        """The identifiers that its instances may carry."""
        return self.held.patient_ids or (self.held.patient_id,)

    @property
    def expected(self) -> tuple[Said, ...]:
        """Whom its instances may name beside the identifier."""
        return self.held.record.expected


def patient_key(context: LaunchContext) -> str:
    """How pages and answers name the patient without saying who: the client drops what carries another."""
    return hashlib.sha256(f"{context.handle}{context.patient_id or ''}".encode()).hexdigest()[:16]


class Doorman:
    """Turns (launch, archive key, study) into an Ask, or refuses."""

    def __init__(self, archives: Archives, holdings: Holdings, audit: Recorder, tokens: TokenOf) -> None:
        self._archives = archives
        self._holdings = holdings
        self._audit = audit
        self._tokens = tokens
        self._kept: OrderedDict[tuple[str, str, str], tuple[float, Held]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, context: LaunchContext, who: Who, archive_key: str, study: str) -> Ask:
        """:raises AppError: 404, the same for a study that is not there and one that is not this launch's."""
        archive = self._archives.by_key(archive_key)
        held = self._held(context.handle, archive_key, study) if archive is not None else None
        if archive is None or held is None:
            self._audit.record(AccessDenied(who=who, patient=context.patient_id, action="view-images", reason="study not in this list"))
            raise AppError(NOT_IN_LIST)
        return Ask(context, who, archive.at(held.record.retrieve, open_base=held.record.open_base), held, self._tokens(context))

    def archive(self, key: str) -> ConfiguredArchive:
        """:raises AppError: 404."""
        archive = self._archives.by_key(key)
        if archive is None:
            raise AppError(NOT_IN_LIST)
        return archive

    def named(self, sentence: str, key: str) -> str:
        """A sentence about 'it' as one about that archive: whose side a fault is on must be read at once."""
        archive = self._archives.by_key(key)
        for pronoun, ending in (("It ", " "), ("Its ", "\u2019s ")):
            if archive is not None and sentence.startswith(pronoun):
                return archive.name + ending + sentence.removeprefix(pronoun)
        return sentence

    def all_held(self, context: LaunchContext, archive_key: str) -> list[Held]:
        """Every study of that archive which this launch may open, in the order it was told."""
        uids = dict.fromkeys(study.uid for answer in self._holdings.answers(context.handle) for study in answer.studies if study.archive == archive_key)
        found = (self._holdings.held(context.handle, archive_key, uid) for uid in uids)
        return [held for held in found if held is not None]

    def _held(self, handle: str, archive: str, study: str) -> Held | None:
        key, now = (handle, archive, study), time.monotonic()
        with self._lock:
            until, kept = self._kept.get(key, (0.0, None))
        if kept is not None and now < until:
            return kept
        held = self._holdings.held(handle, archive, study)
        with self._lock:
            if held is None or held.break_glass or held.record.links:
                self._kept.pop(key, None)  # a break-glass may end at any moment, and a decision may be undone
            else:
                self._kept[key] = (now + KEEP_SECONDS, held)
                self._kept.move_to_end(key)
                while len(self._kept) > KEEP:
                    self._kept.popitem(last=False)
        return held
