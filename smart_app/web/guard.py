"""What stands before every view: host, launch, rights, CSRF, in this order. Denies by default; records each refusal.

A launch path without our cookie is 401; with a cookie that does not own it, 404, as if it were not there; a launch of
this browser that is over, 401 "session ended". Only then is a role asked for: 403. safety.md, authorization matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog
from flask import abort, current_app, g, redirect, request

from launch.context import LaunchContext
from launch.session import BROWSER_COOKIE
from smart_app.access import NEEDS_PATIENT, Action, action_of, is_for_programs, is_for_senders, is_public, is_unattended, may, roles_of
from smart_app.audit.events import AccessDenied, Event
from smart_app.config import Ehr
from smart_app.errors import AppError
from smart_app.web import csrf, faults
from smart_app.web.context import current_who
from smart_app.web.csrf import Csrf
from smart_app.web.faults import Refusal

log = structlog.get_logger("priors.web")

ANY_HOST = frozenset({"/healthz", "/readyz"})
"""Asked by machines that know our address, not our name."""

STATIC = "static_files.file"
WITHOUT_LINK = "/ask"
"""Where somebody goes who typed the senders' host name alone."""
LAUNCH_PATHS = frozenset({"/launch", "/launch/check"})


class Launches(Protocol):
    """The part of the session store that the guard needs."""

    def find(self, handle: str, browser: str | None, *, use: bool = True) -> LaunchContext | None: ...

    def has_ended(self, handle: str, browser: str | None) -> bool: ...


class SendersHost:
    """The other host name: it has the pages for senders and the browser bundle, and nothing else. `csrf` knows its origin."""

    def __init__(self, host: str, protection: Csrf) -> None:
        self.host, self._csrf = host, protection

    def check(self, view: Callable[..., Any] | None) -> None:
        """A page of the app does not exist here, whatever cookies come along. :raises Refusal:"""
        if request.path in ANY_HOST or view is None:
            return
        if request.path == "/" and request.method in csrf.SAFE:
            abort(redirect(WITHOUT_LINK, 303))
        if not is_for_senders(view) and request.endpoint != STATIC:
            raise Refusal(faults.NOT_FOUND, "app-host-only")
        if request.method not in csrf.SAFE and (objection := self._csrf.foreign(request.headers)):
            raise Refusal(faults.NOT_OURS, objection)


class Guard:
    """`record` writes one audit event. `host` is what browsers send as Host."""

    def __init__(
        self,
        launches: Launches,
        ehrs: Mapping[str, Ehr],
        protection: Csrf,
        record: Callable[[Event], object],
        *,
        tenant: str,
        host: str,
        purpose: Callable[[str], tuple[str, str]] = lambda handle: ("", ""),
        portal: SendersHost | None = None,
    ) -> None:
        """`purpose` is what this launch's requests are for, by handle: purpose of use and break-glass reference, or nothing."""
        self._portal = portal
        self._launches = launches
        self._ehrs = ehrs
        self._csrf = protection
        self._record = record
        self._tenant = tenant
        self._host = host
        self._purpose = purpose

    def check(self) -> None:
        """Runs before each request. :raises Refusal: recorded already, so that no blueprint's own handler can lose it."""
        try:
            self._check()
        except Refusal as refusal:
            log.info("refused", code=refusal.fault.code, reason=refusal.reason)
            self.denied(refusal.reason)
            raise

    def _check(self) -> None:
        g.tenant = self._tenant
        view = request.endpoint and self._view(request.endpoint)
        if self._portal is not None and request.host == self._portal.host:
            g.for_senders = True
            self._portal.check(view or None)
            return
        if request.host != self._host and request.path not in ANY_HOST:
            raise Refusal(faults.WRONG_HOST, "wrong-host")
        if not view:
            return  # the router's own 404, 405 or redirect follows
        if is_for_senders(view):
            raise Refusal(faults.NOT_FOUND, "senders-host-only")
        arguments = request.view_args or {}
        g.issuer_key = self._issuer_key(arguments)
        action = action_of(view)
        if action is not None:
            self._check_launch(str(arguments.get("handle", "")), action, use=not is_unattended(view))
        elif is_for_programs(view):
            return  # its own blueprint asks for the program's proof, and denies without it
        elif not is_public(view):
            raise Refusal(faults.NOT_FOUND, "unmarked")
        elif request.method not in csrf.SAFE and (objection := self._csrf.foreign(request.headers)):
            raise Refusal(faults.NOT_OURS, objection)

    def token(self) -> str:
        """The CSRF token of the page being made; empty outside a launch."""
        launch: LaunchContext | None = g.get("launch")
        return self._csrf.token(launch.handle, request.cookies.get(BROWSER_COOKIE, "")) if launch else ""

    def denied(self, reason: str) -> None:
        """Record a refusal. It stands even where it cannot be recorded: nothing is shown."""
        view = self._view(request.endpoint) if request.endpoint else None
        action = action_of(view) if view else None
        if action is None and "csrf" not in reason:
            return  # nobody asked for anything that is anybody's
        launch: LaunchContext | None = g.get("launch")
        name = str(action or request.endpoint)
        try:
            self._record(AccessDenied(who=current_who(), patient=launch.patient_id if launch else None, action=name, reason=reason))
        except AppError as error:
            log.error("refusal_not_recorded", code=error.fault.code, reason=reason)

    def _issuer_key(self, arguments: Mapping[str, Any]) -> str:
        """The registered EHR that a request before any launch is about; empty when it names none."""
        if arguments.get("issuer") in self._ehrs:
            return str(arguments["issuer"])
        iss = request.args.get("iss", "").removesuffix("/") if request.path in LAUNCH_PATHS else ""
        return next((ehr.key for ehr in self._ehrs.values() if iss and ehr.issuer.removesuffix("/") == iss), "")

    def _check_launch(self, handle: str, action: Action, *, use: bool) -> None:
        browser = request.cookies.get(BROWSER_COOKIE)
        if not browser:
            raise Refusal(faults.SIGNED_OUT, "no-session")
        launch = self._launches.find(handle, browser, use=use)
        if launch is None:
            if self._launches.has_ended(handle, browser):
                raise Refusal(faults.ENDED, "session-ended")
            raise Refusal(faults.NOT_FOUND, "not-their-launch")
        ehr = self._ehrs.get(launch.issuer_key)
        if ehr is None or launch.tenant != self._tenant:
            raise Refusal(faults.ENDED, "issuer-removed")
        g.launch = launch
        g.roles = roles_of(launch, ehr)
        g.purpose = self._purpose(handle)
        if action in NEEDS_PATIENT and launch.patient_id is None:
            raise Refusal(faults.NOT_FOUND, "no-patient")
        if not may(g.roles, action):
            raise Refusal(faults.FORBIDDEN, "role")
        if request.method not in csrf.SAFE and (objection := self._csrf.objection(handle, browser, _sent_token(), request.headers)):
            raise Refusal(faults.NOT_OURS, objection)

    @staticmethod
    def _view(endpoint: str) -> Callable[..., Any] | None:
        return current_app.view_functions.get(endpoint)


def _sent_token() -> str:
    return request.headers.get(csrf.HEADER) or request.form.get(csrf.FIELD, "")
