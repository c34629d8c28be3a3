"""What is hidden leaves no trace in what is handed on, and is counted. Pure: `restriction`, `smart_app.policy.spoken`; and `gate`, which asks the clock and the roles."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from launch.context import LaunchContext, User
from smart_app.access import Role
from smart_app.archives.types import Answer, EvidenceRecord, Label, SourceState, StudyRecord
from smart_app.config import PolicyRule
from smart_app.policy.gate import Passage, Policy
from smart_app.policy.restriction import judged
from smart_app.policy.rules import Effect

NOW = datetime(2026, 5, 21, 10, 42, tzinfo=UTC)
OPEN = StudyRecord("2.25.1", "kestrel", "Kestrel", "kestrel", date="2026-01-12", modalities=("MR",))
SECRET = replace(OPEN, uid="2.25.2", description="CANARY", accession="A-2", confidentiality=("PSY",))
CHART = replace(SECRET, source="ehr:n", archive=None, fhir_id="ImagingStudy/s2", confidentiality=())
CTX = LaunchContext("L1", "n", "https://ehr", User("https://ehr", "u"), "p1", None, frozenset(), NOW, NOW + timedelta(hours=1))


def evidence(**fields: object) -> EvidenceRecord:
    return replace(EvidenceRecord("report", "DiagnosticReport/CANARY", "CANARY report"), **fields)  # type: ignore[arg-type]


ABOUT = [
    evidence(studies=("2.25.2",)), evidence(studies=("ImagingStudy/s2",)), evidence(accessions=("A-2",)), evidence(date="2026-01-12T08:00:00Z"),
    evidence(date="2026-01-12", modalities=("MR", "CT")),
]  # fmt: skip
NOT_ABOUT = [evidence(title="other"), evidence(title="other", date="2026-01-12", modalities=("CT",)), evidence(title="other", studies=("2.25.1",), date="2026-01-13")]


def answers(*evidence: EvidenceRecord) -> dict[str, Answer]:
    return {
        "kestrel": Answer("kestrel", "Kestrel", "", SourceState.OK, (OPEN, SECRET)),
        "ehr:n": Answer("ehr:n", "Chart", "", SourceState.OK, (CHART,)),
        "ehr:n/evidence": Answer("ehr:n/evidence", "Chart", "", SourceState.OK, evidence=evidence),
    }


def by_label(effect: Effect) -> object:
    return lambda records: effect if any(record.confidentiality for record in records) else Effect.SHOW


@pytest.mark.parametrize("effect", [Effect.DENY, Effect.HIDE_DETAILS, Effect.BREAK_GLASS])
def test_it_is_counted_and_gone_from_every_answer(effect: Effect) -> None:
    found = judged(answers(*ABOUT, *NOT_ABOUT), by_label(effect), glass_broken=False)  # type: ignore[arg-type]
    assert [(one.uid, one.effect, one.sources) for one in found.hidden] == [("2.25.2", effect, ("kestrel", "ehr:n"))]
    assert "CANARY" not in repr([answer.studies for answer in found.answers.values()])
    assert found.answers["ehr:n/evidence"].evidence == tuple(NOT_ABOUT)
    assert [record.uid for record in found.answers["kestrel"].studies] == ["2.25.1"]


@pytest.mark.parametrize(("effect", "opened"), [(Effect.BREAK_GLASS, {"2.25.2"}), (Effect.HIDE_DETAILS, set()), (Effect.DENY, set())])
def test_broken_glass_opens_what_may_be_opened_that_way_alone(effect: Effect, opened: set[str]) -> None:
    found = judged(answers(*ABOUT), by_label(effect), glass_broken=True)  # type: ignore[arg-type]
    assert found.opened == opened
    assert len(found.hidden) == 1 - len(opened)
    assert len(found.answers["kestrel"].studies) == 1 + len(opened)


class Hospital:
    roles: frozenset[Role] = frozenset({Role.CLINICIAN})
    live = True
    broken = False
    now = NOW

    def policy(self, *rules: dict[str, object]) -> Policy:
        return Policy(
            [PolicyRule.model_validate(rule) for rule in rules], lambda ctx: self.roles, lambda handle: CTX if self.live else None, lambda handle: self.broken,
            lambda: self.now,
        )  # fmt: skip


GLASS: dict[str, object] = {"confidentiality": ["PSY"], "effect": "break-glass"}


def test_list_and_gateway_agree_at_every_moment() -> None:
    here = Hospital()
    policy = here.policy({**GLASS, "roles": ["reviewer"], "effect": "show"}, GLASS)
    for roles, broken, passage in (
        ({Role.CLINICIAN}, False, Passage.SHUT), ({Role.CLINICIAN}, True, Passage.BROKEN_GLASS), ({Role.REVIEWER}, False, Passage.OPEN), ({Role.REVIEWER}, True, Passage.OPEN),
    ):  # fmt: skip
        here.roles, here.broken = frozenset(roles), broken
        assert policy.passage("L1", [SECRET, CHART]) is passage
        assert policy.passage("L1", [OPEN]) is Passage.OPEN
        shown = policy.judge(CTX, answers())
        assert (not shown.hidden) is (passage is not Passage.SHUT)
        assert bool(shown.opened) is (passage is Passage.BROKEN_GLASS)


def test_without_a_live_launch_nobody_has_a_role() -> None:
    here = Hospital()
    here.live = False
    assert here.policy({**GLASS, "roles": ["clinician"]}).passage("L1", [SECRET]) is Passage.SHUT


def test_time_alone_changes_what_a_rule_says() -> None:
    here = Hospital()
    policy = here.policy({"older_than_days": 180, "effect": "deny"})
    assert policy.passage("L1", [OPEN]) is Passage.OPEN
    here.now = NOW + timedelta(days=60)
    assert policy.passage("L1", [OPEN]) is Passage.SHUT


def test_no_rules_no_question() -> None:
    policy = Hospital().policy()
    assert (policy.is_on, policy.may_break, policy.judge(CTX, answers()).hidden) == (False, False, ())
    assert (Hospital().policy(GLASS).may_break, Hospital().policy({"effect": "deny"}).may_break) == (True, False)


def test_what_belongs_to_a_hidden_study_by_an_order_is_hidden_with_it() -> None:
    """The order says no number, no date and no study; its report does."""
    report = evidence(studies=("2.25.2",), orders=("ServiceRequest/o1",))
    order = evidence(kind="order", reference="ServiceRequest/o1", title="CANARY order")
    procedure = evidence(kind="procedure", reference="Procedure/1", orders=("ServiceRequest/o1",), title="CANARY procedure")
    for pieces in ((report, order, procedure), (procedure, order, report), (order, procedure, report)):
        found = judged(answers(*pieces, *NOT_ABOUT), by_label(Effect.DENY), glass_broken=False)  # type: ignore[arg-type]
        assert found.answers["ehr:n/evidence"].evidence == tuple(NOT_ABOUT)
        assert len(found.hidden) == 1


@pytest.mark.parametrize(("effect", "broken", "shown"), [(Effect.DENY, False, False), (Effect.BREAK_GLASS, False, False), (Effect.BREAK_GLASS, True, True)])
def test_a_labelled_report_of_a_study_that_nobody_holds_is_a_restricted_study(effect: Effect, broken: bool, shown: bool) -> None:
    pieces = (evidence(accessions=("B-7",), confidentiality=("PSY",)), evidence(kind="order", reference="ServiceRequest/o7", accessions=("B-7",), modalities=("MR",)))
    told = {"ehr:n/reports": Answer("ehr:n/reports", "Chart", "", SourceState.OK, evidence=pieces)}
    found = judged(told, by_label(effect), glass_broken=broken)  # type: ignore[arg-type]
    assert found.answers["ehr:n/reports"].evidence == (pieces if shown else ())
    assert [one.sources for one in found.hidden] == ([] if shown else [("ehr:n",)])


def test_a_label_binds_a_study_only_where_it_is_listed() -> None:
    told = {"kestrel": Answer("kestrel", "Kestrel", "", SourceState.OK, (OPEN,)),
            "ehr:n/labels": Answer("ehr:n/labels", "Chart", "", SourceState.ASKING, labels=(Label("2.25.1", ("PSY",)), Label("2.25.99", ("PSY",))))}  # fmt: skip
    found = judged(told, by_label(Effect.DENY), glass_broken=False)  # type: ignore[arg-type]
    assert [one.uid for one in found.hidden] == ["2.25.1"]
