"""What a reviewer may do to an item, each in one transaction with its audit record and the work that follows.

Whose it is, is derived anew from what the files say each time: no page, role or stored word makes another person's study
storable. Below certain, two different people say so of the very same version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from smart_app.archives.types import PatientId
from smart_app.audit.events import Who
from smart_app.audit.intake_events import IntakeDecided
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.errors import AppError, Fault, Side
from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.image_requests.types import Actor, Party, Patient
from smart_app.image_requests.workflow import Act, NotAllowed
from smart_app.intake import withdrawals
from smart_app.intake.arrival import PERSON_SAID
from smart_app.intake.chart_now import FAULTS, Became, Now
from smart_app.intake.charts import SOUND, Charts
from smart_app.intake.deciding import Verdict, decide
from smart_app.intake.items import ItemChanged, Items
from smart_app.intake.receipts import Receipts
from smart_app.intake.received import NEEDS_WORDS, OPEN, Line, Opinion, Received, Stage, Standing
from smart_app.intake.second_person import Person, objection
from smart_app.intake.settling import SYSTEM
from smart_app.intake.types import ItemState
from smart_app.jobs.ledger import Ledger

MIN_REASON, MAX_REASON = 10, 1000
DECIDED = frozenset({ItemState.LEFT, ItemState.NOT_USABLE, ItemState.NOT_FOR_US})

QUALITY = {ItemState.NOT_USABLE: "not usable", ItemState.NOT_FOR_US: "for another specialist"}
OTHER_PERSON = Fault("another-person", Side.PERSON, "This study is another person’s. It cannot be stored into this chart, from this page or any other.",
                     "Tell the sender, or link it to the right patient.", False, 409)  # fmt: skip
NO_REASON = Fault("reason-missing", Side.PERSON, f"Say why, in at least {MIN_REASON} characters. Nothing was changed.", "Go back and write the reason.", False, 400)
NOTHING_TICKED = Fault("nothing-ticked", Side.PERSON, "No study is ticked, so nothing was changed.", "Tick the studies that it is about, or leave all of it.", False, 400)
NOT_CHOSEN = Fault("not-chosen", Side.PERSON, "Nothing was changed: it is not said what is wrong with the ticked studies.", "Choose “Not usable” or “For another specialist”.", False, 400)
CHANGED = Fault("item-changed", Side.PERSON, "It has changed since you looked: a colleague decided, or more images came. Nothing was changed.", "Open the page again and look.", False, 409)
NOT_LINKED = Fault("not-linked", Side.PERSON, "Nobody has said yet whose images these are. Nothing was stored.", "Link them to a patient first.", False, 409)
NO_NUMBER = Fault("no-number", Side.SETUP, "This patient has no number that the archive knows, so nothing can be stored for them.",
                  "Register the patient with the hospital’s own number, then open the page again.", False, 409)  # fmt: skip
NO_ARCHIVE = Fault("no-archive", Side.SETUP, "No archive is set up to take received images. Everything stays safely here.", "The image desk can have one set up.", False, 409)
NOT_NOW = Fault("not-now", Side.PERSON, "That cannot be done to it as it stands now. Nothing was changed.", "Open the page again and look.", False, 409)


class Turned(AppError):
    """The chart is not as it was. The items are back in review, matched anew, and say so; nothing was stored."""


@dataclass(frozen=True)
class Reviewer:
    who: Who
    fhir_user: str = ""

    @property
    def person(self) -> Person:
        return Person(self.who.issuer, self.who.subject, self.who.name, self.fhir_user)

    @property
    def actor(self) -> Actor:
        return Actor(Party.REVIEWER, self.who.issuer, self.who.subject, self.who.name, self.who.address, self.who.request_id, self.who.launch)


@dataclass(frozen=True)
class _Said:
    """What the reviewer's form said beside which items."""

    reason: str
    remark: str
    second: bool
    looked: bool


