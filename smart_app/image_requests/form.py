"""The request form: what stands in it at first, and what a person sent with it. Pure; parsed here and trusted inside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from smart_app.image_requests.types import Anchor, Basis, Urgency, Wanted

PATIENT, OTHER = "patient", "other"
"""In place of a facility's id: the patient or family; a hospital that is not in the directory."""
REGIONS = ("Head", "Neck", "Chest", "Heart", "Breast", "Abdomen", "Pelvis", "Spine", "Arm", "Leg", "Whole body")
MODALITIES = ("CT", "MR", "XR", "US", "MG", "NM", "PT", "XA", "RF", "OT")
MOST_ASKED = 8
HOW_LONG = {Urgency.EMERGENCY: timedelta(minutes=45)}
END_OF_DAY = 17
Choice = TypeVar("Choice", Urgency, Basis)
_CASE = re.compile(r"CS-[2-9A-Z]{8}")
_CODE = re.compile(r"[A-Z0-9]{2,16}")


@dataclass(frozen=True)
class Appointment:
    """Something planned that a request may hang on."""

    reference: str
    title: str
    starts_at: datetime

    def anchor(self, hours: int = 2) -> Anchor:
        return Anchor(self.reference, self.title, self.starts_at, hours)


@dataclass(frozen=True)
class Prefill:
    """What is known before a person has touched the form."""

    heading: str
    source: str
    """Where it comes from, a sentence."""
    title: str = ""
    modality: str = ""
    region: str = ""
    date_from: str = ""
    date_to: str = ""
    accession: str = ""
    study_uid: str = ""
    missing: str = ""
    hospital: str = ""
    """As the chart names it."""
    urgency: Urgency = Urgency.ROUTINE
    thin: bool = False
    """Thin slices are known to be missing, or the study is a CT: ask for them, since without them CT is done again."""
    why: str = "Needed for treatment: comparison with earlier imaging"
    about: str = ""
    """The row's uid."""
    kind: str = "other"
    anchor: str = ""
    """Reference of the appointment that it hangs on, unless a person says otherwise."""


@dataclass(frozen=True)
class Wish:
    """What a person sent."""

    to: tuple[str, ...]
    wanted: Wanted
    hospital: str = ""
    urgency: Urgency = Urgency.ROUTINE
    why: str = ""
    basis: Basis = Basis.TREATMENT
    needed_by: datetime | None = None
    anchor: Anchor | None = None
    case: str = ""
    send: bool = True
    problems: Mapping[str, str] = field(default_factory=dict)
    """By field, what is wrong with it. With one, nothing may be made of this wish."""


def window(iso: str) -> tuple[str, str]:
    """The days that a date, possibly shortened, may mean: `2025-02` is all of February; empty when it is no date."""
    try:
        if len(iso) == 4:
            return f"{date(int(iso), 1, 1)}", f"{date(int(iso), 12, 31)}"
        if len(iso) == 7:
            first = date.fromisoformat(f"{iso}-01")
            return f"{first}", f"{(first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)}"
        return (f"{date.fromisoformat(iso)}", "") if iso else ("", "")
    except ValueError:
        return "", ""


def needed_by(urgency: Urgency, now: datetime) -> datetime | None:
    """When something so urgent is needed, unless a person says otherwise."""
    if (span := HOW_LONG.get(urgency)) is not None:
        later = now + span
        return later + timedelta(minutes=-later.minute % 5, seconds=-later.second, microseconds=-later.microsecond)
    if urgency is Urgency.TODAY:
        evening = now.astimezone().replace(hour=END_OF_DAY, minute=0, second=0, microsecond=0)
        return evening if evening > now else evening.replace(hour=23, minute=59)
    return None


def parsed(given: Mapping[str, str], to: Sequence[str], filled: Prefill, planned: Sequence[Appointment]) -> Wish:
    """What a person sent, with what is wrong with it. What identifies the study comes from `filled`, never from the form."""
    problems: dict[str, str] = {}
    text = {name: " ".join(given.get(name, "").split()) for name in ("title", "accession", "hospital", "why", "modality", "region")}
    asked = tuple(dict.fromkeys(one for one in to if one))
    if not asked:
        problems["to"] = "Choose at least one place to ask."
    if len(asked) > MOST_ASKED:
        problems["to"] = f"Not more than {MOST_ASKED} can be asked at once."
    if OTHER in asked and not text["hospital"]:
        problems["to"] = "Write the name of the hospital."
    if not text["title"]:
        problems["title"] = "Say what is wanted."
    start, end = _day(given.get("date_from", ""), "date_from", problems), _day(given.get("date_to", ""), "date_to", problems)
    if start and end and end < start:
        problems["date_to"] = "The last day is before the first."
    modality = text["modality"].upper()
    if modality and not _CODE.fullmatch(modality):
        problems["modality"] = "That is no modality."
    urgency = _member(Urgency, given.get("urgency", ""), Urgency.ROUTINE)
    anchor = next((one.anchor() for one in planned if one.reference == given.get("anchor")), None)
    if given.get("anchor") and anchor is None:
        problems["anchor"] = "That appointment is no longer in the chart. Choose again."
    wanted = Wanted(
        title=text["title"][:300], modality=modality, region=text["region"][:60], date_from=start, date_to=end, accession=text["accession"][:64],
        study_uid=filled.study_uid, missing=filled.missing, report="report" in given, thin="thin" in given, others="others" in given,
    )  # fmt: skip
    return Wish(
        to=asked, wanted=wanted, hospital=text["hospital"][:200], urgency=urgency, why=text["why"][:300], basis=_member(Basis, given.get("basis", ""), Basis.TREATMENT),
        needed_by=anchor.needed_by if anchor else _moment(given.get("needed_by", ""), problems), anchor=anchor,
        case=given["case"] if _CASE.fullmatch(given.get("case", "")) else "", send=given.get("do") != "save", problems=problems,
    )  # fmt: skip


def _day(text: str, name: str, problems: dict[str, str]) -> str:
    if not text.strip():
        return ""
    try:
        return date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        problems[name] = "That is no date."
        return ""


def _moment(text: str, problems: dict[str, str]) -> datetime | None:
    """As the browser's own field gives it: the site's time, without a zone."""
    if not text.strip():
        return None
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        problems["needed_by"] = "That is no date and time."
        return None
    return found.astimezone()


def _member(kind: type[Choice], text: str, otherwise: Choice) -> Choice:
    return kind(text) if text in {one.value for one in kind} else otherwise
