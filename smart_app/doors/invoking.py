"""Reads IHE Invoke Image Display (RAD-106, table 4.106.4.1.2): what another system wants shown. It says nothing of who asks.

Names count without their case; of each there is one. What is not of the table is ignored, as the profile wants it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from smart_app.archives.dicom_json import is_uid
from smart_app.doors.wishes import MAX_STUDIES, Wish

MAX_VALUE = 2048
_NAMES = {name.lower(): name for name in ("requestType", "studyUID", "accessionNumber", "patientID", "lowerDateTime", "upperDateTime", "mostRecentResults", "modalitiesInStudy")}
_MODALITY = re.compile(r"[A-Z][A-Z0-9]{0,15}")
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(?:[T ]?[0-9:.+\-Z]{0,24})?")
_NUMBER = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,62}[!-\[\]-~])?")
"""An accession or patient number: printable ASCII without a backslash, at most 64 characters."""


class Unusable(Exception):
    """The request breaks the profile. The message is a sentence for a person, and repeats nothing of the request."""


def invoked(pairs: Iterable[tuple[str, str]]) -> Wish:
    """:raises Unusable: what is wrong, in words."""
    given: dict[str, str] = {}
    for name, value in pairs:
        known = _NAMES.get(name.lower())
        if known is None:
            continue
        if known in given:
            raise Unusable(f"{known} is given twice.")
        if len(value) > MAX_VALUE or not value.isprintable():
            raise Unusable(f"{known} cannot be read.")
        given[known] = value.strip()
    kind = given.get("requestType", "").upper()
    if kind == "STUDY":
        return _study(given)
    if kind == "PATIENT":
        return _patient(given)
    raise Unusable("requestType has to be STUDY or PATIENT.")


def _study(given: dict[str, str]) -> Wish:
    uids, accession = given.get("studyUID", ""), given.get("accessionNumber", "")
    if bool(uids) == bool(accession):
        raise Unusable("A study is named by either studyUID or accessionNumber, and by one of them only.")
    if accession:
        if not _NUMBER.fullmatch(accession):
            raise Unusable("accessionNumber cannot be read.")
        return Wish(accession=accession)
    studies = tuple(dict.fromkeys(one.strip() for one in uids.split(",")))
    if len(studies) > MAX_STUDIES or not all(is_uid(one) for one in studies):
        raise Unusable("studyUID is not a list of Study Instance UIDs.")
    return Wish(studies=studies)


def _patient(given: dict[str, str]) -> Wish:
    number, _, rest = given.get("patientID", "").partition("^")
    components = rest.split("^")
    if not _NUMBER.fullmatch(number):
        raise Unusable("patientID is missing or cannot be read.")
    authority = components[2] if len(components) > 2 else ""
    since, until = _day(given, "lowerDateTime"), _day(given, "upperDateTime")
    if since and until and since > until:
        raise Unusable("lowerDateTime is later than upperDateTime.")
    return Wish(
        patient=number, authority=authority, modalities=_modalities(given.get("modalitiesInStudy", "")), since=since, until=until, newest=_newest(given)
    )


def _modalities(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(one.strip().upper() for one in text.split(",") if one.strip()))
    if len(found) > 40 or not all(_MODALITY.fullmatch(one) for one in found):
        raise Unusable("modalitiesInStudy is not a list of modalities.")
    return found


def _day(given: dict[str, str], name: str) -> str:
    text = given.get(name, "")
    if not text:
        return ""
    match = _DAY.fullmatch(text)
    try:
        return date(*(int(part) for part in match.groups())).isoformat() if match else _refuse(name)
    except ValueError:
        return _refuse(name)


def _refuse(name: str) -> str:
    raise Unusable(f"{name} is not a date.")


def _newest(given: dict[str, str]) -> int:
    text = given.get("mostRecentResults", "")
    if not text:
        return 0
    if not (text.isascii() and text.isdecimal() and int(text[:6]) > 0 and len(text) <= 6):
        raise Unusable("mostRecentResults is not a number of studies.")
    return int(text)
