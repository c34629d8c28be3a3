"""The last resort: who at an archive has this family name and birth date? Records, never studies of this patient.

One page only, and only of an archive where it is switched on: it reads strangers' rows, of which nothing is kept but
what is needed to ask a person.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from smart_app.archives.dicom_json import Row, is_uid
from smart_app.archives.qido import STUDY_FIELDS, Qido
from smart_app.archives.records import WILDCARDS, said_in, usable
from smart_app.archives.registry import ConfiguredArchive, LaunchToken
from smart_app.archives.types import PatientId, Said

ROWS = 100


@dataclass(frozen=True)
class FoundRecord:
    """One patient record of an archive, as its rows tell it."""

    patient_id: PatientId
    said: Said
    years: tuple[str, ...]
    """One a study, unsorted."""


@dataclass(frozen=True)
class FoundRecords:
    records: tuple[FoundRecord, ...]
    more_exist: bool


def by_demographics(qido: Qido, archive: ConfiguredArchive, family: str, birth_date: str, launch: LaunchToken | None, deadline: float) -> FoundRecords:
    """Records whose name begins with `family` and whose birth date is this day (ISO).

    :raises OutboundError, LaunchError: the archive did not give a list.
    """
    name = "".join(letter for letter in family if letter not in WILDCARDS and letter not in "^=" and letter.isprintable()).strip()
    if len(name) < 2 or len(birth_date) != 10:
        return FoundRecords((), False)
    params = [
        ("PatientName", f"{name}*"), ("PatientBirthDate", birth_date.replace("-", "")), ("fuzzymatching", "true"), *(("includefield", tag) for tag in STUDY_FIELDS),
        ("limit", str(ROWS)), ("offset", "0"),
    ]  # fmt: skip
    rows, partial = qido.page(archive, f"{archive.qido_base}/studies?{urlencode(params)}", launch, time.monotonic() + min(deadline, archive.limits.search))
    found: dict[tuple[PatientId, Said], dict[str, str]] = {}
    for dataset in rows:
        row = Row(dataset) if isinstance(dataset, Mapping) else None
        _, uid = row.exact("0020000D") if row else (False, None)
        readable, value = row.exact("00100020") if row else (False, None)
        if row is None or not uid or not is_uid(uid) or not readable or not value or not usable(value):
            continue
        issuer_readable, issuer = row.exact("00100021")
        if issuer_readable:
            found.setdefault((PatientId(value, issuer or archive.issuer), said_in(row)), {})[uid] = (row.date("00080020") or "")[:4]
    records = tuple(FoundRecord(identifier, said, tuple(studies.values())) for (identifier, said), studies in found.items())
    return FoundRecords(records, partial or len(rows) >= ROWS)
