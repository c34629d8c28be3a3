"""Questions beside the list: what earns 'the chart names none', how a failure reads, and how few studies are asked again."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from launch.errors import SessionEnded
from smart_app.archives.registry import Archives
from smart_app.archives.types import Answer, SeriesRecord, SourceState
from smart_app.errors import Cut, NotApproved, TimedOut, TooLarge
from smart_app.fhir.client import FhirFailed, FhirRefused
from smart_app.sources.base import Inquiry, Named
from smart_app.sources.chart_evidence import SIDES, charts_read
from smart_app.sources.failing import code_of, state_of_failure
from smart_app.sources.series_lists import MOST_STUDIES, SeriesLists

CHART = Named("ehr:n", "Chart", "Northgate")


def side(word: str, state: SourceState = SourceState.EMPTY) -> Answer:
    return Answer(f"ehr:n/{word}", "Chart", "Northgate", state)


def whole(answer: Answer) -> bool:
    return answer.state.answered_in_full


@pytest.mark.parametrize("lost", [None, *SIDES])
def test_a_chart_is_read_when_all_that_could_speak_answered(lost: str | None) -> None:
    answers = [side(word) for word in SIDES if word != lost]
    assert charts_read([CHART, Named("kestrel", "K", "K")], answers, whole) is (lost is None)
    assert charts_read([CHART], [*answers, *([side(lost, SourceState.REFUSED)] if lost else [])], whole) is (lost is None)


def test_without_a_chart_nothing_of_it_is_unread() -> None:
    assert charts_read([Named("kestrel", "K", "K")], [], whole) is True


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (FhirRefused(), SourceState.REFUSED), (TimedOut(), SourceState.TIMEOUT), (TooLarge(), SourceState.TOO_LARGE), (NotApproved(), SourceState.NOT_APPROVED),
        (FhirFailed(500), SourceState.FAILED), (SessionEnded(), SourceState.FAILED), (ValueError(), SourceState.FAILED),
    ],
)  # fmt: skip
def test_failures_as_states(error: Exception, state: SourceState) -> None:
    assert state_of_failure(error) is state
    assert code_of(error)


def test_a_few_studies_are_asked_for_their_series_and_one_that_fails_costs_only_itself() -> None:
    asked: list[str] = []

    def series(archive: Any, uid: str, launch: Any, deadline: float) -> tuple[SeriesRecord, ...]:
        asked.append(uid)
        if uid == "2.25.1":
            raise Cut
        return (SeriesRecord("2.25.99", uid),)

    archives = SimpleNamespace(by_key=lambda key: SimpleNamespace(key=key, name=key, organization=key) if key != "gone" else None)
    lists = SeriesLists(cast(Archives, archives), cast(Any, SimpleNamespace(series=series)), lambda: datetime.now(UTC))
    inquiry = cast(Inquiry, SimpleNamespace(launch=None))
    wanted = [("a", f"2.25.{n}") for n in range(5)] + [("b", f"2.25.{n}") for n in range(20)]
    questions = list(lists.questions(inquiry, wanted))
    assert [question.source for question in questions] == ["a/series", "b/series"]
    answers = [question.call(5) for question in questions]
    assert len(asked) == MOST_STUDIES
    assert [one.study_uid for one in answers[0].series] == ["2.25.0", "2.25.2", "2.25.3", "2.25.4"]
    assert list(lists.questions(inquiry, [("gone", "2.25.1")])) == []
