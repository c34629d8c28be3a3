"""Review over HTTP: the list of what arrived, one delivery, its pictures, and the forms that decide. Pages only show; what names a patient is audited first."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from smart_app.access import Action, requires
from smart_app.audit.intake_events import IntakeListed, IntakeSeen
from smart_app.audit.log import AuditLog
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault
from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.intake import looking, pictures, showing, withdrawals
from smart_app.intake.arrival import TALLY
from smart_app.intake.chart_now import FAULTS, Became
from smart_app.intake.items import Items, NoSuchItem
from smart_app.intake.received import Received
from smart_app.intake.review import MIN_REASON, NO_REASON, NOT_CHOSEN, NOTHING_TICKED, Review, Reviewer, Turned
from smart_app.intake.types import ItemState
from smart_app.intake.undo import Undo
from smart_app.intake.unstored import why_not
from smart_app.web import current_launch, current_who
from smart_app.web.faults import NotHere

ITEM = "<string(length=32):item>"
VIEWS = {
    "review": ("To review", (ItemState.IN_REVIEW,)), "second": ("Second person", (ItemState.SECOND_PERSON,)), "storing": ("Being stored", (ItemState.STORING,)),
    "part": ("Stored in part", (ItemState.STORED_IN_PART,)), "aside": ("Set aside", (ItemState.SET_ASIDE,)),
    "done": ("Done", (ItemState.STORED, ItemState.NOT_USABLE, ItemState.NOT_FOR_US, ItemState.LEFT, ItemState.WITHDRAWN)),
}  # fmt: skip
ON_THE_PAGE = (NO_REASON, NOT_CHOSEN, NOTHING_TICKED, FAULTS[Became.UNREAD])
"""Said on the page itself, with what was typed still there: nothing is wrong but the form."""
QUALITY = {"not-usable": ItemState.NOT_USABLE, "other": ItemState.NOT_FOR_US}


def make_blueprint(items: Items, review: Review, undo: Undo, requests: Requests, audit: AuditLog, clock: Clock, *, archive: str, archive_key: str | None, left_days: int) -> Blueprint:
    """`archive`: name of the one that stores, empty when none does."""
    blueprint = Blueprint("intake", __name__)

    @blueprint.get("/l/<launch:handle>/intake")
    @requires(Action.REVIEW_INTAKE)
    def overview(handle: str) -> str:
        view = request.args.get("view", "review")
        if view not in VIEWS:
            raise NotHere("no-such-view")
        found, counts = items.in_state(*VIEWS[view][1]), items.counts()
        audit.record(IntakeListed(who=current_who(), count=len(found)))
        numbers = {word: sum(counts.get(state, 0) for state in states) for word, (_, states) in VIEWS.items()}
        return render_template("intake/list.html", patient=None, found=found, view=view, views=VIEWS, numbers=numbers, now=clock(), **_words())

    @blueprint.get(f"/l/<launch:handle>/intake/{ITEM}")
    @requires(Action.REVIEW_INTAKE)
    def one(handle: str, item: str) -> str:
        return show(_item(item))

    @blueprint.get(f"/l/<launch:handle>/intake/{ITEM}/pictures")
    @requires(Action.REVIEW_INTAKE)
    def drawn(handle: str, item: str) -> Response:
        """The images at these places of one study, each a line as soon as it is drawn."""
        found = _item(item)
        places, size = looking.in_order(items.instances(item)), pictures.LARGE if request.args.get("size") == "large" else pictures.SMALL
        wanted = _places(request.args.get("at", ""), len(places))
        audit.record(IntakeSeen(who=current_who(), patient=_patient_of(found), item=item, pictures=len(wanted)))
        lines = _lines(wanted, places, size)
        return Response(lines, mimetype="application/x-ndjson", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})

    @blueprint.post(f"/l/<launch:handle>/intake/{ITEM}/store")
    @requires(Action.REVIEW_INTAKE)
    def store(handle: str, item: str) -> WerkzeugResponse | Response:
        return decide(item, lambda by: _store(by, second=False), "why")

    @blueprint.post(f"/l/<launch:handle>/intake/{ITEM}/second")
    @requires(Action.REVIEW_INTAKE)
    def second(handle: str, item: str) -> WerkzeugResponse | Response:
        return decide(item, lambda by: _store(by, second=True), "why")

    @blueprint.post(f"/l/<launch:handle>/intake/{ITEM}/aside")
    @requires(Action.REVIEW_INTAKE)
    def aside(handle: str, item: str) -> WerkzeugResponse | Response:
        return decide(item, lambda by: review.set_aside(by, _named("shown")))

    @blueprint.post(f"/l/<launch:handle>/intake/{ITEM}/quality")
    @requires(Action.REVIEW_INTAKE)
    def quality(handle: str, item: str) -> WerkzeugResponse | Response:
        return decide(item, _judge, "remark")

    @blueprint.post(f"/l/<launch:handle>/intake/{ITEM}/ask")
    @requires(Action.REVIEW_INTAKE)
    def ask(handle: str, item: str) -> WerkzeugResponse | Response:
        return decide(item, lambda by: review.ask_for_more(by, item, request.form.get("remark", "")), "remark")

    @blueprint.post(f"/l/<launch:handle>/intake/{ITEM}/link")
    @requires(Action.REVIEW_INTAKE)
    def link(handle: str, item: str) -> WerkzeugResponse | Response:
        found = _item(item)
        patient = review.patient_of(request.form.get("request", "").strip().upper())
        if patient is None:
            return Response(show(found, "link"), 400, mimetype="text/html")
        return decide(item, lambda by: review.link(by, item, _version(), patient))

    @blueprint.post(f"/l/<launch:handle>/intake/{ITEM}/<any('leave', 'put-back', 'try-again', 'hold', 'release', 'withdraw', 'restore', 'survivor'):action>")
    @requires(Action.REVIEW_INTAKE)
    def act(handle: str, item: str, action: str) -> WerkzeugResponse | Response:
        deeds: dict[str, Callable[[Reviewer], object]] = {
            "leave": lambda by: review.leave(by, _named("shown")), "put-back": lambda by: review.put_back(by, item, _version()), "try-again": lambda by: review.try_again(by, item, _version()),
            "hold": lambda by: review.hold(by, item, _version(), on=True), "release": lambda by: review.hold(by, item, _version(), on=False),
            "withdraw": lambda by: undo.withdraw(by, item, _version(), request.form.get("remark", "")), "restore": lambda by: undo.look_again(by, item, _version()),
            "survivor": lambda by: review.take_survivor(by, item, _version()),
        }  # fmt: skip
        return decide(item, deeds[action], "withdraw" if action == "withdraw" else "")

    def _store(by: Reviewer, *, second: bool) -> None:
        keep, shown = _named("keep"), _named("shown")
        if not keep:
            raise AppError(NOTHING_TICKED)
        left = {} if second else {id: version for id, version in shown.items() if id not in keep}
        looked = request.form.get("looked") == "yes"
        review.confirm(by, keep, reason=request.form.get("why", ""), remark=request.form.get("remark", ""), second=second, leaving=left, looked=looked)

    def me() -> Reviewer:
        return Reviewer(current_who(), current_launch().user.fhir_user or "")

    def _judge(by: Reviewer) -> None:
        state, ticked = QUALITY.get(request.form.get("quality", "")), _named("keep")
        if state is None:
            raise AppError(NOT_CHOSEN)
        if not ticked:
            raise AppError(NOTHING_TICKED)
        review.judge_quality(by, ticked, state, request.form.get("remark", ""))

    def decide(item: str, deed: Callable[[Reviewer], object], wrong: str = "") -> WerkzeugResponse | Response:
        found = _item(item)
        if not {one.id for one in items.of_scope(found.scope)}.issuperset({*_named("keep"), *_named("shown")}):
            raise NotHere("of-another-delivery")
        try:
            deed(me())
        except NoSuchItem:
            raise NotHere("no-such-item") from None
        except Turned as error:
            return Response(show(_item(item)), error.fault.status, mimetype="text/html")
        except AppError as error:
            fault = error.fault
            if fault not in ON_THE_PAGE:
                raise
            at = wrong if fault is NO_REASON else "looked" if fault is FAULTS[Became.UNREAD] else ""
            return Response(show(found, at, problem=fault), fault.status, mimetype="text/html")
        return redirect(f"/l/{current_launch().handle}/intake/{item}", 303)

    def show(item: Received, wrong: str = "", problem: Fault = NO_REASON) -> str:
        who = current_who()
        taken_out = withdrawals.told(items, archive_key, item)
        for patient in {_patient_of(item), _patient_of(taken_out.item) if taken_out else _patient_of(item)}:
            audit.record(IntakeSeen(who=who, patient=patient, item=item.id))
        page = showing.sheet(item, items.of_scope(item.scope), review.namespaces, review.number(item))
        uploads = dict.fromkeys(one.upload for one in items.instances(item.id))
        tallies = [TALLY.validate_json(said) for upload in uploads if (said := items.screened(upload)) is not None]
        counts = {one.id: _counts(one) for one in page.studies}
        was_out = item.state is ItemState.WITHDRAWN or bool(item.content.taken_out)
        seen = undo.seen_by(item) if was_out else ()
        originals = undo.originals(item) if was_out and not (item.state is ItemState.WITHDRAWN and item.expires_at is None) else None
        against = next((fault for study in page.pending if (fault := review.objection(me(), study))), None)
        return render_template(
            "intake/item.html", patient=item.content.patient, page=page, item=item, tallies=tallies, counts=counts, seen=seen, originals=originals, wrong=wrong, problem=problem.title, told=problem if problem is not NO_REASON else None, minimum=MIN_REASON,
            said=[{"item": one.id, "title": one.summary.title, "whose": showing.whose(one), "images": len(items.instances(one.id))} for one in page.studies],
            against=against, taken_out=taken_out, was_out=was_out, asked=_asked(item), archive=archive, unread=review.is_unread(item), not_looked=FAULTS[Became.UNREAD], left_days=left_days, few=looking.few([(one, items.instances(one.id)) for one in page.studies]), now=clock(), **_words(),
        )  # fmt: skip

    def _counts(item: Received) -> dict[str, Any]:
        instances = items.instances(item.id)
        return {"all": len(instances), "stored": sum(one.stage.is_stored for one in instances), "why": why_not(instances)}

    def _asked(item: Received) -> Any:
        try:
            return requests.get(item.request) if item.request else None
        except NoSuchRequest:
            return None

    def _item(id: str) -> Received:
        try:
            return items.get(id)
        except NoSuchItem:
            raise NotHere("no-such-item") from None

    return blueprint


def _places(text: str, count: int) -> list[int]:
    """Places as `3,9,17`, each of them there."""
    words = text.split(",")
    if len(words) > pictures.MOST or not all(word.isdecimal() and len(word) < 7 and int(word) < count for word in words):
        raise NotHere("no-such-picture")
    return [int(word) for word in words]


def _lines(wanted: Sequence[int], places: Sequence[looking.Place], size: int) -> Iterator[str]:
    drawn = pictures.draw([Path(places[at].instance.source.path) for at in wanted], size)
    for at, png in zip(wanted, drawn, strict=True):
        yield json.dumps({"at": at, "words": places[at].words, "picture": b64encode(png).decode() if png is not None else None}) + "\n"


def _patient_of(item: Received) -> str | None:
    return item.content.patient.id if item.content.patient else None


def _version() -> int:
    text = request.form.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else -1


def _named(field: str) -> dict[str, int]:
    """`id:version` of each ticked study."""
    found = {}
    for text in request.form.getlist(field)[:500]:
        id, _, version = text.partition(":")
        if len(id) == 32 and version.isdecimal() and len(version) < 10:
            found[id] = int(version)
    return found


def _words() -> dict[str, Any]:
    return {
        "ctx": current_launch(), "States": showing.STATES, "Standings": showing.STANDINGS, "Why": showing.WHY, "Halts": showing.HALTS, "Marks": showing.MARKS, "SameMark": showing.SAME_MARK,
        "day": showing.day, "lasting": showing.lasting, "clock": showing.clock, "State": ItemState,
    }  # fmt: skip
