"""Faults as a person sees them: a page, or JSON for programs. What happened, whose side, what to do, a reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import structlog
from flask import Flask, Response, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from launch.errors import LaunchError
from smart_app.errors import AppError, Fault, Side
from smart_app.web.context import request_reference

log = structlog.get_logger("priors.web")

NOT_FOUND = Fault("not-found", Side.PERSON, "This is not here.", "Open the Images tab again from the patient’s chart.", False, 404)
SIGNED_OUT = Fault("signed-out", Side.PERSON, "Open this from a patient’s chart.", "Choose the Images tab there, or sign in again.", False, 401)
ENDED = Fault("session-ended", Side.PERSON, "This session has ended.", "Open the Images tab again from the patient’s chart.", False, 401)
FORBIDDEN = Fault("forbidden", Side.PERSON, "Your role does not include this.", "The administrator of Priors can change that.", False, 403)
NOT_OURS = Fault("not-our-page", Side.PERSON, "This did not come from a page of Priors, so nothing was changed.", "Go back and try again from there.", False, 403)
WRONG_HOST = Fault("wrong-host", Side.SETUP, "Priors is not reached under this name.", "Ask the EHR team to use the configured address.", False, 400)
NOT_UNDERSTOOD = Fault("not-understood", Side.PERSON, "Priors could not read this request.", "Go back and try again.", False, 400)
INTERNAL = Fault("internal", Side.US, "Priors could not do this. The fault is on our side.", "Try again; if it happens again, give the image desk the reference.", True, 500)

LINK_ENDED = Fault("link-ended", Side.PERSON, "This link has ended.", "Call the image desk.", False, 404)
"""The same for a link that was never there: nobody learns which."""
SENDERS_WORDS = {
    "not-found": LINK_ENDED,
    "not-our-page": Fault("not-our-page", Side.PERSON, "This did not come from our page, so nothing was changed.", "Go back and try again from there.", False, 403),
    "internal": Fault("internal", Side.US, "We could not do this. The fault is on our side; what is safely received stays.", "Try again; if it happens again, call us with the reference.", True, 500),
    "not-understood": Fault("not-understood", Side.PERSON, "We could not read this.", "Go back and try again.", False, 400),
}
"""Senders have no chart to go back to, and no name for us."""

LAUNCH_FAULTS = {
    "unknown-issuer": ("This EHR is not set up here.", "Ask your EHR team to register this issuer with Priors.", Side.SETUP),
    "missing-parameter": ("Open this from a patient’s chart.", "Ask the EHR team to set the menu entry up as a SMART app.", Side.SETUP),
    "cookies-blocked": ("This browser blocks sign-in inside the chart.", "Open Priors in a new window.", Side.PERSON),
    "sign-in-broken": ("Sign-in could not be completed, so nothing was read.", "Open the Images tab again from the chart.", Side.PERSON),
    "sign-in-refused": ("The EHR did not let you in.", "Open the Images tab again from the chart.", Side.EHR),
    "no-patient": ("Open this from a patient’s chart.", "Go to the patient’s chart and open the Images tab there.", Side.EHR),
    "ehr-silent": ("The EHR did not answer.", "Try again in a minute.", Side.EHR),
    "ehr-faulty": ("The EHR answered with a fault of its own.", "Try again in a minute.", Side.EHR),
    "ehr-misconfigured": ("The EHR answered in a way that Priors cannot use.", "Give the reference to the EHR team.", Side.EHR),
    "session-ended": (ENDED.title, ENDED.action, ENDED.side),
}
_PROGRAMS = ("json", "event-stream", "dicom", "multipart/related", "octet-stream")


class Refusal(AppError):
    """The guard turned a request away. `reason` is a fixed word for log and audit."""

    def __init__(self, fault: Fault, reason: str) -> None:
        self.reason = reason
        super().__init__(fault)


class NotHere(Refusal):
    """What a URL names is not there, or not for this launch: the two look the same. Recorded as a denied access."""

    def __init__(self, reason: str = "not-held") -> None:
        super().__init__(NOT_FOUND, reason)


def wants_json() -> bool:
    """A program asks, not a person looking at a page."""
    accept = request.headers.get("Accept", "")
    if "text/html" in accept:
        return False
    return any(word in accept for word in _PROGRAMS) or request.headers.get("Sec-Fetch-Dest", "document") not in ("document", "iframe", "frame")


def answer(fault: Fault, *, detail: str = "", retry_url: str = "", template: str = "error.html", **more: Any) -> Response:
    """The fault as a response, with this request's reference."""
    reference = request_reference()
    if "for_senders" in g:
        fault, template, retry_url = _for_senders(fault), "portal/fault.html", ""
    if wants_json():
        response = jsonify(error={"code": fault.code, "title": fault.title, "action": fault.action, "reference": reference})
        response.status_code = fault.status
    else:
        page = render_template(
            template, code=fault.code, title=fault.title, detail=detail, action=fault.action, reference=reference, side=fault.side.value,
            status=fault.status, retry_url=retry_url, **more,
        )  # fmt: skip
        response = Response(page, fault.status, mimetype="text/html")
    if fault.status == 503:
        response.headers["Retry-After"] = "2"
    return response


