"""Answers, studies and patient facts <-> bytes for sealing. Exact: what is read back equals what was saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from smart_app.archives.types import Answer, PatientId, ReportRecord, SourceState, StudyRecord
from smart_app.fhir.patient import Identifier, PatientFacts


def dump(value: Any) -> bytes:
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")).encode()


def patient_from(data: bytes) -> PatientFacts:
    raw = json.loads(data)
    identifiers = tuple(Identifier(**{**one, "type_codes": tuple(one["type_codes"])}) for one in raw.pop("identifiers"))
    return PatientFacts(**raw, identifiers=identifiers)


def answer_from(data: bytes) -> Answer:
    raw = json.loads(data)
    reports = raw.pop("reports")
    return Answer(
        **_tuples(
            raw
            | {
                "state": SourceState(raw["state"]),
                "studies": tuple(study_from(one) for one in raw["studies"]),
                "asked_at": _moment(raw["asked_at"]),
                "answered_at": _moment(raw["answered_at"]),
                "reports": None if reports is None else tuple(ReportRecord(**_tuples(one)) for one in reports),
            }
        )
    )


def study_from(raw: Mapping[str, Any]) -> StudyRecord:
    return StudyRecord(
        **_tuples(
            dict(raw)
            | {
                "patient_id": PatientId(**raw["patient_id"]) if raw["patient_id"] else None,
                "claimed_ids": tuple(PatientId(**one) for one in raw["claimed_ids"]),
            }
        )
    )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return value


def _tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}


def _moment(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None
