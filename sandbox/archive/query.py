"""QIDO-RS (PS3.18 10.6): matching and the rows that answer. Pure: index in, JSON rows out."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from sandbox.archive.index import INSTANCE_TAGS, SERIES_TAGS, STUDY_TAGS, Instance

NOT_KEYS = ("limit", "offset", "includefield", "fuzzymatching", "emptyvaluematching", "multiplevaluematching")
Row = dict[str, Any]


def keyword(name: str) -> str | None:
    """`PatientID` for `PatientID`, `00100020` or a dotted path's last step; None: not an attribute."""
    last = name.split(".")[-1]
    if re.fullmatch(r"[0-9A-Fa-f]{8}", last):
        return keyword_for_tag(Tag(int(last, 16))) or None
    return last if tag_for_keyword(last) is not None else None


def search(
    instances: Iterable[Instance], level: str, filters: Sequence[tuple[str, str]], *, base: str, retrieve_ae: str = "DEMO"
) -> list[Row]:
    """Rows at `level` (studies, series, instances) that match every filter, newest study first."""
    groups: dict[tuple[str, ...], list[Instance]] = {}
    for one in instances:
        key = {"studies": (one.study,), "series": (one.study, one.series), "instances": (one.study, one.series, one.uid)}[level]
        groups.setdefault(key, []).append(one)
    rows = []
    for members in groups.values():
        facts = _facts(members)
        if all(_matches(facts, name, value) for name, value in filters):
            rows.append((facts, _row(facts, level, base, retrieve_ae)))
    rows.sort(key=lambda pair: _order(pair[0], level))
    return [row for _, row in rows]


def _order(facts: Dataset, level: str) -> tuple[Any, ...]:
    day = "".join(chr(255 - ord(c)) for c in f"{facts.get('StudyDate') or '0'}{facts.get('StudyTime') or '0'}")
    return (
        day,
        facts.StudyInstanceUID,
        int(facts.get("SeriesNumber") or 0),
        facts.SeriesInstanceUID,
        int(facts.get("InstanceNumber") or 0),
    )


def _facts(members: Sequence[Instance]) -> Dataset:
    facts = Dataset()
    facts.update(members[0].header)
    facts.ModalitiesInStudy = sorted({str(one.header.get("Modality", "OT")) for one in members})
    facts.NumberOfStudyRelatedSeries = len({one.series for one in members})
    facts.NumberOfStudyRelatedInstances = facts.NumberOfSeriesRelatedInstances = len(members)
    facts.AvailableTransferSyntaxUID = sorted({one.syntax for one in members})
    return facts


def _matches(facts: Dataset, name: str, wanted: str) -> bool:
    word = keyword(name)
    if word is None or wanted == "":
        return True
    held = facts.get(word)
    values = [] if held is None else [str(v) for v in held] if isinstance(held, (list, tuple)) or _many(held) else [str(held)]
    kind = dictionary_VR(word)
    if kind == "UI":
        return any(value in re.split(r"[,\\]", wanted) for value in values)
    if kind in ("DA", "TM") and "-" in wanted:
        low, _, high = wanted.partition("-")
        return any(value and (not low or value >= low) and (not high or value <= high) for value in values)
    if kind == "PN":
        return any(_like(part.lower(), wanted.lower()) for value in values for part in (value, *value.split("=")))
    return any(_like(value, wanted) for value in values)


def _many(held: object) -> bool:
    return type(held).__name__ == "MultiValue"


def _like(value: str, pattern: str) -> bool:
    if "*" not in pattern and "?" not in pattern:
        return value.strip() == pattern.strip()
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))


def _row(facts: Dataset, level: str, base: str, retrieve_ae: str) -> Row:
    tags = list(STUDY_TAGS)
    url = f"{base}/studies/{facts.StudyInstanceUID}"
    extra = ["ModalitiesInStudy", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances"]
    if level != "studies":
        tags += SERIES_TAGS
        extra = ["NumberOfSeriesRelatedInstances"]
        url += f"/series/{facts.SeriesInstanceUID}"
    if level == "instances":
        tags += INSTANCE_TAGS
        extra = ["AvailableTransferSyntaxUID"]
        url += f"/instances/{facts.SOPInstanceUID}"
    out = Dataset()
    for word in (*dict.fromkeys(tags), *extra):
        if word in facts:
            out[word] = facts[word]
    out.RetrieveAETitle, out.InstanceAvailability = retrieve_ae, "ONLINE"
    out.add(DataElement(0x00081190, "UR", url))
    # the rows are UTF-8 whatever the objects are in (PS3.18 F.2.2)
    if "SpecificCharacterSet" in out:
        out.SpecificCharacterSet = "ISO_IR 192"
    return out.to_json_dict(suppress_invalid_tags=True)


def page(rows: Sequence[Row], parameters: Mapping[str, str], cap: int | None) -> tuple[list[Row], bool]:
    """The wanted page, and whether more exist because of our own cap."""
    offset = int(parameters.get("offset") or 0)
    limit = int(parameters["limit"]) if parameters.get("limit") else len(rows)
    size = min(limit, cap) if cap else limit
    return list(rows[offset : offset + size]), bool(cap) and limit > size and len(rows) > offset + size
