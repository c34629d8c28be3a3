"""The demo world tells the stories it promises, and the chart on disk is the world's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fhirclient.models.fhirabstractbase import FHIRValidationError
from fhirclient.models.fhirelementfactory import FHIRElementFactory

from sandbox import fixtures, world
from sandbox.recipes.book import RECIPES
from sandbox.recipes.syntaxes import SYNTAXES

FOLDER = Path(__file__).resolve().parents[3] / "fhir_fixtures"
ODD_ON_PURPOSE = {"grunwald-ct", "grunwald-odd"}


def _resources() -> Iterator[dict[str, Any]]:
    for path in sorted(FOLDER.glob("*/*.json")):
        if path.parent.name in ("smart_configuration", "archives"):
            continue
        text = world.resolve_dates(path.read_text(encoding="utf-8"), date(2026, 5, 21))
        content = json.loads(text.replace("{{dicomweb:", "https://").replace("}}", ".example/dicom-web"))
        yield from (one["resource"] for one in content["entry"]) if content["resourceType"] == "Bundle" else (content,)


def test_every_uid_is_one_study_s_alone() -> None:
    uids = [study.uid for study in world.STUDIES] + [study.series_uid(one) for study in world.STUDIES for one in study.series]
    assert [uid for uid, count in Counter(uids).items() if count > 1] == []
    assert all(len(uid) <= 64 and uid.startswith("2.25.") for uid in uids)


def test_every_series_has_a_recipe_and_a_syntax() -> None:
    for study in world.STUDIES:
        for series in study.series:
            assert series.recipe in RECIPES
            assert series.syntax in SYNTAXES
            assert 1 <= series.small <= series.images


def test_one_number_belongs_to_two_people_at_two_hospitals() -> None:
    holders = [(one.id, system) for one in world.PATIENTS for system, value in one.identifiers.items() if value == "40305118"]
    assert sorted(holders) == [("adeyemi-holt", world.NORTHGATE_MRN), ("penhaligon", world.STBRANNOC_ID)]
    assert world.studies_of("penhaligon", "stbrannoc")
    assert world.studies_of("adeyemi-holt", "northgate")


def test_no_two_patients_share_an_identifier_within_one_system() -> None:
    pairs = Counter(pair for one in world.PATIENTS for pair in one.identifiers.items())
    assert max(pairs.values()) == 1


def test_the_world_holds_each_case_the_list_must_survive() -> None:
    by_key = {study.key: study for study in world.STUDIES}
    assert by_key["holt-ct-nov"].archives == ("northgate", "kestrel")
    assert {study.chart_shape for study in world.STUDIES} >= {"codeable-modality", "contained-endpoint", "no-started", "unreadable"}
    assert any(study.days_ago is None for study in world.STUDIES)
    assert {study.charset for study in world.STUDIES} >= {"utf8", "iso2022", "gb18030", "latin1"}
    assert any(study.archives and not study.in_chart for study in world.STUDIES)
    assert any(study.endpoint == "harrowvale" for study in world.STUDIES)
    assert not world.studies_of("thornbury")
    assert len(world.patient("thornbury").identifiers) == len(world.ARCHIVES)
    assert any(len(one.identifiers) < len(world.ARCHIVES) for one in world.PATIENTS)
    assert max(series.images for study in world.STUDIES for series in study.series) >= 300
    assert {series.syntax for study in world.STUDIES for series in study.series} == set(SYNTAXES)


def test_every_archived_study_has_a_number_of_its_patient_there() -> None:
    for study in world.STUDIES:
        for key in study.archives:
            assert world.patient_id(study, key)


@pytest.mark.parametrize(
    ("text", "resolved"),
    [("{{today}}", "2026-03-01"), ("{{today-1d}}", "2026-02-28"), ("a{{today+31d}}T", "a2026-04-01T"), ("{{today-x}}", "{{today-x}}")],
)
def test_dates_resolve(text: str, resolved: str) -> None:
    assert world.resolve_dates(text, date(2026, 3, 1)) == resolved


def test_the_files_are_what_the_world_writes(tmp_path: Path) -> None:
    written = {path.relative_to(tmp_path).as_posix(): path.read_text(encoding="utf-8") for path in fixtures.write(tmp_path)}
    held = {name: (FOLDER / name).read_text(encoding="utf-8") for name in written if (FOLDER / name).is_file()}
    assert held == written, "run `python -m sandbox.fixtures` and commit the result"


def test_everything_but_the_odd_ones_reads_as_r4() -> None:
    refused = set()
    for resource in _resources():
        try:
            FHIRElementFactory.instantiate(resource["resourceType"], resource)
        except FHIRValidationError:
            refused.add(resource["id"])
    assert refused == ODD_ON_PURPOSE


def test_references_of_the_chart_lead_somewhere() -> None:
    resources = list(_resources())
    known = {f"{one['resourceType']}/{one['id']}" for one in resources} | {"Practitioner/dr-halloran"}
    missing = {reference for one in resources for reference in _references(one) if not reference.startswith("#")} - known
    assert missing == set()


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for part in value.values():
            yield from _references(part)
    elif isinstance(value, list):
        for part in value:
            yield from _references(part)
