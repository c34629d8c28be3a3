"""What may be shown: a table of rules, studies, roles and days, and what holds for all of them. Pure: `rules`."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.access import Role
from smart_app.archives.types import StudyRecord
from smart_app.config import PolicyRule
from smart_app.policy.rules import RANK, Effect, effect_of

TODAY = date(2026, 5, 21)
CLINICIAN, REVIEWER = frozenset({Role.CLINICIAN}), frozenset({Role.CLINICIAN, Role.REVIEWER})
PLAIN = StudyRecord("2.25.1", "kestrel", "Kestrel", "kestrel", modalities=("MR",), date="2026-01-12")
PSY = replace(PLAIN, confidentiality=("R", "PSY"))
CHART = replace(PLAIN, source="ehr:n", archive=None)


def rule(effect: str, **conditions: Any) -> PolicyRule:
    return PolicyRule.model_validate({"effect": effect} | conditions)


DENY_PSY = rule("deny", confidentiality=["PSY"])
GLASS_PSY = rule("break-glass", confidentiality=["psy"])
SHOW_REVIEWER = rule("show", confidentiality=["PSY"], roles=["reviewer"])
OLD = rule("hide-details", older_than_days=365)
NEW = rule("break-glass", newer_than_days=30)

TABLE: list[tuple[str, list[PolicyRule], list[StudyRecord], frozenset[Role], str]] = [
    ("no rule", [], [PSY], CLINICIAN, "show"),
    ("no label", [DENY_PSY], [PLAIN], CLINICIAN, "show"),
    ("a label", [DENY_PSY], [PSY], CLINICIAN, "deny"),
    ("a label in small letters", [GLASS_PSY], [PSY], CLINICIAN, "break-glass"),
    ("the first that matches", [GLASS_PSY, DENY_PSY], [PSY], CLINICIAN, "break-glass"),
    ("the first that matches, turned round", [DENY_PSY, GLASS_PSY], [PSY], CLINICIAN, "deny"),
    ("a role that may", [SHOW_REVIEWER, DENY_PSY], [PSY], REVIEWER, "show"),
    ("a role that may not", [SHOW_REVIEWER, DENY_PSY], [PSY], CLINICIAN, "deny"),
    ("nobody's role", [SHOW_REVIEWER, DENY_PSY], [PSY], frozenset(), "deny"),
    ("an archive", [rule("deny", archives=["kestrel"])], [PLAIN], CLINICIAN, "deny"),
    ("another archive", [rule("deny", archives=["brannoc"])], [PLAIN], CLINICIAN, "show"),
    ("a chart by its key", [rule("deny", archives=["ehr:n"])], [CHART], CLINICIAN, "deny"),
    ("what a chart says is at an archive", [rule("deny", archives=["kestrel"])], [replace(CHART, archive="kestrel")], CLINICIAN, "deny"),
    ("a modality", [rule("deny", modalities=["mr", "CT"])], [PLAIN], CLINICIAN, "deny"),
    ("another modality", [rule("deny", modalities=["CT"])], [PLAIN], CLINICIAN, "show"),
    ("an unknown modality, restricting", [rule("deny", modalities=["CT"])], [replace(PLAIN, modalities=())], CLINICIAN, "deny"),
    ("an unknown modality, allowing", [rule("show", modalities=["CT"]), rule("deny")], [replace(PLAIN, modalities=())], CLINICIAN, "deny"),
    ("all conditions", [rule("deny", modalities=["MR"], archives=["brannoc"])], [PLAIN], CLINICIAN, "show"),
    ("old enough", [OLD], [replace(PLAIN, date="2025-05-20")], CLINICIAN, "hide-details"),
    ("a day too young", [OLD], [replace(PLAIN, date="2025-05-21")], CLINICIAN, "show"),
    ("a year that may be old enough", [OLD], [replace(PLAIN, date="2025")], CLINICIAN, "hide-details"),
    ("a month that may be old enough", [OLD], [replace(PLAIN, date="2025-05")], CLINICIAN, "hide-details"),
    ("a month that cannot", [OLD], [replace(PLAIN, date="2025-06")], CLINICIAN, "show"),
    ("December of the year before", [rule("show", older_than_days=141), rule("deny")], [replace(PLAIN, date="2025-12")], CLINICIAN, "deny"),
    ("December, surely older", [rule("show", older_than_days=140), rule("deny")], [replace(PLAIN, date="2025-12")], CLINICIAN, "show"),
    ("an unknown date, restricting", [OLD], [replace(PLAIN, date=None)], CLINICIAN, "hide-details"),
    ("a date that is none, restricting", [OLD], [replace(PLAIN, date="2025-02-31")], CLINICIAN, "hide-details"),
    ("an unknown date, allowing", [rule("show", older_than_days=365), rule("deny")], [replace(PLAIN, date=None)], CLINICIAN, "deny"),
    ("new enough", [NEW], [replace(PLAIN, date="2026-04-22")], CLINICIAN, "break-glass"),
    ("a day too old", [NEW], [replace(PLAIN, date="2026-04-21")], CLINICIAN, "show"),
    ("an unknown date is new as well", [NEW], [replace(PLAIN, date=None)], CLINICIAN, "break-glass"),
    ("in the future", [NEW], [replace(PLAIN, date="2027-01-01")], CLINICIAN, "break-glass"),
    ("a label that only the chart gives", [DENY_PSY], [PLAIN, replace(CHART, confidentiality=("PSY",))], CLINICIAN, "deny"),
    ("the strictest of two archives", [rule("deny", archives=["brannoc"])], [PLAIN, replace(PLAIN, source="brannoc", archive="brannoc")], CLINICIAN, "deny"),
    ("a remembered label", [DENY_PSY], [PLAIN, replace(CHART, source="ehr:n/labels", confidentiality=("PSY",))], CLINICIAN, "deny"),
    ("a remembered label has no other vote", [rule("show", archives=["kestrel"]), rule("deny")], [PLAIN, replace(CHART, source="ehr:n/labels")], CLINICIAN, "show"),
    ("a show for one archive is none for the other", [rule("show", archives=["kestrel"]), DENY_PSY], [PLAIN, replace(PSY, source="b", archive="b")], CLINICIAN, "deny"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "records", "roles", "effect"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(rules: list[PolicyRule], records: list[StudyRecord], roles: frozenset[Role], effect: str) -> None:
    assert effect_of(rules, records, roles, TODAY) == effect


some = st.lists(st.sampled_from(["PSY", "HIV", "R", "V"]), max_size=2, unique=True).map(tuple)
kinds = st.lists(st.sampled_from(["MR", "CT", "XC"]), max_size=2, unique=True).map(tuple)
places = st.sampled_from(["kestrel", "brannoc", "ehr:n"])
records = st.lists(
    st.builds(
        lambda place, modalities, labels, day: StudyRecord("1", place, place, place, modalities=modalities, confidentiality=labels, date=day),
        places, kinds, some, st.none() | st.sampled_from(["2026-05-20", "2026-05", "2025", "2001-01-01", "nonsense"]),
    ), min_size=1, max_size=4,
)  # fmt: skip
rules = st.lists(
    st.builds(
        lambda archives, modalities, labels, older, newer, effect: PolicyRule(
            archives=archives, modalities=modalities, confidentiality=labels, older_than_days=older, newer_than_days=newer, effect=effect.value
        ),
        st.lists(places, max_size=1).map(tuple), kinds, some, st.none() | st.integers(0, 900), st.none() | st.integers(1, 900), st.sampled_from(Effect),
    ), max_size=4,
)  # fmt: skip


@given(rules, records, st.randoms())
def test_the_order_of_sources_decides_nothing(policy: list[PolicyRule], told: list[StudyRecord], chance: random.Random) -> None:
    mixed = chance.sample(told, len(told))
    assert effect_of(policy, told, CLINICIAN, TODAY) is effect_of(policy, mixed, CLINICIAN, TODAY)


restricting = rules.map(lambda policy: [one for one in policy if one.effect != "show"])


@given(restricting, records)
def test_a_study_is_hidden_at_every_source_once_one_makes_it_so(policy: list[PolicyRule], told: list[StudyRecord]) -> None:
    """With rules that only restrict: whatever any source alone would hide stays hidden when others speak too."""
    dated = [replace(record, date=record.date if record.date not in (None, "nonsense") else "2026-05-20", modalities=record.modalities or ("OT",)) for record in told]
    together = effect_of(policy, dated, CLINICIAN, TODAY)
    if together is Effect.SHOW:
        assert {effect_of(policy, [record], CLINICIAN, TODAY) for record in dated} == {Effect.SHOW}
    assert RANK[Effect.SHOW] < RANK[Effect.BREAK_GLASS] < RANK[Effect.HIDE_DETAILS] < RANK[Effect.DENY]
