"""The senders' pages over HTTP: one that asks for proof, one that sends. Pages show words and numbers; no route gives an image back.

GET changes nothing: mail scanners may open a link as often as they like. Who has not shown that the link is theirs gets initials and our name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as WerkzeugResponse

from smart_app.access import for_senders
from smart_app.errors import AppError
from smart_app.image_requests.types import Party
from smart_app.image_requests.workflow import Act, NotAllowed, can
from smart_app.portal import words
from smart_app.portal.arriving import body_of
from smart_app.portal.asked import announced, json_of, numbers
from smart_app.portal.pace import MOST_FORM, Pace
from smart_app.portal.receiving import Receiving
from smart_app.portal.telling import Telling
from smart_app.portal.visit import NEEDS_NO_CODE, Door, LinkIsOver, Visit, iso_date
from smart_app.portal.words import Site
from smart_app.spool.disk import BrokenOff, NoRoom, NotSafe
from smart_app.spool.frames import Frames, NotFrames
from smart_app.spool.store import NoSuchUpload
from smart_app.spool.taking import NotWhole, TooMuch
from smart_app.spool.types import Outcome
from smart_app.web import NotHere, current_who

LINK = "/s/<string(length=43):token>"
UPLOAD = f"{LINK}/uploads/<string(length=24):upload>"
CHUNK = 8_000_000
MOST_BODY = CHUNK + 200_000
"""A body of pieces with the lines between them."""


def make_blueprint(door: Door, receiving: Receiving, telling: Telling, site: Site, pace: Pace) -> Blueprint:
    """`pace`: how often one address may try links that are not there."""
    blueprint = Blueprint("portal", __name__)

    def found(token: str) -> Visit:
        """A good link is never slowed down: a whole hospital may stand behind the address that somebody guesses from."""
        try:
            return door.visit(token)
        except LinkIsOver as over:
            address = current_who().address
            if pace.is_over(address):
                raise AppError(words.TOO_FAST) from None
            if over.reason == "no-link":
                pace.count(address)
            raise

    def proved(token: str) -> Visit:
        visit = found(token)
        if not door.has_passed(visit, request.cookies.get(visit.cookie, "")):
            raise NotHere("not-proved")
        return visit

    @blueprint.get(LINK)
    @for_senders
    def welcome(token: str) -> Response | WerkzeugResponse:
        visit = found(token)
        if door.has_passed(visit, request.cookies.get(visit.cookie, "")):
            return redirect(f"/s/{token}/send", 303)
        return make_response(ask(visit, token))

    @blueprint.post(f"{LINK}/proof")
    @for_senders
    def prove(token: str) -> Response | WerkzeugResponse:
        request.max_content_length = MOST_FORM
        visit = found(token)
        if visit.link.purpose in NEEDS_NO_CODE:
            if not door.claim(visit, current_who()):
                raise LinkIsOver("claimed")
        else:
            typed = iso_date(request.form.get("day", ""), request.form.get("month", ""), request.form.get("year", ""))
            tried = door.prove(visit, typed, request.form.get("code", ""), current_who())
            if not tried.is_right:
                page = render_template("portal/locked.html", site=site) if tried.link.ended else ask(visit, token, tried.left)
                return make_response(page, 403)
        value, seconds = door.new_pass(visit)
        response = redirect(f"/s/{token}/send", 303)
        response.set_cookie(visit.cookie, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="Lax")
        return response

    @blueprint.get(f"{LINK}/send")
    @for_senders
    def send(token: str) -> Response | WerkzeugResponse:
        visit = found(token)
        if not door.has_passed(visit, request.cookies.get(visit.cookie, "")):
            return redirect(f"/s/{token}", 303)
        page = telling.page(visit, token)
        return make_response(render_template("portal/send.html", site=site, declines=words.PATIENTS_DECLINES if page["by_patient"] else words.DECLINES, **page))

    @blueprint.post(f"{LINK}/answer")
    @for_senders
    def answer(token: str) -> Response | WerkzeugResponse:
        visit = proved(token)
        act = {"accept": Act.ACCEPT, "decline": Act.DECLINE}.get(request.form.get("answer", ""))
        word, more = request.form.get("reason", ""), request.form.get("words", "").strip()[:500]
        reason = more if word == "other" else ". ".join(part for part in ((words.DECLINES | words.PATIENTS_DECLINES).get(word, ""), more) if part)
        if act is None or visit.request is None or (act is Act.DECLINE and not reason):
            raise AppError(words.NOT_READ)
        if act is Act.ACCEPT and not can(visit.request.state, act, Party.SENDER):
            return redirect(f"/s/{token}/send", 303)  # it was said before
        try:
            receiving.answer(visit, act, current_who(), reason if act is Act.DECLINE else "")
        except NotAllowed:
            raise AppError(words.MOVED) from None
        if act is Act.DECLINE:
            return make_response(render_template("portal/declined.html", site=site, reason=reason, reference=visit.link.request or ""))
        return redirect(f"/s/{token}/send", 303)

    @blueprint.post(f"{LINK}/cannot")
    @for_senders
    def cannot(token: str) -> Response:
        receiving.cannot(proved(token), current_who())
        return jsonify(told=True)

    @blueprint.get(f"{LINK}/state")
    @for_senders
    def state(token: str) -> Response:
        return jsonify(telling.state(proved(token)))

    @blueprint.get(f"{LINK}/receipt")
    @for_senders
    def receipt(token: str) -> str:
        return render_template("portal/receipt.html", site=site, **telling.receipt(proved(token)))

    @blueprint.post(f"{LINK}/uploads")
    @for_senders
    def begin(token: str) -> Response:
        visit = proved(token)
        return jsonify(upload=receiving.begin(visit, current_who()), chunk=CHUNK)

    @blueprint.post(f"{UPLOAD}/files")
    @for_senders
    def announce(token: str, upload: str) -> Response:
        visit = proved(token)
        files = announced(json_of(request))
        standing = told(lambda: receiving.announce(visit, upload, files))
        return jsonify(files=[{"file": one.number, "held": one.held, "whole": one.is_whole} for one in standing])

    @blueprint.post(f"{UPLOAD}/pieces")
    @for_senders
    def take(token: str, upload: str) -> Response:
        request.max_content_length = MOST_BODY
        visit = proved(token)
        taken = told(lambda: receiving.take(visit, upload, Frames(body_of(request)), current_who()))
        outcomes = {one.outcome for one in taken}
        response = jsonify(
            pieces=[{"file": one.file, "outcome": one.outcome.value, "held": one.held, "whole": one.is_whole} for one in taken], **telling.progress(upload)
        )
        response.status_code = 507 if Outcome.FULL in outcomes else 200 if outcomes <= {Outcome.HELD, Outcome.AGAIN} else 409
        return response

    @blueprint.post(f"{UPLOAD}/finish")
    @for_senders
    def finish(token: str, upload: str) -> Response:
        visit = proved(token)
        without = numbers(json_of(request))
        try:
            told(lambda: receiving.finish(visit, upload, current_who(), without))
        except NotWhole as error:
            response = jsonify(error={"code": "not-whole", "title": words.NOT_WHOLE.title, "action": words.NOT_WHOLE.action}, missing=error.numbers)
            response.status_code = words.NOT_WHOLE.status
            return response
        return jsonify(telling.state(visit))

    def ask(visit: Visit, token: str, left: int | None = None) -> str:
        """The page before any proof: initials and names of houses, and nothing else."""
        return render_template(
            "portal/proof.html", site=site, token=token, initials=visit.about.initials, asks_birth_date=visit.asks_birth_date, left=left,
            reference=visit.link.request or "", months=words.MONTHS, purpose=visit.link.purpose.value,
        )  # fmt: skip

    return blueprint


def told(do: Callable[[], Any]) -> Any:
    """Faults of the parts below, in words for senders."""
    try:
        return do()
    except NoRoom:
        raise AppError(words.NO_ROOM) from None
    except NotSafe:
        raise AppError(words.NOT_SAFE) from None
    except TooMuch:
        raise AppError(words.TOO_MUCH) from None
    except NotFrames:
        raise AppError(words.NOT_READ) from None
    except BrokenOff:
        raise AppError(words.BROKEN_OFF) from None  # whoever is still there was slow, and goes on; 4xx would tell their page that the link is over
    except NoSuchUpload:
        raise NotHere("upload-closed") from None
    except NotAllowed:
        raise AppError(words.MOVED) from None
