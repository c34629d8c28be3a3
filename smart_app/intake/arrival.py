"""Handler of `screen`: what an upload holds becomes items of the desk, each study its own, in one transaction with what follows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pydantic import TypeAdapter
from pydantic_core import to_json
from sqlalchemy.orm import Session

from smart_app.clock import Clock
from smart_app.db import Database
from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.image_requests.types import ImageRequest, Patient, Wanted
from smart_app.intake import awaited, withdrawals
from smart_app.intake.deciding import UNLINKED, Verdict, decide
from smart_app.intake.items import Items
from smart_app.intake.received import KEPT, Content, Instance, Line, Named, Received, SeriesSummary, Source, Stage, Standing, Summary
from smart_app.intake.types import Finding, FoundStudy, Header, ItemState, Kind, Screened
from smart_app.jobs.ledger import Ledger
from smart_app.jobs.types import Job
from smart_app.links.types import Purpose
from smart_app.spool.types import Upload

Grade = Callable[[FoundStudy, Wanted | None, Sequence[FoundStudy]], tuple[Finding, ...]]
URGENT = frozenset({Purpose.INBOUND})
MOST_REFUSED = 2000
PERSON_SAID = "person-said"
"""Why an item is another person's, where a reviewer said so and not the files."""


class Screens(Protocol):
    def screen(self, upload: Upload) -> tuple[Screened, ...]: ...


class Uploads(Protocol):
    def upload(self, id: str) -> Upload: ...


@dataclass(frozen=True)
class Tally:
    """What became of an upload's files, for the page."""

    files: int
    usable: int
    skipped: int
    refused: tuple[tuple[str, str], ...]
    """(name, fixed word)."""


TALLY = TypeAdapter(Tally)


@dataclass(frozen=True)
class Arrival:
    db: Database
    items: Items
    spool: Uploads
    screening: Screens
    grade: Grade
    requests: Requests
    ledger: Ledger
    clock: Clock
    namespaces: Mapping[str, str]
    """DICOM issuer by identifier system."""
    certain_alone: bool = False
    """What is certain by its identifier is stored without anybody looking."""
    archive: str | None = None
    """The one that stores."""
    settle: Callable[[Session, str], None] = lambda session, request: None
    """Called when nothing of an upload can wait for a person."""
    whose: Callable[[Upload], Patient | None] = lambda upload: None
    """Whom an upload that answers no request was begun for: a photo from a chart."""

    def handle(self, job: Job) -> None:
        if self.items.screened(job.key) is not None:
            return
        upload = self.spool.upload(job.key)
        screened = self.screening.screen(upload)
        job.heartbeat()
        asked = self._request(upload)
        with self.db.transaction() as session:
            if not self.items.mark_screened(session, upload.id, to_json(_tally(screened))):
                return
            scope = asked.id if asked is not None else upload.id
            added = dict(self._take(session, scope, upload, asked, found) for found in studies(screened))
            every = {one.id: self.items.instances(one.id, session) for one in self.items.of_scope(scope, session)}
            bad = [one for one in screened if one.kind is Kind.REFUSED]
            for id, new in added.items():
                self._judge(session, id, new, upload, every, bad)
            if asked is not None:
                self.settle(session, asked.id)
            else:
                self.ledger.add(session, awaited.KIND, upload.id)  # the chart may exist already: look at once

    def _request(self, upload: Upload) -> ImageRequest | None:
        try:
            return self.requests.get(upload.request) if upload.request else None
        except NoSuchRequest:
            return None

    def _take(self, session: Session, scope: str, upload: Upload, asked: ImageRequest | None, found: Sequence[Screened]) -> tuple[str, int]:
        """The item of these objects of one study, made where there was none, and how many of them are new."""
        headers = [one.header for one in found if one.header is not None]
        id = self.items.id(scope, headers[0].study)
        known = self.items.find(id, session)
        if known is None:
            self.items.write(session, self._new(id, scope, upload, asked, headers))
            session.flush()
        new = self.items.add_instances(session, id, [self._instance(upload, one) for one in found])
        session.flush()
        return id, new

    def _judge(self, session: Session, id: str, new: int, upload: Upload, every: Mapping[str, Sequence[Instance]], bad: Sequence[Screened]) -> None:
        """Looked at as if nobody had, where something is new: what people said before was about fewer images."""
        item, now = self.items.get(id, session), self.clock()
        mine = [one for one in every[id] if one.upload == upload.id]
        if item.version and not new and item.state not in (ItemState.EXPIRED, ItemState.WITHDRAWN):
            self.items.change(session, id, lambda before: before, line=Line(now, f"sent again, the same {_images(len(mine))}", upload.sender))
            return
        found = {other: _found(instances) for other, instances in every.items() if instances}
        found[id] = replace(found[id], refused=_refused(found[id], (*item.content.refused, *bad)))
        summary = summarize(found[id].headers)
        verdict = UNLINKED if item.content.patient is None else decide(item.content.patient, item.content.wanted, summary, self.namespaces)
        if item.content.why == PERSON_SAID:
            verdict = Verdict(Standing.OTHER, PERSON_SAID)
        verdict = withdrawals.weighed(session, self.archive, item, verdict)
        findings = self.grade(found[id], item.content.wanted, tuple(one for other, one in found.items() if other != id))
        content = replace(item.content, summary=summary, why=verdict.why, findings=findings, refused=found[id].refused, opinions=())
        if content.halt is not None and content.halt.passes:
            content = replace(content, halt=None)  # the work that asked the EHR is of an earlier decision now
        state = self._state(item, verdict)
        if state is ItemState.STORING:  # who stores it looks for its own name here: an earlier decision's work does nothing
            content = replace(content, job=f"{id}.{item.version + 1}", decided_at=now)
        judged = replace(item, state=state, standing=verdict.standing, content=content, tries=0)
        _, after = self.items.change(session, id, lambda _: judged, line=Line(now, f"{_images(len(mine))} arrived and screened", upload.sender))
        if after.state is ItemState.STORING:
            self.ledger.add(session, "store", after.content.job)

    def _state(self, item: Received, verdict: Verdict) -> ItemState:
        if verdict.standing is Standing.OTHER:
            return ItemState.SET_ASIDE
        if item.state is ItemState.SET_ASIDE:
            return item.state  # by a person: more images of it change nothing
        if verdict.alone and self.certain_alone and item.state not in KEPT:
            return ItemState.STORING
        return ItemState.IN_REVIEW

    def _new(self, id: str, scope: str, upload: Upload, asked: ImageRequest | None, headers: Sequence[Header]) -> Received:
        patient: Patient | None = asked.asked.patient if asked is not None else self.whose(upload)
        now = self.clock()
        return Received(
            id=id, scope=scope, request=asked.id if asked is not None else None, purpose=upload.purpose, study_digest=self.items.digest("study", headers[0].study),
            subject=self.items.digest("subject", patient.issuer, patient.id) if patient is not None else "", state=ItemState.IN_REVIEW, standing=UNLINKED.standing, version=0,
            urgent=upload.purpose in URGENT or (asked is not None and asked.asked.urgency.value == "emergency"), held=False, tries=0,
            arrived_at=upload.begun_at, listed_at=now, updated_at=now, expires_at=None,
            content=Content(summarize(headers), upload.sender, patient=patient, wanted=asked.asked.wanted if asked is not None else None),
        )  # fmt: skip

    def _instance(self, upload: Upload, one: Screened) -> Instance:
        assert one.header is not None
        assert one.path is not None
        source = Source(one.header, str(one.path), one.file, one.member, one.pixels_decode)
        return Instance(self.items.digest("instance", one.header.instance), one.sha256, upload.id, one.size, Stage.WAITING, "", source)


