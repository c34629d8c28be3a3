"""Who may do what, as one table. Every view names its action or says it is public; the factory refuses anything else.

Roles are read again on each request, from verified claims and user lists of the configuration (safety.md Z5).
Whether an object belongs to a launch is not decided here: foreign objects are 404 before a role is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeVar

from launch.context import LaunchContext
from smart_app.config import Ehr, RoleRule

View = TypeVar("View", bound=Callable[..., Any])


class Role(StrEnum):
    CLINICIAN = "clinician"
    STAFF = "staff"
    REVIEWER = "reviewer"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    SURGICAL_TEAM = "surgical-team"
    """Surgeons, anesthesiologists and who prepares their list: the pre-op board."""


class Action(StrEnum):
    VIEW_STUDIES = "view-studies"
    VIEW_IMAGES = "view-images"
    DECIDE_MATCH = "decide-match"
    REQUEST_IMAGES = "request-images"
    END_LAUNCH = "end-launch"
    BREAK_GLASS = "break-glass"
    READ_AUDIT = "read-audit"
    SEE_SETUP = "see-setup"
    HOME = "home"
    WORK_DESK = "work-desk"
    """Requests of the whole site: see, make, send, remind, assign, close."""
    REVIEW_INTAKE = "review-intake"
    """What arrived: see it, decide whose it is and whether it is stored, undo."""

    USE_BOARD = "use-board"
    """The surgical list: read it, open its cases, sign off, write to a case's team."""


EVERYONE = frozenset(Role)

POLICY: Mapping[Action, frozenset[Role]] = MappingProxyType(
    {
        Action.VIEW_STUDIES: frozenset({Role.CLINICIAN}),
        Action.VIEW_IMAGES: frozenset({Role.CLINICIAN}),
        Action.DECIDE_MATCH: frozenset({Role.CLINICIAN}),
        Action.REQUEST_IMAGES: frozenset({Role.CLINICIAN}),
        Action.BREAK_GLASS: frozenset({Role.CLINICIAN}),
        Action.END_LAUNCH: EVERYONE,
        Action.HOME: EVERYONE,
        Action.READ_AUDIT: frozenset({Role.AUDITOR}),
        Action.SEE_SETUP: frozenset({Role.ADMINISTRATOR}),
        Action.WORK_DESK: frozenset({Role.STAFF, Role.REVIEWER}),
        Action.REVIEW_INTAKE: frozenset({Role.REVIEWER}),
        Action.USE_BOARD: frozenset({Role.SURGICAL_TEAM}),
    }
)

NEEDS_PATIENT = frozenset({Action.VIEW_STUDIES, Action.VIEW_IMAGES, Action.REQUEST_IMAGES, Action.BREAK_GLASS})
"""Without a chart there is nothing to show: such a path does not exist for this launch (404)."""


def roles_of(context: LaunchContext, ehr: Ehr) -> frozenset[Role]:
    """The roles of this launch's user now. A chart makes its user a clinician for that chart, and nothing else does.

    A launch that was derived for one patient is a clinician's and no more; a board is read without a chart, since a token of one patient would
    make a list of one patient look whole.
    """
    if context.parent is not None:
        return frozenset({Role.CLINICIAN})
    granted = {Role(rule.role) for rule in ehr.roles if Role(rule.role) is not Role.CLINICIAN and _matches(rule, context)}
    if context.patient_id is not None:
        granted = (granted | {Role.CLINICIAN}) - {Role.SURGICAL_TEAM}
    return frozenset(granted)


def may(roles: frozenset[Role], action: Action) -> bool:
    """Whether any of these roles is in the policy's row. END_LAUNCH and HOME need no role: a launch's owner has them."""
    return POLICY[action] == EVERYONE or bool(roles & POLICY[action])


def requires(action: Action) -> Callable[[View], View]:
    """Mark a view with the one action it serves."""

    def mark(view: View) -> View:
        view.action = action  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Mark a view that serves anyone and shows no PHI."""
    view.public = True  # type: ignore[attr-defined]
    return view


def for_programs(view: View) -> View:
    """Mark a view for registered programs, which prove themselves anew in each request: no cookie counts, so there is nothing to forge."""
    view.for_programs = True  # type: ignore[attr-defined]
    return view


def is_for_programs(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, "for_programs", False))


def for_senders(view: View) -> View:
    """Mark a view of the senders' host. It exists nowhere else; the portal itself asks who holds which link."""
    view.for_senders = True  # type: ignore[attr-defined]
    return view


def is_for_senders(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, "for_senders", False))


def unattended(view: View) -> View:
    """Mark a view that a page asks by itself: it needs a live launch like any other, and does not keep it alive."""
    view.unattended = True  # type: ignore[attr-defined]
    return view


def is_unattended(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, "unattended", False))


def action_of(view: Callable[..., Any]) -> Action | None:
    """The action a view is marked with; None when it is public or unmarked."""
    action: Action | None = getattr(view, "action", None)
    return action


def is_public(view: Callable[..., Any]) -> bool:
    return bool(getattr(view, "public", False))


def unmarked(views: Mapping[str, Callable[..., Any]], framework: Iterable[str] = ()) -> list[str]:
    """Endpoints without a mark, or with more than one. The factory starts only when this is empty."""
    return sorted(
        name
        for name, view in views.items()
        if name not in set(framework) and is_public(view) + is_for_programs(view) + is_for_senders(view) + (action_of(view) is not None) != 1
    )


def _matches(rule: RoleRule, context: LaunchContext) -> bool:
    user = context.user
    if user.subject in rule.users or (user.fhir_user is not None and user.fhir_user in rule.users):
        return True
    if rule.claim is None or rule.equals is None:
        return False
    value = user.claims.get(rule.claim)
    if isinstance(value, list | tuple):
        return rule.equals in value
    return isinstance(value, str) and value == rule.equals
