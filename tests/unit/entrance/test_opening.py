"""A launch opens only with its own patient's record in hand, and only if that is written down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from launch.context import LaunchContext, User
from launch.errors import EhrFaulty, EhrMisconfigured, EhrSilent, LaunchError, SessionEnded, SignInRefused
from smart_app.audit.events import Event, Who
from smart_app.entrance.opening import Opening
from smart_app.errors import AppError, Fault, Side, TimedOut, Unreachable
from smart_app.fhir.client import FhirFailed, FhirMissing, FhirRefused
from smart_app.fhir.patient import PatientFacts

NOW = datetime(2026, 5, 21, 10, tzinfo=UTC)
WHO = Who("default", "n", "dr", "Dr", "", "127.0.0.1", "PR-1")


def context(patient: str | None = "p1") -> LaunchContext:
    return LaunchContext(
        "h" * 43, "n", "https://ehr.example.org/fhir", User("n", "dr"), patient, None, frozenset(), NOW, NOW + timedelta(hours=1)
    )


def facts(identity: str = "p1") -> PatientFacts:
    return PatientFacts(identity, "DOE, A", "DOE", "A", "1990-01-01", "Female")


class Kept:
    """Stands for holdings and audit; remembers the order of what it was told."""

    def __init__(self, *, audit_fails: bool = False) -> None:
        self.told: list[object] = []
        self._audit_fails = audit_fails

    def save_patient(self, handle: str, patient: PatientFacts) -> None:
        self.told.append((handle, patient.id))

    def record(self, event: Event) -> str:
        if self._audit_fails:
            raise AppError(Fault("audit", Side.US, "", "", True, 503))
        self.told.append(event)
        return "1"


def opening(kept: Kept, answer: PatientFacts | Exception) -> Opening:
    def read(_: LaunchContext) -> PatientFacts:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return Opening(read, kept, kept)  # type: ignore[arg-type]


def test_a_chart_launch_holds_the_patient_then_records_and_goes_to_the_list() -> None:
    kept = Kept()
    assert opening(kept, facts()).open(context(), WHO) == f"/l/{'h' * 43}/studies"
    assert kept.told[0] == ("h" * 43, "p1")
    assert type(kept.told[1]).__name__ == "LaunchOpened"
    assert kept.told[1].patient == "p1"  # type: ignore[attr-defined]


def test_staff_without_a_chart_go_home_and_no_patient_is_read() -> None:
    kept = Kept()
    assert opening(kept, AssertionError("no patient may be read")).open(context(None), WHO).endswith("/home")
    assert len(kept.told) == 1


@pytest.mark.parametrize(
    ("trouble", "becomes"),
    [
        (FhirRefused(), SignInRefused),
        (FhirMissing(), SignInRefused),
        (TimedOut(), EhrSilent),
        (Unreachable(), EhrSilent),
        (FhirFailed(500), EhrFaulty),
        (SessionEnded(), SessionEnded),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_a_patient_that_cannot_be_read_opens_nothing(trouble: Exception, becomes: type[LaunchError]) -> None:
    kept = Kept()
    with pytest.raises(becomes) as caught:
        opening(kept, trouble).open(context(), WHO)
    assert caught.type is becomes, "a fault at once is not told as a silence of ten seconds"
    assert kept.told == []


def test_another_patient_than_the_launchs_opens_nothing() -> None:
    kept = Kept()
    with pytest.raises(EhrMisconfigured):
        opening(kept, facts("p2")).open(context(), WHO)
    assert kept.told == []


def test_what_cannot_be_audited_does_not_open() -> None:
    with pytest.raises(AppError):
        opening(Kept(audit_fails=True), facts()).open(context(), WHO)
