"""Who and what the demo world holds: hospitals, patients and their stories. Studies are in `catalogue`.

Every name, identifier and date is made up. Dates are relative to the day the demo starts, so that "today" stays today.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from sandbox.catalogue import STUDIES
from sandbox.model import DemoArchive, DemoPatient, DemoSeries, DemoStudy, stable_uid

__all__ = [
    "ARCHIVES", "EXCHANGES", "HARROW_VALE", "PATIENTS", "STUDIES", "DemoArchive", "DemoPatient", "DemoSeries", "DemoStudy",
    "archive", "patient", "patient_id", "resolve_dates", "stable_uid", "studies_of",
]  # fmt: skip

NORTHGATE_MRN = "https://fhir.northgate.example/mrn"
KESTREL_ID = "https://ids.kestrel.example/patient"
STBRANNOC_ID = "https://ids.stbrannoc.example/hospital-number"
HARROW_VALE = "https://images.harrowvale.example/dicom-web"
"""An Endpoint that the chart names and that no configuration holds: 'not approved'."""
LARKMOOR_ID = "https://ids.larkmoor.example/person"
DUNMERE_ID = "https://ids.dunmere.example/person"

ARCHIVES: tuple[DemoArchive, ...] = (
    DemoArchive("northgate", "Northgate", "Northgate University", "NORTHGATE", NORTHGATE_MRN, local=True),
    DemoArchive("kestrel", "Kestrel Cancer Centre", "Kestrel Cancer Centre", "KESTREL", KESTREL_ID),
    DemoArchive("stbrannoc", "St Brannoc", "St Brannoc District", "STBRANNOC", STBRANNOC_ID, writes_issuer=False),
)

EXCHANGES: tuple[DemoArchive, ...] = (
    DemoArchive("larkmoor", "Larkmoor exchange", "Larkmoor General", "LARKMOOR", LARKMOOR_ID),
    DemoArchive("dunmere", "Dunmere documents", "Dunmere Infirmary", "DUNMERE", DUNMERE_ID),
)
"""Not asked over DICOMweb: the first answers FHIR searches for studies, the second holds documents that list them."""


def _ids(northgate: str | None = None, kestrel: str | None = None, stbrannoc: str | None = None, larkmoor: str | None = None, dunmere: str | None = None) -> dict[str, str]:
    pairs = ((NORTHGATE_MRN, northgate), (KESTREL_ID, kestrel), (STBRANNOC_ID, stbrannoc), (LARKMOOR_ID, larkmoor), (DUNMERE_ID, dunmere))
    return {system: value for system, value in pairs if value}


PATIENTS: tuple[DemoPatient, ...] = (
    DemoPatient(
        "marchetti", "MARCHETTI, Rosalind Jane",
        "Stroke transfer: CT head and CTA sent ahead by St Brannoc today, MRI brain four months ago",
        "1951-08-09", "female", _ids("40771953", "KC-20931", "SB-118204"), "Emergency, bay 4",
        (("49436004", "Atrial fibrillation"), ("38341003", "Hypertension"), ("18347007", "Lumbar stenosis")),
        "Iodinated contrast: rash, 2009",
    ),
    DemoPatient(
        "adeyemi-holt", "ADEYEMI-HOLT, Tobias",
        "Oncology: a lung nodule followed at three hospitals; his Northgate number is another person's at St Brannoc",
        "1968-11-22", "male", _ids("40305118", "KC-10442", "SB-204417"), "Oncology clinic",
        (("254637007", "Non-small cell lung cancer, right upper lobe"), ("13645005", "Chronic obstructive lung disease")),
    ),
    DemoPatient(
        "parekh", "PAREKH, Sunita",
        "Before heart surgery tomorrow: echo loop, coronary angiogram, chest film, ECG",
        "1965-02-17", "female", _ids("40391207", "KC-31877", "SB-150077"), "Ward 7, bed 12",
        (("53741008", "Coronary arteriosclerosis, three vessels"), ("44054006", "Type 2 diabetes")), "Penicillin: anaphylaxis",
    ),
    DemoPatient(
        "grunwald", "GRUNWALD, Otto",
        "Before heart surgery, at risk: the echo is only at Harrow Vale, which is not set up; odd chart records",
        "1947-12-03", "male", _ids("40220871", None, "SB-099310"), "Ward 7, bed 3",
        (("60573004", "Aortic valve stenosis"),),
    ),
    DemoPatient(
        "lindgren-vasquez", "LINDGREN-VASQUEZ, Elio",
        "Burn: photographs from the burns line beside a film; the chart holds no Kestrel number",
        "1989-06-14", "male", _ids("40508660", None, "SB-230981"), "Burns unit, room 2",
        (("105594003", "Partial thickness burn of forearm"),),
    ),
    DemoPatient(
        "hathersage", "HATHERSAGE, Imogen",
        "Allergy clinic: the sinus CT exists, but only St Brannoc's archive knows it",
        "1996-01-30", "female", _ids("40619344", "KC-40210", "SB-177052", dunmere="DM-3310"), "Allergy clinic",
        (("40055000", "Chronic sinusitis"), ("195967001", "Asthma")), "Aspirin: bronchospasm",
    ),
    DemoPatient(
        "oyelaran-femi", "OYELARAN, Femi",
        "Near-namesake, born 3 Feb 1990: mind which Femi",
        "1990-02-03", "male", _ids("40552260", "KC-28764", "SB-190455", larkmoor="LM-7731"), "Hepatology clinic",
        (("235856003", "Disorder of liver"),),
    ),
    DemoPatient(
        "oyelaran-femi-ade", "OYELARAN, Femi Ade",
        "Near-namesake, born 8 Feb 1990: mind which Femi",
        "1990-02-08", "male", _ids("40552206", "KC-28746", "SB-190545"), "Orthopaedic clinic",
        (("239720000", "Tear of meniscus of knee"),),
    ),
    DemoPatient(
        "penhaligon", "PENHALIGON, Morwenna",
        "Her St Brannoc number is Tobias Adeyemi-Holt's Northgate number: same digits, two people",
        "1974-04-05", "female", _ids("40612277", "KC-33019", "40305118", larkmoor="LM-2208", dunmere="DM-8052"), "Respiratory clinic",
        (("195967001", "Asthma"),),
    ),
    DemoPatient(
        "nakamura", "NAKAMURA, Ken",
        "Names in Japanese and Chinese character sets, an unknown modality, a study without a date",
        "1956-09-28", "male", _ids("40870016", "KC-52200", "SB-201133"), "Vascular clinic",
        (("64586002", "Carotid artery stenosis, right"),),
        native_names={
            "iso2022": "Nakamura^Ken=中村^健=なかむら^けん",
            "utf8": "Nakamura^Ken=中村^健=なかむら^けん",
            "gb18030": "Nakamura^Ken=中村^健",
        },
    ),
    DemoPatient(
        "okonkwo-reyes", "OKONKWO-REYES, Marisol",
        "One of each: every image encoding, and documents that cannot be drawn",
        "1982-07-19", "female", _ids("40444901", "KC-44012", "SB-166120"), "Day unit",
        (("161891005", "Backache"),),
    ),
    DemoPatient(
        "fernandes", "FERNANDES, Maria Isabel",
        "Namesake: two records elsewhere may be hers; they stay hidden until somebody compares them",
        "1983-07-04", "female", _ids("40118027"), "Medical ward 3",
        (("233604007", "Pneumonia"),),
    ),
    DemoPatient(
        "thornbury", "THORNBURY, Edith",
        "Nothing at all: every source answers, none holds a study",
        "1938-10-11", "female", _ids("40101010", "KC-00017", "SB-100001"), "Pre-assessment clinic",
        (("396275006", "Osteoarthritis"),),
    ),
)  # fmt: skip

_ARCHIVES = {one.key: one for one in (*ARCHIVES, *EXCHANGES)}
_PATIENTS = {one.id: one for one in PATIENTS}
_PLACEHOLDER = re.compile(r"\{\{today(?:([+-])(\d+)d)?\}\}")


def archive(key: str) -> DemoArchive:
    return _ARCHIVES[key]


def patient(patient_id: str) -> DemoPatient:
    return _PATIENTS[patient_id]


def patient_id(study: DemoStudy, archive_key: str) -> str:
    """The Patient ID that this study's objects carry in that archive."""
    return study.other_patient_id or _PATIENTS[study.patient].identifiers[_ARCHIVES[archive_key].identifier_system]


def studies_of(patient: str, archive_key: str | None = None) -> tuple[DemoStudy, ...]:
    """A patient's studies, all of them or those that one archive holds."""
    return tuple(one for one in STUDIES if one.patient == patient and (archive_key is None or archive_key in one.archives))


def resolve_dates(text: str, today: date) -> str:
    """Replace `{{today}}`, `{{today-4d}}`, `{{today+1d}}` by ISO dates. Used on fixture files as they are loaded."""

    def put(match: re.Match[str]) -> str:
        days = int(match[2] or 0) * (-1 if match[1] == "-" else 1)
        return (today + timedelta(days=days)).isoformat()

    return _PLACEHOLDER.sub(put, text)
