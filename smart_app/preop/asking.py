"""A request for imaging that a case lacks, filled in: what is wanted, by when, and what it hangs on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from smart_app.image_requests.form import MODALITIES, REGIONS, Appointment, Prefill
from smart_app.image_requests.types import Urgency
from smart_app.preop.rules import Want
from smart_app.preop.types import Case
from smart_app.studies.request_sheet import prefill_of as of_row
from smart_app.studies.rows import StudyRow

SOON = timedelta(hours=24)
SHOWN_AS = {"CR": "XR", "DX": "XR", "DR": "XR"}


def prefill_of(case: Case, want: Want, row: StudyRow | None, planned: Sequence[Appointment], now: datetime) -> Prefill:
    """From the row that is known and not here, where there is one; else by the kind that is wanted. It hangs on the case's appointment if the chart names it."""
    anchor = case.reference if any(one.reference == case.reference for one in planned) else ""
    urgency = Urgency.TODAY if case.starts_at is not None and case.starts_at - now < SOON else Urgency.ROUTINE
    why = f"Needed before surgery: {case.title}"[:300]
    if row is not None:
        return replace(of_row(row), urgency=urgency, why=why, anchor=anchor)
    kind = want.kind
    modality = next((SHOWN_AS.get(one, one) for one in kind.modalities if SHOWN_AS.get(one, one) in MODALITIES), "")
    return Prefill(
        heading=f"Request: {kind.title}", source="Filled in from the surgical list.", title=kind.title, modality=modality,
        region=next((one for one in kind.regions if one in REGIONS), ""), date_from=_months_before(now, want.months), urgency=urgency, why=why, anchor=anchor, kind="wanted",
    )  # fmt: skip


def _months_before(now: datetime, months: int) -> str:
    return (now.astimezone().date() - timedelta(days=round(months * 30.4))).isoformat()
