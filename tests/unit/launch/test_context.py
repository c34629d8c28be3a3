"""What the granted scopes let us read, in both generations of the syntax."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from launch.context import LaunchContext, User

NOW = datetime(2026, 5, 21, tzinfo=UTC)


def granted(*scopes: str) -> LaunchContext:
    return LaunchContext("h", "n", "https://x", User("n", "u"), "p", None, frozenset(scopes), NOW, NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    "scope",
    ["patient/ImagingStudy.rs", "patient/ImagingStudy.s", "patient/ImagingStudy.read", "patient/ImagingStudy.*", "patient/*.rs",
     "user/ImagingStudy.r", "user/*.read", "patient/ImagingStudy.rs?status=available", "patient/*.cruds"],
)  # fmt: skip
def test_scopes_that_allow_reading(scope: str) -> None:
    assert granted("openid", scope).allows("ImagingStudy")


@pytest.mark.parametrize(
    "scope",
    ["patient/ImagingStudy.write", "patient/ImagingStudy.cud", "patient/Patient.rs", "system/ImagingStudy.rs", "launch/patient", "openid",
     "patient/ImagingStudy", "patient/ImagingStudy.sr", "patient/ImagingStudyX.rs"],
)  # fmt: skip
def test_scopes_that_do_not(scope: str) -> None:
    assert not granted(scope).allows("ImagingStudy")
