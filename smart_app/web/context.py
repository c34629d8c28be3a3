"""What the guard has found out about the request under way, for views to read."""

from __future__ import annotations

from dataclasses import replace

from flask import g, request

from launch.context import LaunchContext
from smart_app.access import Role
from smart_app.audit.events import Who
from smart_app.web.references import new_reference


def current_launch() -> LaunchContext:
    """The launch named in the URL, proven to be this browser's. Only in views under /l/<launch>/."""
    launch: LaunchContext = g.launch
    return launch


def current_roles() -> frozenset[Role]:
    """The roles of this launch's user, read from claims and configuration for this request."""
    roles: frozenset[Role] = g.roles
    return roles


def current_who() -> Who:
    """Who stands behind this request, for audit records; without a launch, an address and a reference."""
    launch: LaunchContext | None = g.get("launch")
    if launch is None:
        return Who.nobody(g.tenant, client_address(), request_reference(), g.get("issuer_key", ""))
    purpose, opening = g.get("purpose", ("", ""))
    return replace(Who.of(launch, client_address(), request_reference()), purpose=purpose, opening=opening)


def request_reference() -> str:
    """The one reference of this request: on error pages, in X-Request-Id, in the log and the audit."""
    if "reference" not in g:
        g.reference = new_reference("PR", 6)
    reference: str = g.reference
    return reference


def client_address() -> str:
    return request.remote_addr or ""
