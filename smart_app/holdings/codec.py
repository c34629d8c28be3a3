"""Answers, studies and patient facts <-> bytes for sealing, by their own types. Exact: what is read back equals what was saved."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from smart_app.archives.types import Answer, StudyRecord
from smart_app.fhir.patient import PatientFacts

_ANSWER, _STUDY, _PATIENT = TypeAdapter(Answer), TypeAdapter(StudyRecord), TypeAdapter(PatientFacts)


def dump(value: Answer | StudyRecord | PatientFacts) -> bytes:
    return to_json(value)


def patient_from(data: bytes) -> PatientFacts:
    return _PATIENT.validate_json(data)


def answer_from(data: bytes) -> Answer:
    return _ANSWER.validate_json(data)


def study_from(raw: Any) -> StudyRecord:
    """From an object already parsed from JSON."""
    return _STUDY.validate_python(raw)
