"""The work list as a CSV file for a spreadsheet. No cell is ever a formula: what a hospital or a sender wrote stays text. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from smart_app.image_requests import words
from smart_app.image_requests.types import ImageRequest

HEAD = ("Request", "State", "Needed by", "Urgency", "Patient", "Birth date", "MRN", "Wanted", "Accession", "For", "From", "Route", "Owner", "Asked by", "Asked at",
        "Last change", "Last event", "Reminders")  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula (OWASP, "CSV injection"); the wide forms are folded to these by some."""


def as_csv(requests: Iterable[ImageRequest], missing: int = 0) -> str:
    """With a byte order mark, so that spreadsheets read it as UTF-8. A file that does not hold all says so in its last line."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(HEAD)
    for one in requests:
        writer.writerow([harmless(cell) for cell in _cells(one)])
    if missing:
        writer.writerow([f"INCOMPLETE: {missing} request{' more is' if missing == 1 else 's more are'} not in this file"])
    return "\ufeff" + out.getvalue()


def harmless(cell: str) -> str:
    """An apostrophe makes text of what would begin a formula, also behind blanks; line ends become blanks."""
    plain = " ".join(cell.replace("\0", " ").splitlines())
    return f"'{plain}" if cell.startswith(FORMULA) or plain.lstrip(" \u00a0\ufeff\u200b'\"").startswith(FORMULA) else plain


def _cells(one: ImageRequest) -> tuple[str, ...]:
    asked, patient = one.asked, one.asked.patient
    return (
        one.id, words.STATES[one.state], _moment(asked.needed_by), asked.urgency.value, patient.name, patient.birth_date or "", patient.mrn or "", words.title(one),
        asked.wanted.accession, asked.anchor.title if asked.anchor else asked.why, words.whom(one), words.ROUTES[asked.route.kind], one.owner, one.asked_by,
        _moment(one.created_at), _moment(one.updated_at), one.last, str(one.reminded),
    )  # fmt: skip


def _moment(at: datetime | None) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at is not None else ""
