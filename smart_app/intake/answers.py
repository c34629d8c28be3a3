"""What the child says, checked value by value: a file that has taken it over may say anything. Nothing here trusts a type, a length or a name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from typing import Any

from smart_app.archives.dicom_json import is_uid, printable
from smart_app.archives.types import PatientId, Said
from smart_app.intake.reasons import REASONS
from smart_app.intake.types import Header, Kind

LINE_BYTES = 262_144
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
FAULT = re.compile(r"[a-z-]{1,20}")
TEXTS = ("accession", "study_date", "study_time", "modality", "study_description", "series_description", "body_part", "institution")


class Nonsense(ValueError):
    """The child does not keep to its part."""


@dataclass(frozen=True)
class Verdict:
    number: int
    member: str
    kind: Kind
    reason: str
    size: int
    header: Header | None
    decodes: bool | None
    made: str
    """Name of a file in the workspace; empty: the received file itself."""


@dataclass(frozen=True)
class Begun:
    number: int
    member: str


@dataclass(frozen=True)
class Ended:
    bytes: int
    files: int
    is_worn: bool
    """It wants to be replaced."""


@dataclass(frozen=True)
class NoRoom:
    """It could not write: our fault, not the file's."""

    error: int


@dataclass(frozen=True)
class OutOfMemory:
    """It ends by itself: a fresh child may have the memory that this one has not."""


@dataclass(frozen=True)
class Fences:
    standing: tuple[str, ...]


def parsed(line: bytes, prefix: str) -> Verdict | Begun | Ended | Fences | NoRoom | OutOfMemory:
    """:raises Nonsense:"""
    try:
        said = json.loads(line)
        if not isinstance(said, dict):
            raise Nonsense("no object")
        if "fences" in said:
            return Fences(tuple(_text(one) for one in _list(said["fences"], 8)))
        if "end" in said:
            return Ended(_number(said["bytes"]), _number(said["files"], least=-1), said["tired"] is True)
        if "no_room" in said:
            return NoRoom(_number(said["no_room"]))
        if "out_of_memory" in said:
            return OutOfMemory()
        if "at" in said:
            return Begun(_number(said["at"]), _text(said["member"]))
        return _verdict(said, prefix)
    except Nonsense:
        raise
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Nonsense("cannot be read") from error


def _verdict(said: dict[str, Any], prefix: str) -> Verdict:
    kind, reason, made = Kind(said["kind"]), _text(said["reason"]), said.get("made") or ""
    if reason and reason not in REASONS:
        raise Nonsense("no such reason")
    if (kind in (Kind.REFUSED, Kind.SKIPPED)) != bool(reason) and kind is not Kind.DICOMDIR:
        raise Nonsense("a refusal without a reason, or the reverse")
    if made and kind not in (Kind.DICOM, Kind.PHOTO, Kind.PDF):
        raise Nonsense("a file without an object")
    if made and not (isinstance(made, str) and re.fullmatch(re.escape(prefix) + r"-\d{1,6}(\.dcm)?", made)):
        raise Nonsense("no file of ours")
    decodes = said.get("decodes")
    if decodes not in (None, True, False):
        raise Nonsense("neither yes nor no")
    told = said.get("header")
    if kind is not Kind.REFUSED and (kind in (Kind.DICOM, Kind.PHOTO, Kind.PDF)) != (told is not None):
        raise Nonsense("a header too many or too few")
    return Verdict(_number(said["number"]), _text(said["member"]), kind, reason, _number(said["size"]), None if told is None else _header(told), decodes, made)


def _header(told: Any) -> Header:
    if not isinstance(told, dict) or set(told) != {field.name for field in fields(Header)}:
        raise Nonsense("no header")
    uids = {name: told[name] for name in ("study", "series", "instance", "sop_class", "transfer_syntax")}
    if not all(is_uid(uid) for uid in uids.values()):
        raise Nonsense("no UID")
    said = told["said"]
    born = _text(said["birth_date"] or "")
    if born and not ISO_DAY.fullmatch(born):
        raise Nonsense("no date")
    burned_in = told["burned_in"]
    if burned_in not in (None, True, False):
        raise Nonsense("neither yes nor no")
    faults = tuple(_text(fault) for fault in _list(told["faults"], 32))
    if not all(FAULT.fullmatch(fault) for fault in faults):
        raise Nonsense("no fault of ours")
    position = _floats(told["position"] or [], 3)
    return Header(
        **uids,
        said=Said(_text(said["name"] or "") or None, born or None, _text(said["sex"] or "") or None),
        patient_id=_identifier(told["patient_id"]) if told["patient_id"] is not None else None,
        other_ids=tuple(_identifier(one) for one in _list(told["other_ids"], 32)),
        **{name: _text(told[name]) for name in TEXTS},
        series_number=_maybe(told["series_number"]), instance_number=_maybe(told["instance_number"]),
        frames=_number(told["frames"], least=1), rows=_maybe(told["rows"]), columns=_maybe(told["columns"]),
        slice_thickness=None if told["slice_thickness"] is None else _float(told["slice_thickness"]),
        position=(position[0], position[1], position[2]) if len(position) == 3 else None,
        orientation=_floats(told["orientation"], 6), burned_in=burned_in, faults=faults,
    )  # fmt: skip


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 65_536:
        raise Nonsense("no text")
    return printable(value)


def _list(value: Any, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise Nonsense("no list")
    return value


def _number(value: Any, least: int = 0) -> int:
    if type(value) is not int or not least <= value < 1 << 62:
        raise Nonsense("no number")
    return value


def _maybe(value: Any) -> int | None:
    return None if value is None else _number(value, least=-(1 << 40))


def _float(value: Any) -> float:
    if type(value) not in (int, float) or value != value or abs(value) > 1e9:
        raise Nonsense("no number")
    return float(value)


def _floats(value: Any, most: int) -> tuple[float, ...]:
    return tuple(_float(one) for one in _list(value, most))


def _identifier(value: Any) -> PatientId:
    return PatientId(_text(value["value"]), _text(value["issuer"]))
