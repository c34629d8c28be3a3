"""Handler of `store`: reads the chart again, coerces, claims, sends, asks what became of it, reads back; only then is an item stored.

Every step is repeated safely: what the archive has is asked before anything is sent, a claim is a row, a receipt is
written when it is known, and coercing again gives the same bytes. Nothing is done or failed by guess (safety.md J2, J3).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
from smart_app.intake import withdrawals
from smart_app.intake.chart_guard import ChartGuard
from smart_app.intake.charts import Charts
from smart_app.intake.coercion import CannotCoerce, Change, Written, change_for, coerce, identity, substance
from smart_app.intake.items import Items
from smart_app.intake.loads import loads, the_same_bytes
from smart_app.intake.readback import Expected, Found, ReadBack
from smart_app.intake.receipts import Claim, Receipts, Wish
from smart_app.intake.received import Instance, Line, Received, Stage, Standing
from smart_app.intake.types import ItemState
from smart_app.intake.unstored import why_not
from smart_app.jobs.types import Job, Later, NeedsAttention

TRIES = 8
"""Rounds in which the archive may refuse objects or lose them before the item is called stored in part."""
ROUND = 60.0
"""Seconds at most between two rounds: it goes on within a minute of the archive's healing."""
UNREACHABLE = 30.0
WORKERS = 6
BEAT = 5.0


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
    charts: Charts

    def handle(self, job: Job) -> None:
        decided = self.items.get(job.key.partition(".")[0])
        if decided.state is not ItemState.STORING or decided.content.job != job.key:
            return  # somebody decided otherwise meanwhile
        if self.archive is None:
            raise NeedsAttention("no-archive")
        with self.items.reading() as session:
            is_out = withdrawals.is_out(session, self.archive.key, decided.study_digest)
        if is_out and decided.standing is not Standing.TAKEN_OUT:
            self._send_back(decided, job)
            return
        item = ChartGuard(self.db, self.items, self.receipts, self.charts, self.settle).passed(decided, self.archive.key)
        if item is None:
            return
        self.workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self.workspace.glob(f"{item.id}-*.dcm"):  # of a round whose process was killed
            left.unlink(missing_ok=True)
        run = _Run(self, self.archive, item, self._change(item), asked_anew=is_out)
        try:
            busy = run.round(job.heartbeat)
            listed = self.back.listed(self.archive, item.summary.study) if is_out else set()
        except OutboundError:
            raise Later(UNREACHABLE) from None
        if (now := self.items.get(item.id)).state is ItemState.STORING and now.content.job == job.key:
            self._conclude(item, job, busy, listed)

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

    def _send_back(self, item: Received, job: Job) -> None:
        """It was agreed on before the study was taken out of view: that agreement holds no longer."""

        def change(before: Received) -> Received:
            if before.state is not ItemState.STORING or before.content.job != job.key:
                return before
            return replace(before, state=ItemState.IN_REVIEW, standing=Standing.TAKEN_OUT, content=replace(before.content, why=withdrawals.WHY, opinions=()))

        with self.db.transaction() as session:
            self.items.change(session, item.id, change, line=Line(self.clock(), withdrawals.AGAIN))

    def _conclude(self, item: Received, job: Job, busy: bool, listed: Collection[str]) -> None:
        instances = self.items.instances(item.id)
        open_ones = [one for one in instances if not one.stage.is_stored]
        hopeful = [one for one in open_ones if one.stage is not Stage.CONFLICT and one.reason not in ("changed", "cannot-coerce")]
        if busy or (hopeful and item.tries + 1 < TRIES):
            with self.db.transaction() as session:
                self.items.change(session, item.id, lambda before: replace(before, tries=before.tries + (0 if busy else 1)))
            raise Later(5.0 if busy else min(ROUND, 2.0 ** (item.tries + 1)))
        with self.db.transaction() as session:
            now = self.items.get(item.id, session, lock=True)
            if now.state is ItemState.STORING and now.content.job == job.key:
                self._rest(session, now, self._in_view(session, now, instances, listed))

    def _in_view(self, session: Session, item: Received, instances: Sequence[Instance], listed: Collection[str]) -> Sequence[Instance]:
        """The study is out of view no longer, or nothing of the item counts as stored: never both hidden and stored."""
        assert self.archive is not None
        if not withdrawals.is_out(session, self.archive.key, item.study_digest):
            return instances
        if item.standing is Standing.TAKEN_OUT and any(one.stage.is_stored for one in instances) and withdrawals.is_all_ours(listed, instances):
            withdrawals.lift(session, self.archive.key, item.study_digest)
            return instances
        withdrawals.refuse(session, self.items, item.id)
        session.flush()
        return self.items.instances(item.id, session)

    def _rest(self, session: Session, item: Received, instances: Sequence[Instance]) -> None:
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
            return replace(before, state=state, content=replace(before.content, archive=self.archive.key if self.archive else "", opinions=before.content.opinions if done else (), taken_out="" if done else before.content.taken_out))

        _, after = self.items.change(session, item.id, change, line=Line(self.clock(), words))
        if after.request is not None:
            self.settle(session, after.request)
        self.recorded(session, after, counts)  # last: whoever writes a record holds up all others


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

    def __init__(self, storing: Storing, archive: ConfiguredArchive, item: Received, change: Change, *, asked_anew: bool = False) -> None:
        """`asked_anew`: the study is out of view, and nothing is sent unless all that the archive has of it is this item's."""
        self._s, self._archive, self._item, self._change, self._asked_anew = storing, archive, item, change, asked_anew
        self._busy = False

    def round(self, heartbeat: Callable[[], None]) -> bool:
        """True: another item is storing some of the same right now. :raises OutboundError: the archive could not be asked."""
        study = self._item.summary.study
        there = self._s.back.listed(self._archive, study)
        heartbeat()
        every = self._s.items.instances(self._item.id)
        todo = [one for one in self._once(every) if not one.stage.is_stored]
        if self._asked_anew and there:
            known = [one for one in todo if one.source.header.instance in there]
            self._each(loads(known), lambda load: self._load(load, there), heartbeat)
            if not self._busy and not withdrawals.is_all_ours(there, self._s.items.instances(self._item.id)):
                with self._s.db.transaction() as session:
                    withdrawals.refuse(session, self._s.items, self._item.id)
                return False
            todo = [one for one in todo if one not in known]
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
                if (one := self._prepared(instance, there)) is not None:
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

    def _remembered(self, instance: Instance) -> _Ready | None:
        """What the receipt says of an object whose received bytes are gone by now: enough to read it back, and not to send it."""
        receipt = self._s.receipts.of(self._archive.key, instance.digest, self._item.subject)
        if receipt is None or Path(instance.source.path).exists():
            return None
        its, written = instance.source.header, Written(receipt.written, 0, receipt.substance)
        expected = Expected(its.series, its.instance, self._change.patient_id, written.sha256, written.substance, its.transfer_syntax, ())
        return _Ready(instance, Path(instance.source.path), written, expected)

    def _prepared(self, instance: Instance, there: Collection[str]) -> _Ready | None:
        """Coerced, from bytes that are still those that came; None: it cannot be."""
        source, path = Path(instance.source.path), self._s.workspace / f"{self._item.id}-{instance.digest[:24]}-{instance.sha256[:8]}.dcm"
        if not the_same_bytes(source, instance.sha256):
            if self._asked_anew and instance.source.header.instance in there and (one := self._remembered(instance)):
                return one
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
                wish = self._wish(one)
                claim = self._s.receipts.claim(session, self._archive.key, wish, asked_anew=self._asked_anew)
                if claim is Claim.BUSY:
                    self._busy = True
                elif claim.is_conflict:
                    self._set(session, one.instance, Stage.CONFLICT, claim.value)
                else:
                    mine.append(replace(one, receipted=claim is Claim.THERE))
        return mine

    def _wish(self, one: _Ready) -> Wish:
        return Wish(one.instance.digest, self._item.study_digest, self._item.id, self._item.subject, one.written.substance, one.written.sha256)

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
                self._s.receipts.verified(session, self._archive.key, self._wish(one))
                before = one.instance.stage
                self._set(session, one.instance, Stage.STORED if sent or before is Stage.CHECKING else Stage.THERE, "")
            elif found is Found.ABSENT:
                self._s.receipts.take_over(session, self._archive.key, self._wish(one))
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
