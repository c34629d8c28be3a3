"""Handler of `store`: coerces, claims, sends, asks what became of it, reads back; only then is an item stored.

Every step is repeated safely: what the archive has is asked before anything is sent, a claim is a row, a receipt is
written when it is known, and coercing again gives the same bytes. Nothing is done or failed by guess (safety.md J2, J3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from smart_app.archives.registry import ConfiguredArchive
from smart_app.archives.stow import Outcome, Stow, Told, ToSend
from smart_app.archives.types import PatientId
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.errors import OutboundError
from smart_app.intake.coercion import CannotCoerce, Change, Written, change_for, coerce, identity, substance
from smart_app.intake.items import Items
from smart_app.intake.loads import loads, the_same_bytes
from smart_app.intake.readback import Expected, Found, ReadBack
from smart_app.intake.receipts import Claim, Receipts, Wish
from smart_app.intake.received import Instance, Line, Received, Stage
from smart_app.intake.types import ItemState
from smart_app.jobs.types import Job, Later, NeedsAttention

TRIES = 8
"""Rounds in which the archive may refuse objects or lose them before the item is called stored in part."""
ROUND = 60.0
"""Seconds at most between two rounds: it goes on within a minute of the archive's healing."""
UNREACHABLE = 30.0
WORKERS = 6
BEAT = 5.0
REASONS = {
    "other-pixels": "another image with the same number is there already", "other-patient": "it is stored under another patient already",
    "changed": "its received bytes are no longer whole", "cannot-coerce": "its header cannot be rewritten", "damaged": "the archive hands it out damaged",
    "not-listed": "the archive does not list it", "unknown": "no answer said what became of it",
}  # fmt: skip
"""Fixed words of `received_instances.reason`; `refused-<code>` is the archive's own."""


class Interrupted(Exception):
    """The archive could not be asked at all: nothing is known that was not known before."""


@dataclass(frozen=True)
class Storing:
    db: Database
    items: Items
    receipts: Receipts
    stow: Stow
    back: ReadBack
    archive: ConfiguredArchive | None
    """The one that stores; None: none does."""
    systems: tuple[str, ...]
    """Identifier systems whose numbers are the archive's."""
    workspace: Path
    """Private folder for what is about to be sent."""
    clock: Clock
    settle: Callable[[Session, str], None]
    """Called with a request when one of its items has come to rest."""
    recorded: Callable[[Session, Received, Mapping[Stage, int]], None]
    """Writes the audit record of an import."""

    def handle(self, job: Job) -> None:
        item = self.items.get(job.key.partition(".")[0])
        if item.state is not ItemState.STORING or item.content.job != job.key:
            return  # somebody decided otherwise meanwhile
        if self.archive is None:
            raise NeedsAttention("no-archive")
        self.workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self.workspace.glob(f"{item.id}-*.dcm"):  # of a round whose process was killed
            left.unlink(missing_ok=True)
        run = _Run(self, self.archive, item, self._change(item))
        try:
            busy = run.round(job.heartbeat)
        except OutboundError:
            raise Later(UNREACHABLE) from None
        if (now := self.items.get(item.id)).state is ItemState.STORING and now.content.job == job.key:
            self._conclude(item, job, busy)

    def number(self, item: Received) -> PatientId | None:
        """The patient's number at the archive."""
        patient = item.content.patient
        if patient is None or self.archive is None:
            return None
        found = next((one.value for one in patient.identifiers if one.issuer in self.systems), None)
        return PatientId(found, self.archive.issuer) if found else None

    def _change(self, item: Received) -> Change:
        number = self.number(item)
        if number is None or item.content.patient is None or item.content.decided_at is None:
            raise NeedsAttention("no-identifier")
        try:
            return change_for(item.content.patient, number, source=item.content.sender, at=item.content.decided_at)
        except CannotCoerce:
            raise NeedsAttention("no-identifier") from None

    def _conclude(self, item: Received, job: Job, busy: bool) -> None:
        instances = self.items.instances(item.id)
        open_ones = [one for one in instances if not one.stage.is_stored]
        hopeful = [one for one in open_ones if one.stage is not Stage.CONFLICT and one.reason not in ("changed", "cannot-coerce")]
        if busy or (hopeful and item.tries + 1 < TRIES):
            with self.db.transaction() as session:
                self.items.change(session, item.id, lambda before: replace(before, tries=before.tries + (0 if busy else 1)))
            raise Later(5.0 if busy else min(ROUND, 2.0 ** (item.tries + 1)))
        with self.db.transaction() as session:
            self._rest(session, item, job, instances)

    def _rest(self, session: Session, item: Received, job: Job, instances: Sequence[Instance]) -> None:
        counts = {stage: sum(one.stage is stage for one in instances) for stage in Stage}
        done = counts[Stage.STORED] + counts[Stage.THERE]
        missing = len(instances) - done
        state = ItemState.STORED if not missing else ItemState.STORED_IN_PART if done else ItemState.IN_REVIEW
        words = f"{done} of {len(instances)} images stored and read back" + (f"; {missing} not: {why_not(instances)}" if missing else "")
        assert self.archive is not None
        for one in instances:
            if not one.stage.is_stored:
                self.receipts.release(session, self.archive.key, one.digest, item.id)

        def change(before: Received) -> Received:
            if before.state is not ItemState.STORING or before.content.job != job.key:
                return before
            return replace(before, state=state, content=replace(before.content, archive=self.archive.key if self.archive else "", opinions=before.content.opinions if done else ()))

        _, after = self.items.change(session, item.id, change, line=Line(self.clock(), words))
        self.recorded(session, after, counts)
        if after.request is not None:
            self.settle(session, after.request)


