"""The namesake of the demo: records elsewhere that may be Maria Isabel Fernandes's, and may not. Data only.

Her chart holds a Northgate number alone. Kestrel's patient index knows a Maria Fernandes with day and month swapped;
St Brannoc has a Maria Isabella of the same birthday.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.model import DemoSeries as Series
from sandbox.model import DemoStudy as Study


@dataclass(frozen=True)
class Lookalike:
    """One record at one archive. `name` as DICOM writes it, `birth_date` ISO."""

    archive: str
    patient_id: str
    name: str
    birth_date: str
    sex: str
    telephone: str = ""


AT_KESTREL = Lookalike("kestrel", "KC-61188", "FERNANDES^MARIA", "1983-04-07", "female", "000 000")
AT_ST_BRANNOC = Lookalike("stbrannoc", "SB-211802", "FERNANDES^MARIA ISABELLA", "1983-07-04", "female")
LOOKALIKES = (AT_KESTREL, AT_ST_BRANNOC)

STUDIES = (
    Study("fernandes-cxr", "fernandes", ("northgate",), 1, "0915", "DX", "Chest, 2 views", "CHEST", "NG26-0520-031", (
        Series(1, "DX", "Chest PA", "cxr_synthetic", options={"view": "PA"}),
    ), report="final", conclusion="Lungs clear. Heart of normal size."),
    Study("lookalike-kestrel", "fernandes", ("kestrel",), 420, "1105", "DX", "Chest, 1 view", "CHEST", "KC-2025-0331", (
        Series(1, "DX", "Chest AP", "cxr_synthetic", options={"view": "AP"}),
    ), in_chart=False, other_patient_id=AT_KESTREL.patient_id, as_name=AT_KESTREL.name, as_birth_date=AT_KESTREL.birth_date),
    Study("lookalike-stbrannoc", "fernandes", ("stbrannoc",), 803, "1620", "DX", "Chest, 1 view, portable", "CHEST", "SB-24-30117", (
        Series(1, "DX", "Chest AP portable", "cxr_synthetic", options={"view": "AP"}),
    ), in_chart=False, other_patient_id=AT_ST_BRANNOC.patient_id, as_name=AT_ST_BRANNOC.name, as_birth_date=AT_ST_BRANNOC.birth_date),
)  # fmt: skip
