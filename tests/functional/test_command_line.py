"""`priors` as a script drives it: check, audit, worker, db; what each prints and how it exits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.town import Jar, Town


def priors(town: Town, *arguments: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PRIORS_CONFIG": str(config or town.plan.path("priors.yaml"))}
    return subprocess.run(
        [sys.executable, "-m", "smart_app.cli", *arguments], env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(scope="module")
def seen_patient(town: Town) -> str:
    jar = Jar()
    handle = jar.launch(town, "hathersage")
    assert jar.get(f"{town.plan.app}/l/{handle}/studies/stream").status == 200
    return "hathersage"


def test_check_says_that_all_is_well_and_what_to_enter_at_the_ehr(town: Town) -> None:
    done = priors(town, "check")
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (f"{town.plan.app}/launch", f"{town.plan.app}/cb/northgate", f"{town.plan.app}/jwks.json", "patient/ImagingStudy.rs"):
        assert words in done.stdout


def test_check_as_json(town: Town) -> None:
    report = json.loads(priors(town, "check", "--json").stdout)
    assert report["ok"] is True
    assert {line["key"] for line in report["archives"]} == {"northgate", "kestrel", "stbrannoc"}
    assert report["ehrs"][0]["supports"], "what the EHR supports is said"
    assert {(line["key"], line["ok"]) for line in report["exchanges"]} == {("larkmoor", True), ("dunmere", True)}


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda town: town.archive_faults["kestrel"].add("search-studies", "status", status=500), "fault"),
        (lambda town: town.archive_faults["kestrel"].add("search-studies", "status", status=401), "refused"),
        (lambda town: town.archive_faults["larkmoor"].add("token", "status", status=401), "gave us no token"),
        (lambda town: town.archive_faults["dunmere"].add("*", "status", status=500), "not FHIR"),
        (lambda town: town.ehr_faults.add("smart-configuration", "status", status=500), "answered with a fault"),
    ],
    ids=["archive fault", "archive refuses", "exchange credential", "exchange fault", "ehr discovery"],
)
def test_check_exits_1_and_says_what_to_do_when_something_does_not_answer(town: Town, break_it, words: str) -> None:
    break_it(town)
    done = priors(town, "check")
    assert done.returncode == 1, done.stdout
    assert words in done.stdout
    assert "What to do:" in done.stdout


def test_check_exits_2_on_a_wrong_configuration_and_names_the_line(town: Town, tmp_path: Path) -> None:
    content = yaml.safe_load(town.plan.path("priors.yaml").read_text())
    content["ehrs"][0]["isuer"] = content["ehrs"][0].pop("issuer")
    wrong = tmp_path / "priors.yaml"
    wrong.write_text(yaml.safe_dump(content, sort_keys=False))
    done = priors(town, "check", config=wrong)
    assert done.returncode == 2
    assert "isuer" in done.stderr
    assert "line " in done.stderr
    assert json.loads(priors(town, "check", "--json", config=wrong).stdout)["ok"] is False


def test_audit_says_who_saw_what(town: Town, seen_patient: str) -> None:
    rows = json.loads(priors(town, "audit", "--patient", seen_patient, "--json").stdout)
    assert {"LaunchOpened", "SourceAnswered"} <= {row["event"] for row in rows}
    assert all(row["patient"] == seen_patient for row in rows)
    table = priors(town, "audit", "--patient", seen_patient).stdout
    assert "Halloran" in table
    assert "AuditRead" in table, "the first reading was itself recorded"


def test_audit_verifies_itself(town: Town, seen_patient: str) -> None:
    done = priors(town, "audit", "--verify", "--json")
    assert done.returncode == 0, done.stdout
    assert json.loads(done.stdout)["records"] > 0


def test_worker_forgets_what_is_over_and_stops(town: Town) -> None:
    assert priors(town, "worker", "--once").returncode == 0


def test_db_upgrade_can_be_repeated(town: Town) -> None:
    assert "version 0008" in priors(town, "db", "upgrade").stdout


def test_a_reader_who_has_seen_enough_is_no_fault(town: Town, seen_patient: str) -> None:
    told = subprocess.run(
        f"{sys.executable} -m smart_app.cli audit --patient {seen_patient} | head -1",
        shell=True, env={**os.environ, "PRIORS_CONFIG": str(town.plan.path("priors.yaml"))}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert len(told.stdout.splitlines()) == 1
    assert told.stderr == ""