@dataclass(frozen=True)
class _Ready:
    """One object, coerced and claimed."""

    instance: Instance
    path: Path
    written: Written
    expected: Expected
    receipted: bool = False
    """Another item has stored the very same: it is read back, not sent."""


class _Run:
    """One round over all objects of an item that are not stored yet."""

    def __init__(self, storing: Storing, archive: ConfiguredArchive, item: Received, change: Change) -> None:
        self._s, self._archive, self._item, self._change = storing, archive, item, change
        self._busy = False

    def round(self, heartbeat: Callable[[], None]) -> bool:
        """True: another item is storing some of the same right now. :raises OutboundError: the archive could not be asked."""
        study = self._item.summary.study
        there = self._s.back.listed(self._archive, study)
        heartbeat()
        every = self._s.items.instances(self._item.id)
        todo = [one for one in self._once(every) if not one.stage.is_stored]
        self._each(loads(todo), lambda load: self._load(load, there), heartbeat)
        self._once(self._s.items.instances(self._item.id))
        return self._busy

    def _once(self, every: Sequence[Instance]) -> list[Instance]:
        """One object under each UID. Where several came, they are the same in substance, or a conflict: then none of them is sent."""
        by_uid: dict[str, list[Instance]] = {}
        for one in every:
            by_uid.setdefault(one.digest, []).append(one)
        kept = []
        for same in by_uid.values():
            first = next((one for one in same if one.stage.is_stored), same[0])
            kept.append(first)
            if len(same) == 1:
                continue
            others = [one for one in same if one is not first and not one.stage.is_stored]
            if len({self._substance(one) for one in same}) == 1:
                if first.stage.is_stored:
                    for one in others:
                        self._stage(one, Stage.THERE, "")
                continue
            for one in others if first.stage.is_stored else [kept.pop(), *others]:
                self._stage(one, Stage.CONFLICT, "other-pixels")
        return kept

    def _substance(self, instance: Instance) -> str:
        try:
            return substance(Path(instance.source.path))
        except (CannotCoerce, OSError):
            return instance.sha256

    def _each(self, loads: Sequence[Sequence[Instance]], work: Callable[[Sequence[Instance]], None], heartbeat: Callable[[], None]) -> None:
        with ThreadPoolExecutor(min(WORKERS, max(1, self._archive.limits.parallel - 2)), thread_name_prefix="store") as pool:
            pending: set[Future[None]] = {pool.submit(work, load) for load in loads}
            try:
                while pending:
                    done, pending = wait(pending, timeout=BEAT, return_when=FIRST_COMPLETED)
                    heartbeat()
                    for one in done:
                        one.result()
            except BaseException:
                for one in pending:
                    one.cancel()
                raise

    def _load(self, load: Sequence[Instance], there: set[str]) -> None:
        ready: list[_Ready] = []
        try:
            for instance in load:
                if (one := self._prepared(instance)) is not None:
                    ready.append(one)
            mine = self._claimed(ready)
            known = [one for one in mine if one.receipted or one.expected.instance in there]
            fresh = [one for one in mine if one not in known]
            said = self._s.stow.send(self._archive, self._item.summary.study, [ToSend(one.expected.instance, one.path) for one in fresh]) if fresh else {}
            self._told(fresh, said)
            sent = [one for one in fresh if said[one.expected.instance].told is not Told.FAILED]
            for one in (*known, *sent):
                self._read_back(one, sent=one in sent)
        finally:
            for one in ready:
                one.path.unlink(missing_ok=True)

    def _prepared(self, instance: Instance) -> _Ready | None:
        """Coerced, from bytes that are still those that came; None: it cannot be."""
        source, path = Path(instance.source.path), self._s.workspace / f"{self._item.id}-{instance.digest[:24]}-{instance.sha256[:8]}.dcm"
        if not the_same_bytes(source, instance.sha256):
            self._stage(instance, Stage.FAILED, "changed")
            return None
        try:
            written = coerce(source, path, self._change)
            its = identity(path)
        except CannotCoerce:
            path.unlink(missing_ok=True)
            self._stage(instance, Stage.FAILED, "cannot-coerce")
            return None
        expected = Expected(its.series, its.instance, self._change.patient_id, written.sha256, written.substance, its.transfer_syntax, its.shape)
        return _Ready(instance, path, written, expected)

    def _claimed(self, ready: Sequence[_Ready]) -> list[_Ready]:
        mine: list[_Ready] = []
        with self._s.db.transaction() as session:
            now = self._s.items.get(self._item.id, session, lock=True)
            if now.state is not ItemState.STORING or now.content.job != self._item.content.job:
                return mine  # more came, or somebody decided: what is at hand may hold what nobody has looked at
            for one in sorted(ready, key=lambda one: one.instance.digest):
                wish = Wish(one.instance.digest, self._item.study_digest, self._item.id, self._item.subject, one.written.substance, one.written.sha256)
                claim = self._s.receipts.claim(session, self._archive.key, wish)
                if claim is Claim.BUSY:
                    self._busy = True
                elif claim.is_conflict:
                    self._set(session, one.instance, Stage.CONFLICT, claim.value)
                else:
                    mine.append(replace(one, receipted=claim is Claim.THERE))
        return mine

    def _told(self, fresh: Sequence[_Ready], said: Mapping[str, Outcome]) -> None:
        with self._s.db.transaction() as session:
            for one in fresh:
                outcome = said[one.expected.instance]
                if outcome.told in (Told.STORED, Told.WARNED):
                    self._s.receipts.answered(session, self._archive.key, one.instance.digest, outcome.code)
                    self._set(session, one.instance, Stage.CHECKING, "")
                elif outcome.told is Told.FAILED:
                    self._set(session, one.instance, Stage.FAILED, f"refused-{outcome.code:04X}")
                else:
                    self._set(session, one.instance, Stage.CHECKING, "unknown")

    def _read_back(self, one: _Ready, *, sent: bool) -> None:
        found = self._s.back.look(self._archive, self._item.summary.study, one.expected)
        with self._s.db.transaction() as session:
            if found is Found.SAME:
                self._s.receipts.verified(session, self._archive.key, one.instance.digest)
                before = one.instance.stage
                self._set(session, one.instance, Stage.STORED if sent or before is Stage.CHECKING else Stage.THERE, "")
            elif found is Found.ABSENT:
                self._s.receipts.take_over(session, self._archive.key, one.instance.digest, self._item.id)
                self._set(session, one.instance, Stage.CHECKING, "not-listed")
            elif found is Found.DAMAGED:
                self._set(session, one.instance, Stage.FAILED, "damaged")
            else:
                self._s.receipts.release(session, self._archive.key, one.instance.digest, self._item.id)
                self._set(session, one.instance, Stage.CONFLICT, found.value)

    def _stage(self, instance: Instance, stage: Stage, reason: str) -> None:
        with self._s.db.transaction() as session:
            self._set(session, instance, stage, reason)

    def _set(self, session: Session, instance: Instance, stage: Stage, reason: str) -> None:
        self._s.items.set_stage(session, self._item.id, instance.digest, instance.sha256, stage, reason)


def why_not(instances: Sequence[Instance]) -> str:
    """Why some are not stored, the most frequent reason first, in words."""
    reasons = [one.reason for one in instances if not one.stage.is_stored]
    words = dict.fromkeys(sorted(reasons, key=reasons.count, reverse=True))
    return ", ".join(f"the archive refused it ({one.removeprefix('refused-')})" if one.startswith("refused-") else REASONS.get(one, "not sent yet") for one in words)
