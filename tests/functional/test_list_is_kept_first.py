"""What a list tells is kept and recorded first, in one go: neither without the other, and neither after the telling."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smart_app.studies import keeping
from tests.functional.listing_world import SAME_NUMBER, World, once, study, world


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(tmp_path, monkeypatch) as made:
        yield made


def test_what_cannot_be_recorded_is_not_held_either(hospital: World) -> None:
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    with hospital.parts.database.transaction() as session:
        session.connection().exec_driver_sql("DROP TABLE audit_records")
    assert "done" not in [event for event, _ in hospital.stream()]
    assert hospital.parts.holdings.answers(hospital.handle) == ()
    assert hospital.parts.holdings.held(hospital.handle, "northgate", "2.25.1") is None


def test_what_cannot_be_held_is_not_recorded_as_told(hospital: World) -> None:
    with hospital.parts.database.transaction() as session:
        session.connection().exec_driver_sql("DROP TABLE holding_studies")
    hospital.archives["northgate"] = once(study("2.25.1", SAME_NUMBER))
    with pytest.raises(Exception, match="holding_studies"):
        list(hospital.stream())
    assert [record for record in hospital.audited("SourceAnswered") if record["source"] == "northgate"] == []


def test_an_answer_that_is_not_final_counts_as_no_failure() -> None:
    assert keeping.SourceState.ASKING in keeping.NOT_FAILED
    assert keeping.SourceState.TIMEOUT not in keeping.NOT_FAILED
