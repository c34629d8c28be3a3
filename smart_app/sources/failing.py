"""How a failure of an EHR reads in the strip: its state, and the code of what happened."""

from __future__ import annotations

from launch.errors import LaunchError
from smart_app.archives.types import SourceState
from smart_app.errors import AppError, NotApproved, TimedOut, TooLarge
from smart_app.fhir.client import FhirRefused


def state_of_failure(error: Exception) -> SourceState:
    if isinstance(error, FhirRefused):
        return SourceState.REFUSED
    if isinstance(error, TimedOut):
        return SourceState.TIMEOUT
    if isinstance(error, TooLarge):
        return SourceState.TOO_LARGE
    return SourceState.NOT_APPROVED if isinstance(error, NotApproved) else SourceState.FAILED


def code_of(error: Exception) -> str:
    if isinstance(error, AppError):
        return error.fault.code
    return error.code if isinstance(error, LaunchError) else "unexpected"
