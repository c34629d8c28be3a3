"""Who may do what: the table, and where roles come from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from launch.context import LaunchContext, User
from smart_app.access import NEEDS_PATIENT, POLICY, Action, Role, may, public, requires, roles_of, unmarked
from smart_app.config import Ehr

NOW = datetime(2026, 5, 21, tzinfo=UTC)
ALL = [{"role": role.value, "claim": "priors_roles", "equals": role.value} for role in Role]


def _ehr(*rules: dict[str, object]) -> Ehr:
    return Ehr.model_validate({"key": "n", "name": "N", "issuer": "https://ehr.example/fhir", "client_id": "c", "roles": rules})


def _context(patient: str | None = None, claims: dict[str, object] | None = None, subject: str = "u1", fhir_user: str | None = None) -> LaunchContext:
    user = User("https://ehr.example/fhir", subject, fhir_user, None, claims or {})
    return LaunchContext("h" * 22, "n", "https://ehr.example/fhir", user, patient, None, frozenset(), NOW, NOW)


@pytest.mark.parametrize(
    ("claims", "rules", "expected"),
    [
        ({"priors_roles": ["auditor"]}, ALL, {Role.AUDITOR}),
        ({"priors_roles": ["auditor", "staff"]}, ALL, {Role.AUDITOR, Role.STAFF}),
        ({"priors_roles": "reviewer"}, ALL, {Role.REVIEWER}),
        ({"priors_roles": "auditor staff"}, ALL, set()),
        ({"priors_roles": "xauditor"}, ALL, set()),
        ({"priors_roles": {"auditor": True}}, ALL, set()),
        ({"priors_roles": True}, ALL, set()),
        ({"other": ["auditor"]}, ALL, set()),
        ({}, ALL, set()),
        ({}, [{"role": "auditor"}], set()),
        ({"a": None}, [{"role": "auditor", "claim": "a"}], set()),
        ({}, [{"role": "administrator", "users": ["u1"]}], {Role.ADMINISTRATOR}),
        ({}, [{"role": "administrator", "users": ["Practitioner/7"]}], {Role.ADMINISTRATOR}),
        ({}, [{"role": "administrator", "users": ["u2", ""]}], set()),
        ({"priors_roles": ["clinician"]}, ALL, set()),
    ],
)
def test_roles_come_from_claims_and_lists_alone(claims: dict[str, object], rules: list[dict[str, object]], expected: set[Role]) -> None:
    assert roles_of(_context(claims=claims, fhir_user="Practitioner/7"), _ehr(*rules)) == expected


def test_a_chart_makes_a_clinician() -> None:
    assert roles_of(_context(patient="p1"), _ehr()) == {Role.CLINICIAN}


MATRIX = {
    Action.VIEW_STUDIES: {Role.CLINICIAN},
    Action.DECIDE_MATCH: {Role.CLINICIAN},
    Action.VIEW_IMAGES: {Role.CLINICIAN},
    Action.REQUEST_IMAGES: {Role.CLINICIAN},
    Action.BREAK_GLASS: {Role.CLINICIAN},
    Action.WORK_DESK: {Role.STAFF, Role.REVIEWER},
    Action.REVIEW_INTAKE: {Role.REVIEWER},
    Action.USE_BOARD: {Role.SURGICAL_TEAM},
    Action.READ_AUDIT: {Role.AUDITOR},
    Action.SEE_SETUP: {Role.ADMINISTRATOR},
    Action.HOME: set(Role) | {None},
    Action.END_LAUNCH: set(Role) | {None},
}


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("role", [*Role, None])
def test_every_action_for_every_role(action: Action, role: Role | None) -> None:
    assert may(frozenset({role} if role else ()), action) is (role in MATRIX[action])


def test_every_action_has_a_row() -> None:
    assert set(POLICY) == set(Action)
    assert set(Action) >= NEEDS_PATIENT


def test_marks() -> None:
    def forgotten() -> None: ...

    both = public(requires(Action.HOME)(lambda: None))
    views = {"a": requires(Action.HOME)(lambda: None), "b": public(lambda: None), "c": forgotten, "d": both, "static": forgotten}
    assert unmarked(views, framework=["static"]) == ["c", "d"]
