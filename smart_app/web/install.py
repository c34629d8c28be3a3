"""Puts the web layer on a Flask app: `install` once from the factory, `refuse_unmarked` when all routes are there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, request
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from launch.issuers import IssuerDirectory
from smart_app.access import unmarked
from smart_app.audit.events import launch_id
from smart_app.audit.log import AuditLog
from smart_app.config import Settings
from smart_app.sealing import Keyring
from smart_app.web import assets
from smart_app.web.context import request_reference
from smart_app.web.converters import install_converters
from smart_app.web.csrf import Csrf
from smart_app.web.faults import install_faults
from smart_app.web.guard import LAUNCH_PATHS, Guard, Launches, SendersHost
from smart_app.web.headers import protect

log = structlog.get_logger("priors.web")
MAX_BODY = 1_000_000
"""Bytes of a request body, where a route does not say otherwise."""


class UnmarkedRoutes(Exception):
    """Routes without @requires or @public: the app does not start."""


@dataclass(frozen=True)
class Web:
    """What the web layer is given. `bundle` is Vite's output folder."""

    settings: Settings
    directory: IssuerDirectory
    launches: Launches
    keyring: Keyring
    audit: AuditLog
    bundle: Path
    purpose: Callable[[str], tuple[str, str]] = lambda handle: ("", "")
    """Purpose of use and break-glass reference of a launch, by handle: they stand in all its records."""


def install(app: Flask, web: Web) -> None:
    """Converters first: blueprints registered after this may use `<launch:handle>`, `<uid:study>` and `<key:archive>`."""
    settings = web.settings
    origin = public_origin(settings.public_url)
    guard = Guard(
        web.launches,
        {ehr.key: ehr for ehr in settings.ehrs},
        Csrf(web.keyring, origin),
        web.audit.record,
        tenant=settings.tenant,
        host=origin.partition("://")[2],
        purpose=web.purpose,
        portal=_senders_host(settings, web.keyring),
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals.update(asset=assets.Assets(web.bundle), csrf_token=guard.token, development=settings.development)
    install_converters(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.before_request(_begin)
    app.before_request(guard.check)
    app.after_request(_Finish(web.directory, https=origin.startswith("https:")))
    install_faults(app, guard.denied)
    app.register_blueprint(assets.make_blueprint(web.bundle))


def refuse_unmarked(app: Flask) -> None:
    """Call after the last blueprint. :raises UnmarkedRoutes: naming them."""
    if found := unmarked(app.view_functions):
        raise UnmarkedRoutes(f"mark these views with @requires or @public: {', '.join(found)}")


def _senders_host(settings: Settings, keyring: Keyring) -> SendersHost | None:
    if settings.portal_url is None:
        return None
    origin = public_origin(settings.portal_url)
    return SendersHost(origin.partition("://")[2], Csrf(keyring, origin))


def public_origin(public_url: str) -> str:
    """As a browser writes it in Origin: lower case, without a default port or a trailing slash."""
    parts = urlsplit(public_url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{host}" if parts.port in (None, default) else f"{parts.scheme}://{host}:{parts.port}"


def _begin() -> None:
    g.began = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(reference=request_reference())


class _Finish:
    """Headers and the access log line. The line names the route, never the URL."""

    def __init__(self, directory: IssuerDirectory, *, https: bool) -> None:
        self._directory = directory
        self._https = https

    def __call__(self, response: Response) -> Response:
        launch = g.get("launch")
        view_is_wasm = _view_has_wasm()
        phi = launch is not None or "Cache-Control" not in response.headers
        protect(response, ancestors=self._ancestors(response), wasm=view_is_wasm, phi=phi, https=self._https, camera="for_senders" in g)
        response.headers["X-Request-Id"] = request_reference()
        log.info(
            "request",
            method=request.method,
            route=request.url_rule.rule if request.url_rule else None,
            status=response.status_code,
            ms=round((time.monotonic() - g.get("began", time.monotonic())) * 1000, 1),
            launch=launch_id(launch.handle) if launch else None,
        )
        return response

    def _ancestors(self, response: Response) -> tuple[str, ...]:
        """Origins that may frame this answer: those of its own issuer.

        Where the issuer cannot be known (an unknown `iss`, a session that is over), the page is words without data or
        controls, and it has to be readable in the frame of any registered EHR: a blank frame would help nobody.
        """
        launch = g.get("launch")
        issuer = self._directory.by_key(launch.issuer_key if launch else g.get("issuer_key", ""))
        if issuer is not None:
            return issuer.frame_ancestors
        if request.path in LAUNCH_PATHS or (response.status_code == 401 and request.path.startswith("/l/")):
            return tuple(dict.fromkeys(_all_ancestors(self._directory)))
        return ()


def _all_ancestors(directory: IssuerDirectory) -> Iterable[str]:
    for issuer in directory:
        yield from issuer.frame_ancestors


def _view_has_wasm() -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    return bool(getattr(view, "with_wasm", False))