class Review:
    """One a process."""

    def __init__(
        self, db: Database, items: Items, receipts: Receipts, ledger: Ledger, requests: Requests, audit: AuditLog, clock: Clock,
        settle: Callable[[Session, str], None], namespaces: Mapping[str, str], number: Callable[[Received], PatientId | None], *, tenant: str, archive: str | None,
        charts: Charts, any_ehr: bool = False,
    ) -> None:  # fmt: skip
        """`any_ehr`: two who must agree may be of two EHRs."""
        self._db, self._items, self._receipts, self._ledger, self._requests = db, items, receipts, ledger, requests
        self._audit, self._clock, self._settle, self.namespaces, self.number = audit, clock, settle, namespaces, number
        self._tenant, self.archive, self._any_ehr, self._charts = tenant, archive, any_ehr, charts

    def is_unread(self, item: Received) -> bool:
        """Priors cannot read its chart: who decides has to look at it in the EHR, and say so."""
        return item.content.patient is not None and not self._charts.may_read(item.content.patient.issuer)

    def objection(self, by: Reviewer, item: Received) -> Fault | None:
        """Why this reviewer is no second person for it."""
        return next((against for one in item.content.opinions if (against := objection(by.person, one, any_ehr=self._any_ehr))), None)

    def verdict(self, session: Session, item: Received, patient: Patient | None = None) -> Verdict:
        """Whose it is, by what is known now. `patient`: if it were this one's."""
        if item.content.why == PERSON_SAID:
            return Verdict(Standing.OTHER, PERSON_SAID)
        said = decide(patient or item.content.patient, item.content.wanted, item.summary, self.namespaces)
        return withdrawals.weighed(session, self.archive, item, said)

    def confirm(
        self, by: Reviewer, seen: Mapping[str, int], *, reason: str = "", remark: str = "", second: bool = False, leaving: Mapping[str, int] | None = None, looked: bool = False,
    ) -> dict[str, ItemState]:  # fmt: skip
        """Say of these items (by id, with the version that was looked at) that they are the right person's and shall be stored. Their charts are read again first.

        :param reason: why the reviewer is sure. :param remark: what the sender reads. :param second: ask for a second person although one would be enough.
        :param leaving: those that are not kept, left in the same transaction. :param looked: the reviewer has just looked at the chart in the EHR.
        :raises Turned: a chart is not as it was. :raises AppError: and nothing is changed of any of them.
        """
        charts = self._charts_of(seen)
        try:
            with self._db.transaction() as session:
                self._hold(session, {*seen, *(leaving or {})})
                said = {id: self._confirm(session, by, id, version, charts, _Said(_line(reason), _line(remark), second, looked)) for id, version in seen.items()}
                self._leave(session, by, leaving or {})
                return said
        except Turned:
            with self._db.transaction() as session:
                self._hold(session, seen)
                for id, version in seen.items():
                    patient = self._items.get(id, session, lock=True).content.patient
                    if patient in charts and charts[patient].became not in SOUND:
                        self._charts.turn_back(session, id, charts[patient], by=by.who, still=lambda now, version=version: now.version == version and now.state in OPEN)  # type: ignore[misc]
                self._settled(session, seen)
            raise

    def _charts_of(self, ids: Mapping[str, int]) -> dict[Patient | None, Now]:
        """How the charts of these items are this moment, each asked once. :raises NotTold: nothing is decided then."""
        items = [self._items.get(id) for id in ids]
        return {patient: self._charts.now(patient) for patient in dict.fromkeys(one.content.patient for one in items if one.state in OPEN) if patient is not None}

    def _confirm(self, session: Session, by: Reviewer, id: str, version: int, charts: Mapping[Patient | None, Now], said: _Said) -> ItemState:
        item = self._items.get(id, session, lock=True)
        verdict = self.verdict(session, item)
        if verdict.standing is Standing.OTHER or item.state is ItemState.SET_ASIDE:
            raise AppError(OTHER_PERSON)
        self._check(item, version, OPEN)
        chart = charts.get(item.content.patient)
        for holds, fault in (
            (verdict.standing is Standing.UNLINKED, NOT_LINKED), (self.archive is None, NO_ARCHIVE), (self.number(item) is None, NO_NUMBER), (chart is None, CHANGED),
        ):  # fmt: skip
            if holds:
                raise AppError(fault)
        assert chart is not None
        if chart.became not in SOUND:
            raise Turned(FAULTS[chart.became])
        earlier, who = item.content.opinions, by.who
        for holds, fault in (
            (chart.became is Became.UNREAD and not said.looked, FAULTS[Became.UNREAD]), (verdict.standing in NEEDS_WORDS and len(said.reason) < MIN_REASON, NO_REASON),
        ):  # fmt: skip
            if holds:
                raise AppError(fault)
        if against := self.objection(by, item):
            raise AppError(against)
        opinions = (*earlier, Opinion(who.issuer, who.subject, who.name, self._clock(), said.reason, by.fhir_user))
        enough = len(opinions) > 1 or (verdict.standing is Standing.CERTAIN and not said.second)

        def change(before: Received) -> Received:
            looked_at = self._clock() if chart.became is Became.UNREAD else None
            content = replace(before.content, opinions=opinions, why=verdict.why, remark=said.remark or before.content.remark, halt=None, looked_at=looked_at)
            state = ItemState.SECOND_PERSON
            if enough:
                content = replace(content, decided_at=self._clock(), job=f"{id}.{before.version + 1}")
                state = ItemState.STORING
            return replace(before, state=state, standing=verdict.standing, content=content, tries=0)

        words = "said that it is the right person; it is being stored" if enough else "said that it is the right person; a second person has to look"
        after = self._change(session, by, id, "confirm", change, words + ("; has looked at the chart in the EHR" if chart.became is Became.UNREAD else ""))
        if enough:
            self._ledger.add(session, "store", after.content.job)
        return after.state

    def set_aside(self, by: Reviewer, seen: Mapping[str, int]) -> None:
        """Another person's: from now on nobody stores it into this chart."""
        with self._db.transaction() as session:
            self._hold(session, seen)
            for id, version in seen.items():
                self._check(self._items.get(id, session, lock=True), version, OPEN | DECIDED | {ItemState.SET_ASIDE})
                self._change(session, by, id, "set-aside", lambda before: replace(
                    before, state=ItemState.SET_ASIDE, standing=Standing.OTHER, content=replace(before.content, why=PERSON_SAID, opinions=()),
                ), "said that it is another person’s; set aside")  # fmt: skip
            self._settled(session, seen)

    def put_back(self, by: Reviewer, id: str, version: int) -> None:
        """Look at it again: what was left, not usable or not for us; and what a person set aside, unless the files themselves say that it is another's."""
        with self._db.transaction() as session:
            item = self._items.get(id, session, lock=True)
            self._check(item, version, DECIDED | {ItemState.SET_ASIDE})
            verdict = self.verdict(session, replace(item, content=replace(item.content, why="")))
            if verdict.standing is Standing.OTHER:
                raise AppError(OTHER_PERSON)
            self._change(session, by, id, "put-back", lambda before: replace(
                before, state=ItemState.IN_REVIEW, standing=verdict.standing, content=replace(before.content, why=verdict.why, opinions=(), looked_at=None),
            ), "took it back into review")  # fmt: skip

    def judge_quality(self, by: Reviewer, seen: Mapping[str, int], state: ItemState, remark: str) -> None:
        """NOT_USABLE or NOT_FOR_US, with what the sender reads: it is not stored."""
        remark = _line(remark)
        if state not in QUALITY:
            raise AppError(NOT_NOW)
        if len(remark) < MIN_REASON:
            raise AppError(NO_REASON)
        with self._db.transaction() as session:
            self._hold(session, seen)
            for id, version in seen.items():
                self._check(self._items.get(id, session, lock=True), version, OPEN | DECIDED)
                self._change(session, by, id, "quality", lambda before: replace(
                    before, state=state, content=replace(before.content, remark=remark, opinions=()),
                ), f"{QUALITY[state]}: {remark}")  # fmt: skip
            self._settled(session, seen)

    def leave(self, by: Reviewer, seen: Mapping[str, int]) -> None:
        """Not kept: their bytes go when their time is over."""
        with self._db.transaction() as session:
            self._hold(session, seen)
            self._leave(session, by, seen)

    def _leave(self, session: Session, by: Reviewer, seen: Mapping[str, int]) -> None:
        for id, version in seen.items():
            self._check(self._items.get(id, session, lock=True), version, OPEN)
            self._change(session, by, id, "leave", lambda before: replace(before, state=ItemState.LEFT, content=replace(before.content, opinions=())), "left, not kept")
        self._settled(session, seen)

    def ask_for_more(self, by: Reviewer, id: str, words: str) -> None:
        """The sender is told what is missing, and the request is open again."""
        words = _line(words)
        if len(words) < MIN_REASON:
            raise AppError(NO_REASON)
        with self._db.transaction() as session:
            item = self._items.get(id, session, lock=True)
            if item.request is None:
                raise AppError(NOT_NOW)
            try:
                self._requests.act(item.request, Act.REJECT, by.actor, reason=words, session=session)
            except NotAllowed:
                try:
                    self._requests.act(item.request, Act.STORE_PART, SYSTEM, reason=words, session=session)
                except NotAllowed:
                    raise AppError(NOT_NOW) from None
            self._change(session, by, id, "ask-for-more", lambda before: replace(before, content=replace(before.content, remark=words)), f"asked the sender: {words}")

    def try_again(self, by: Reviewer, id: str, version: int) -> None:
        """Send what the archive did not take, once more."""
        with self._db.transaction() as session:
            self._check(self._items.get(id, session, lock=True), version, {ItemState.STORED_IN_PART})
            if not any(one.stage not in (Stage.STORED, Stage.THERE, Stage.CONFLICT) for one in self._items.instances(id, session)):
                raise AppError(NOT_NOW)
            after = self._change(session, by, id, "try-again", lambda before: replace(
                before, state=ItemState.STORING, tries=0, content=replace(before.content, job=f"{id}.{before.version + 1}"),
            ), "had the rest sent again")  # fmt: skip
            self._ledger.add(session, "store", after.content.job)

    def link(self, by: Reviewer, id: str, version: int, patient: Patient) -> Standing:
        """Say whose images these may be. The comparison decides how many people must agree; another person's are not linked at all.

        :raises NotTold: the EHR did not say how that chart is now. :raises AppError: it is not in use, or the images are another person's.
        """
        now = self._charts.now(patient)
        if now.became not in SOUND | {Became.CHANGED}:
            raise AppError(FAULTS[now.became])
        return self._link(by, id, version, now.patient or patient, "link", lambda item: item.request is None)

    def take_survivor(self, by: Reviewer, id: str, version: int) -> Standing:
        """The chart that the retired one was merged into is the item's from now on: compared anew, and nobody's earlier word holds for it. Errors as `link`."""
        halt = self._items.get(id).content.halt
        if halt is None or halt.survivor is None:
            raise AppError(NOT_NOW)
        now = self._charts.now(halt.survivor)
        if now.became not in (Became.SAME, Became.CHANGED) or now.patient is None:
            raise AppError(FAULTS[now.became])
        return self._link(by, id, version, now.patient, "survivor", lambda item: item.content.halt == halt)

    def _link(self, by: Reviewer, id: str, version: int, patient: Patient, action: str, may: Callable[[Received], bool]) -> Standing:
        with self._db.transaction() as session:
            item = self._items.get(id, session, lock=True)
            self._check(item, version, OPEN)
            if not may(item):
                raise AppError(NOT_NOW)
            verdict = self.verdict(session, item, patient)
            if verdict.standing is Standing.OTHER:
                raise AppError(OTHER_PERSON)
            self._change(session, by, id, action, lambda before: replace(
                before, state=ItemState.IN_REVIEW, standing=verdict.standing, subject=self._items.digest("subject", patient.issuer, patient.id),
                content=replace(before.content, patient=patient, why=verdict.why, opinions=(), halt=None, looked_at=None),
            ), f"linked it to {patient.name}")  # fmt: skip
            return verdict.standing

    def patient_of(self, request: str) -> Patient | None:
        """Whom a request is about, for linking."""
        try:
            return self._requests.get(request).asked.patient
        except NoSuchRequest:
            return None

    def hold(self, by: Reviewer, id: str, version: int, *, on: bool) -> None:
        """Legal hold: nothing of it expires while it is on."""
        with self._db.transaction() as session:
            self._check(self._items.get(id, session, lock=True), version, set(ItemState))
            self._change(session, by, id, "hold" if on else "release", lambda before: replace(before, held=on), "held: nothing of it expires" if on else "no longer held")

    def _hold(self, session: Session, ids: Iterable[str]) -> None:
        """All of them, and then their requests, in one order and before the first record: two reviewers who ticked the same never wait for each other."""
        items = [self._items.get(id, session, lock=True) for id in sorted(ids)]
        for request in sorted({item.request for item in items if item.request is not None}):
            with suppress(NoSuchRequest):
                self._requests.hold(session, request)

    def _check(self, item: Received, version: int, states: frozenset[ItemState] | set[ItemState]) -> None:
        if item.version != version:
            raise AppError(CHANGED)
        if item.state not in states:
            raise AppError(NOT_NOW)

    def _change(self, session: Session, by: Reviewer, id: str, action: str, change: Callable[[Received], Received], words: str) -> Received:
        try:
            _, after = self._items.change(session, id, change, line=Line(self._clock(), words, by.who.name))
        except ItemChanged:
            raise AppError(CHANGED) from None
        patient = after.content.patient.id if after.content.patient else None
        self._audit.record(IntakeDecided(who=by.who, patient=patient, item=id, action=action, state=after.state.value, standing=after.standing.value), session)
        return after

    def _settled(self, session: Session, ids: Mapping[str, int] | Sequence[str]) -> None:
        """Whatever was decided may have been the last thing that its request waited for."""
        for request in {item.request for item in (self._items.get(id, session) for id in ids) if item.request is not None}:
            self._settle(session, request)


def _line(text: str) -> str:
    return " ".join(text.split())[:MAX_REASON]