def studies(screened: Sequence[Screened]) -> list[list[Screened]]:
    """Usable objects by study, in the order in which the studies were met; the same object with the same bytes once."""
    found: dict[str, dict[tuple[str, str], Screened]] = {}
    for one in screened:
        if one.header is not None and one.path is not None and one.kind is not Kind.REFUSED:
            found.setdefault(one.header.study, {}).setdefault((one.header.instance, one.sha256), one)
    return [list(objects.values()) for objects in found.values()]


def summarize(headers: Sequence[Header]) -> Summary:
    """What these objects of one study say of it. An object counts once, however often it came."""
    once = {header.instance: header for header in headers}
    first = next((header for header in once.values() if header.study_description), headers[0])
    by_series: dict[str, list[Header]] = {}
    for header in once.values():
        by_series.setdefault(header.series, []).append(header)
    series = tuple(
        SeriesSummary(of[0].series_number, of[0].modality, next((one.series_description for one in of if one.series_description), ""), len(of))
        for of in sorted(by_series.values(), key=lambda of: (of[0].series_number is None, of[0].series_number or 0))
    )
    return Summary(
        study=first.study, title=first.study_description or _untitled(series), date=_first(headers, "study_date"), time=_first(headers, "study_time"),
        modalities=tuple(dict.fromkeys(one.modality for one in series if one.modality)), accession=_first(headers, "accession"), institution=_first(headers, "institution"),
        body_part=_first(headers, "body_part"), images=len(once), series=series,
        persons=tuple(dict.fromkeys(Named(header.said, header.patient_id, header.other_ids) for header in once.values())),
    )  # fmt: skip


def _found(instances: Sequence[Instance]) -> FoundStudy:
    headers = {one.source.header.instance: one.source.header for one in instances}
    return FoundStudy(instances[0].source.header.study, tuple(headers.values()))


def _refused(study: FoundStudy, bad: Sequence[Screened]) -> tuple[Screened, ...]:
    """What is still missing of this study because it could not be used: an object that came whole meanwhile is not."""
    whole = {header.instance for header in study.headers}
    of_it = [one for one in bad if one.header is None or (one.header.study == study.study and one.header.instance not in whole)]
    return tuple(dict.fromkeys(replace(one, path=None) for one in of_it))[:MOST_REFUSED]


def _first(headers: Sequence[Header], field: str) -> str:
    return next((value for header in headers if (value := getattr(header, field))), "")


def _untitled(series: Sequence[SeriesSummary]) -> str:
    words = next((one.description for one in series if one.description), "")
    return words or " ".join(dict.fromkeys(one.modality for one in series)) or "Study without a name"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _tally(screened: Sequence[Screened]) -> Tally:
    kinds = Counter(one.kind for one in screened)
    refused = tuple((re.sub(r"[\x00-\x1f]", "", one.member)[-120:], one.reason) for one in screened if one.kind is Kind.REFUSED)
    return Tally(len(screened), sum(one.header is not None for one in screened), kinds[Kind.SKIPPED], refused[:500])