def _for_senders(fault: Fault) -> Fault:
    words = SENDERS_WORDS.get(fault.code)
    return replace(words, status=fault.status) if words else fault


def show_launch_error(error: LaunchError, *, issuer: str | None = None, retry_url: str | None = None, issuer_name: str = "") -> Response:
    """The page of a launch that did not come about. `issuer` (a key) is for the caller's audit record."""
    title, action, side = LAUNCH_FAULTS[error.code]
    log.info("launch_refused", code=error.code, reason=error.reason, issuer=issuer)
    fault = Fault(error.code, side, title, action, error.retryable, error.status)
    return answer(fault, detail=error.detail, retry_url=retry_url or "", template="launch/error.html", issuer_name=issuer_name)


def install_faults(app: Flask, denied: Callable[[str], None]) -> None:
    """Give every way of failing its page. Never a stack trace, never an upstream's words.

    :param denied: records a refused access, with a fixed word why.
    """

    @app.errorhandler(AppError)
    def expected(error: AppError) -> Response:
        fault = error.fault
        if isinstance(error, NotHere):
            log.info("refused", code=fault.code, reason=error.reason)
            denied(error.reason)
        elif not isinstance(error, Refusal):  # those the guard has recorded
            log.warning("fault", code=fault.code, status=fault.status, side=fault.side.value)
        if fault is ENDED:
            return answer(fault, template="launch/error.html")
        return answer(fault, retry_url=_here_again() if fault.retryable else "")

    @app.errorhandler(LaunchError)
    def launch_failed(error: LaunchError) -> Response:
        return show_launch_error(error)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        status = error.code or 500
        if error.response is not None:
            return error.get_response()  # type: ignore[return-value]  # a redirect of the router
        if status == 404 and "launch" in g:
            denied("not-found")
        fault = NOT_FOUND if status == 404 else INTERNAL if status >= 500 else NOT_UNDERSTOOD
        shown = Fault(fault.code, fault.side, fault.title, fault.action, fault.retryable, status)
        response = answer(shown)
        for name, value in error.get_headers():
            if name in ("Allow", "Retry-After", "Location"):
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        log.error("unexpected", kind=type(error).__name__, where=_where(error))
        return answer(INTERNAL)


def _here_again() -> str:
    """Where a person who asks again goes: this page, unless asking again could do something twice."""
    return request.full_path.rstrip("?") if request.method == "GET" else ""


def _where(error: BaseException) -> list[str]:
    """Files and lines, never the text of the error: it may hold what must not be logged."""
    trace, lines = error.__traceback__, []
    while trace is not None:
        lines.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 2)[-1]}:{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return lines[-8:]
