"""Every patient of the demo world, through the whole product: each sees exactly their own studies, and the strip is honest."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.world import ARCHIVES, EXCHANGES, PATIENTS, STUDIES
from tests.town import Jar, Town, events

OWNERS = {study.uid: study.patient for study in STUDIES}
SYSTEMS = {archive.key: archive.identifier_system for archive in (*ARCHIVES, *EXCHANGES)}


def listed(town: Town, patient: str, user: str = "dr-halloran") -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """(rows by Study Instance UID, the last strip)."""
    jar = Jar()
    handle = jar.launch(town, patient, user)
    stream = events(jar.get(f"{town.plan.app}/l/{handle}/studies/stream"))
    assert stream[-1][0] == "done"
    rows = {row["uid"]: row for name, data in stream if name == "rows" for row in data["rows"]}
    return rows, [data for name, data in stream if name == "strip"][-1]


@pytest.mark.parametrize("patient", [patient.id for patient in PATIENTS])
def test_each_patient_sees_their_own_studies_and_nobody_elses(town: Town, patient: str) -> None:
    rows, _ = listed(town, patient)
    assert {OWNERS.get(uid, patient) for uid in rows} <= {patient}
    known = next(one for one in PATIENTS if one.id == patient).identifiers
    reachable = {
        study.uid for study in STUDIES if study.patient == patient and not study.security and any(SYSTEMS[archive] in known for archive in study.archives)
    }
    assert reachable <= set(rows), "a study that an archive holds under the chart's own identifier must be listed"


def test_the_same_digits_at_two_hospitals_stay_two_people(town: Town) -> None:
    tobias, _ = listed(town, "adeyemi-holt")
    morwenna, _ = listed(town, "penhaligon")
    assert tobias
    assert morwenna
    assert not set(tobias) & set(morwenna)


def test_near_namesakes_share_nothing(town: Town) -> None:
    one, _ = listed(town, "oyelaran-femi")
    other, _ = listed(town, "oyelaran-femi-ade")
    assert one
    assert other
    assert not set(one) & set(other)


def test_nothing_is_said_only_of_the_one_with_nothing(town: Town) -> None:
    said = {patient.id for patient in PATIENTS if listed(town, patient.id)[1]["none_found"]}
    assert said == {"thornbury"}


def test_a_chart_without_a_number_for_an_archive_never_earns_all(town: Town) -> None:
    _, strip = listed(town, "lindgren-vasquez")
    assert "no identifier" in strip["html"]
    assert strip["tone"] == "partial"


def test_what_is_restricted_is_counted_and_shown_to_reviewers_alone(town: Town) -> None:
    secret = next(study for study in STUDIES if study.security)
    rows, strip = listed(town, secret.patient)
    assert secret.uid not in rows
    assert "1 study is restricted here" in strip["notes_html"]
    assert not strip["none_found"]
    rows, strip = listed(town, secret.patient, "rev-okafor")
    assert secret.uid in rows
    assert "restricted here" not in strip["notes_html"]
