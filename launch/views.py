"""HTTP of the launch: /launch, /sign-in, the callback, our keys, the end. Decides nothing; the launcher does.

Cookie support is tested by one round trip before the EHR is asked, so that `iss` and `launch` are still unspent when
cookies are blocked. Cookies are `__Host-`, Secure, HttpOnly, SameSite=None and Partitioned: we live in a foreign frame.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from launch.authorize import Binding
from launch.context import LaunchContext
from launch.errors import CookiesBlocked, EhrSilent, LaunchError
from launch.parameters import required, single
from launch.service import Launcher, Opened
from launch.session import BINDING_COOKIE_PREFIX, BROWSER_COOKIE, SessionStore

BINDING_SECONDS = 600
_TAG = re.compile(r"[0-9a-f]{8}")


class RenderError(Protocol):
    """Shows a launch that did not come about, and records it.

    :param issuer: key of the EHR where it is known. :param retry_url: a path of ours that begins again, to be offered as
        "Open in a new window" (CookiesBlocked, target=_blank) or "Try again" (retryable errors); None when the person
        has to go back to the chart.
    """

    def __call__(self, error: LaunchError, *, issuer: str | None, retry_url: str | None) -> ResponseReturnValue: ...


@dataclass(frozen=True)
class Hooks:
    """What the app does at the edges of a launch.

    `opened` gets the new launch, stored and able to get tokens, and returns the path to go on to; whatever it raises ends
    the launch again. `ended` returns the page shown after the end. `current` is the launch of the request (guarded by the
    app before the view runs). `public` and `ends` mark views for the app's access check.
    """

    opened: Callable[[LaunchContext], str]
    ended: Callable[[LaunchContext], ResponseReturnValue]
    error: RenderError
    current: Callable[[], LaunchContext]
    sought: Callable[[str, Binding], str] = lambda sealed, binding: ""
    """What somebody wanted before signing in: unseals what this browser was sent here with. :raises LaunchError:"""
    public: Callable[[Any], Any] = lambda view: view
    ends: Callable[[Any], Any] = lambda view: view


def make_blueprint(launcher: Launcher, store: SessionStore, jwks: Mapping[str, Any], hooks: Hooks) -> Blueprint:
    bp = Blueprint("launch", __name__)

    def shown(error: LaunchError, issuer: str | None, retry_url: str | None = None) -> Response:
        offered = retry_url if isinstance(error, CookiesBlocked | EhrSilent) else None
        return _private(make_response(hooks.error(error, issuer=issuer, retry_url=offered)))

    @bp.get("/launch")
    @hooks.public
    def launch() -> ResponseReturnValue:
        issuer = None
        try:
            params = single(request.args, request.query_string)
            required(params, "iss", "launch")
            issuer = launcher.issuer_of(params["iss"]).key
        except LaunchError as error:
            return shown(error, issuer)
        return bound(Binding.new(), url_for("launch.check"), {"iss": params["iss"], "launch": params["launch"]})

    @bp.get("/launch/check")
    @hooks.public
    def check() -> ResponseReturnValue:
        issuer, again = None, None
        try:
            params = single(request.args, request.query_string)
            required(params, "iss", "launch")
            issuer = launcher.issuer_of(params["iss"]).key
            again = _path(url_for("launch.launch"), {"iss": params["iss"], "launch": params["launch"]})
            return _go(launcher.begin(params["iss"], params["launch"], _returned(params)))
        except LaunchError as error:
            return shown(error, issuer, again)

    @bp.get("/sign-in/<key:issuer>")
    @hooks.public
    def sign_in(issuer: str) -> ResponseReturnValue:
        again = None
        try:
            params = single(request.args, request.query_string)
            launcher.issuer_called(issuer)
            staff = {"as": "staff"} if params.get("as") == "staff" else {}
            here = url_for("launch.sign_in", issuer=issuer)
            again = _path(here, staff) if "sought" not in params else None  # begun anew, it would open something else
            if "b" not in params:
                return bound(Binding.new(), here, staff)
            binding = _returned(params)
            sought = hooks.sought(params["sought"], binding) if "sought" in params and not staff else None
            return _go(launcher.begin_sign_in(issuer, binding, wants_patient=not staff, sought=sought or None))
        except LaunchError as error:
            return shown(error, issuer, again)

    @bp.get("/cb/<key:issuer>")
    @hooks.public
    def callback(issuer: str) -> ResponseReturnValue:
        try:
            params = single(request.args, request.query_string)
            opened = launcher.complete(issuer, params, request.cookies)
            browser, path = _enter(opened)
        except LaunchError as error:
            return shown(error, issuer)
        response = _go(path)
        _set_cookie(response, BROWSER_COOKIE, browser, None)
        _set_cookie(response, opened.binding_name, "", 0)
        return response

    def _enter(opened: Opened) -> tuple[str, str]:
        handle = opened.context.handle
        browser = store.open_launch(request.cookies.get(BROWSER_COOKIE), opened.context, opened.tokens)
        try:
            return browser, hooks.opened(opened.context)
        except BaseException:
            # An opening that could not be finished (patient unreadable, audit not written) must not stay open.
            store.end(handle)
            raise

    @bp.get("/jwks.json")
    @hooks.public
    def keys() -> ResponseReturnValue:
        response = jsonify(dict(jwks))
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response

    @bp.post("/l/<launch:handle>/end")
    @hooks.ends
    def end(handle: str) -> ResponseReturnValue:
        context = hooks.current()
        store.end(context.handle)
        response = _private(make_response(hooks.ended(context)))
        # Not "cookies": other launches of this user live on in the same browser.
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response

    return bp


def bound(binding: Binding, path: str, params: dict[str, str]) -> Response:
    """Sets the binding cookie and goes on to where its return is checked."""
    tag = binding.name.removeprefix(BINDING_COOKIE_PREFIX)
    response = _go(_path(path, {**params, "b": tag}))
    _set_cookie(response, binding.name, binding.value, BINDING_SECONDS)
    return response


def _returned(params: dict[str, str]) -> Binding:
    """The binding that came back. :raises CookiesBlocked: it did not."""
    tag = params.get("b", "")
    name = BINDING_COOKIE_PREFIX + tag
    value = request.cookies.get(name, "") if _TAG.fullmatch(tag) else ""
    if not 40 <= len(value) <= 64:
        raise CookiesBlocked(reason="binding cookie did not come back")
    return Binding(name, value)


def _path(path: str, params: dict[str, str]) -> str:
    return f"{path}?{urlencode(params)}" if params else path


def _go(url: str) -> Response:
    response = make_response(redirect(url, 303))
    response.set_data(b"")  # the default body repeats the URL, and it holds the launch
    return _private(response)


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _set_cookie(response: Response, name: str, value: str, max_age: int | None) -> None:
    response.set_cookie(name, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="None", partitioned=True)
