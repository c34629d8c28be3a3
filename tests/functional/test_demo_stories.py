"""Every patient of the demo world, through the whole product: each sees exactly their own studies, and the strip is honest."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sandbox.world import ARCHIVES, EXCHANGES, PATIENTS, STUDIES
from tests.town import Jar, Town, events

OWNERS = {study.uid: study.patient for study in STUDIES}
SYSTEMS = {archive.key: archive.identifier_system for archive in (*ARCHIVES, *EXCHANGES)}


def listed(town: Town, patient: str, user: str = "dr-halloran", jar: Jar | None = None) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """(rows by Study Instance UID, the last strip)."""
    jar = jar or Jar()
    handle = jar.launch(town, patient, user)
    stream = events(jar.get(f"{town.plan.app}/l/{handle}/studies/stream"))
    assert stream[-1][0] == "done"
    rows: dict[str, dict[str, Any]] = {}
    for data in (data for name, data in stream if name == "rows"):
        rows |= {row["uid"]: row for row in data["rows"]}
        for uid in data.get("gone", ()):
            del rows[uid]
    return rows, [data for name, data in stream if name == "strip"][-1]


@pytest.mark.parametrize("patient", [patient.id for patient in PATIENTS])
def test_each_patient_sees_their_own_studies_and_nobody_elses(town: Town, patient: str) -> None:
    rows, _ = listed(town, patient)
    assert {OWNERS.get(uid, patient) for uid in rows} <= {patient}
    known = next(one for one in PATIENTS if one.id == patient).identifiers
    reachable = {
        study.uid for study in STUDIES if study.patient == patient and not study.security and any(SYSTEMS[archive] in known for archive in study.archives)
    }
    copies = {uid for row in rows.values() for uid in re.findall(r'data-copy="([0-9.]+)"', row["html"])}
    assert {OWNERS[uid] for uid in copies} <= {patient}
    assert reachable <= set(rows) | copies, "a study that an archive holds under the chart's own identifier must be listed"


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


def test_the_namesakes_of_one_patient_wait_for_a_person(town: Town) -> None:
    """One found by a patient index, with day and month swapped; one found by name and birth date."""
    rows, strip = listed(town, "fernandes")
    assert {OWNERS[uid] for uid in rows} == {"fernandes"}
    assert len(rows) == 1
    assert (strip["tone"], strip["none_found"]) == ("ask", False)
    assert "2 to confirm" in strip["html"]
    assert "Kestrel Cancer Centre may hold 1 more study" in strip["notes_html"]
    assert "St Brannoc may hold 1 more study" in strip["notes_html"]
    assert "portable" not in strip["notes_html"]
def test_what_is_restricted_is_counted_and_shown_to_reviewers_alone(town: Town) -> None:
    secret = next(study for study in STUDIES if study.security)
    rows, strip = listed(town, secret.patient)
    assert secret.uid not in rows
    assert "1 study is restricted here" in strip["notes_html"]
    assert not strip["none_found"]
    rows, strip = listed(town, secret.patient, "rev-okafor")
    assert secret.uid in rows
    assert "restricted here" not in strip["notes_html"]


KNOWN = {
    "marchetti": ("CT perfusion, head", "Named in the transfer letter; no source that answered has it."),
    "adeyemi-holt": ("CT-guided biopsy, right lung", "Kestrel Cancer Centre, which answered and does not list it."),
    "hathersage": ("CT temporal bones", "Named in an order marked done; no source that answered has it."),
}


@pytest.mark.parametrize("patient", KNOWN)
def test_what_the_chart_speaks_of_and_nobody_holds_can_be_asked_for(town: Town, patient: str) -> None:
    jar = Jar()
    rows, strip = listed(town, patient, jar=jar)
    title, sentence = KNOWN[patient]
    (row,) = [one for one in rows.values() if title in one["html"] and 'data-kind="known"' in one["html"]]
    assert strip["tone"] == "all"
    assert sentence in row["html"]
    path = re.search(r'href="(/l/[^/]+/request\?of=[0-9a-f]{32})"', row["html"])
    assert path
    sheet = jar.get(town.plan.app + path[1])
    assert sheet.status == 200
    assert title in sheet.text


def test_what_may_be_at_a_place_that_was_not_asked_is_not_said_to_be_missing(town: Town) -> None:
    rows, _ = listed(town, "grunwald")
    (row,) = [one for one in rows.values() if "CT angiogram, aorta" in one["html"]]
    assert "Known, not found yet" in row["html"]
    assert "Kestrel Cancer Centre was not asked." in row["html"]
    assert row["hospitals"] == ["Harrow Vale Clinic"]


def test_a_copy_sent_under_a_new_number_is_one_row(town: Town) -> None:
    rows, _ = listed(town, "adeyemi-holt")
    low_dose = [one["html"] for one in rows.values() if "CT chest, low dose" in one["html"]]
    assert len(low_dose) == 1
    assert "The same study as at St Brannoc District, sent under a new number." in low_dose[0]


def test_missing_thin_slices_are_named(town: Town) -> None:
    rows, _ = listed(town, "parekh")
    (row,) = [one["html"] for one in rows.values() if "CT chest, aorta and grafts" in one["html"]]
    assert "Series 4, Lung 1.0 mm: not here." in row
    assert "Thin slices (1 mm) are missing." in row


def test_open_orders_are_not_missing_and_every_report_finds_its_study(town: Town) -> None:
    rows, _ = listed(town, "marchetti")
    kinds = sorted(kind for one in rows.values() for kind in re.findall(r'data-kind="([a-z]+)"', one["html"]) if kind != "study")
    assert kinds == ["known", "ordered"], "the transfer letter's study, and the open order; every other piece of evidence is of a listed study"
