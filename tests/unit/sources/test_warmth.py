"""Only whom the list will ask is connected to, and nothing is asked yet."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from smart_app.archives.registry import Archives
from smart_app.config_archives import Archive
from smart_app.fhir.patient import Identifier, PatientFacts
from smart_app.sources.warmth import AT_ONCE, Warmth


class Lines:
    def __init__(self) -> None:
        self.warmed: list[tuple[str, str, int]] = []

    def warm(self, lane: str, url: str, count: int = 1) -> None:
        self.warmed.append((lane, url, count))


def test_an_archive_without_an_identifier_is_left_alone() -> None:
    archives = Archives(
        [Archive(key=key, name=key, dicomweb=f"https://{key}.org/rs", patient_id_issuer=key, identifier_systems=(f"urn:{key}",)) for key in "ab"],
        read_secret=str,
    )
    lines: Any = Lines()
    facts = PatientFacts("p1", "LI", "Li", "", None, None, (Identifier("urn:b", "7"),))
    launch: Any = SimpleNamespace(issuer_key="n")
    Warmth(lines, {"n": "https://ehr.org/fhir", "m": "https://other.org/fhir"}, archives)(launch, facts)
    assert lines.warmed == [("ehr:n", "https://ehr.org/fhir", AT_ONCE), ("archive:b", "https://b.org/rs", AT_ONCE)]
