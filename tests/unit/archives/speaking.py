"""A scripted archive with the ways of a product: what it caps, ignores, refuses and leaves out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.unit.archives.scripted import DICOM_JSON, Asked, Say

UID = "1.2.826.0.1.77"
PATIENT = "K-77"


@dataclass(frozen=True)
class Ways:
    """How it departs from the standard; the defaults do not."""

    server: str = "test"
    default: int = 100
    cap: int | None = None
    """Pages are cut to this size, without a word."""
    refuses_above: int | None = None
    """A limit above this is a 400."""
    ignores_offset: bool = False
    ignores_limit: bool = False
    nothing: str = "204"
    fields: str = "any"
    """`any`, `all` (only includefield=all) or `none`."""
    accepts: str = DICOM_JSON
    warns: bool = False
    """Warning on a page that is followed by another."""
    any_syntax: bool = True
    rendered: bool = True
    thumbnail: bool = True
    charset: str = "utf-8"
    retrieve: str | None = None
    omits: tuple[str, ...] = ()
    max_url: int = 100_000


def speaking(ways: Ways, held: int) -> Callable[[Asked], Say]:
    """An archive that holds `held` studies of one patient, each of one series with two images."""

    def answer(asked: Asked) -> Say:
        if asked.path.endswith("/studies"):
            if asked.one("StudyInstanceUID"):
                return listed(asked, [row(0)])
            return listed(asked, [row(number) for number in range(held)] if asked.one("PatientID") == PATIENT else [])
        if asked.path.endswith("/instances"):
            return listed(asked, [{"0020000E": one("UI", f"{UID}.0.1"), "00080018": one("UI", f"{UID}.0.1.{at}")} for at in (1, 2)])
        return image(asked)

    def listed(asked: Asked, rows: list[Any]) -> Say:
        head = {"Server": ways.server}
        limit = ways.default if ways.ignores_limit else int(asked.one("limit") or ways.default)
        length = len(asked.path) + sum(len(name) + len(value) + 2 for name, values in asked.query.items() for value in values)
        fields = asked.query.get("includefield", [])
        wrong_fields = (ways.fields == "none" and fields) or (ways.fields == "all" and fields not in ([], ["all"]))
        if asked.headers["accept"] != ways.accepts:
            return Say(406, b"", head)
        if wrong_fields or (ways.refuses_above and limit > ways.refuses_above) or length > ways.max_url:
            return Say(400, b"", head)
        offset = 0 if ways.ignores_offset else int(asked.one("offset") or 0)
        page = rows[offset : offset + min(limit, ways.cap or limit)]
        if not page:
            return Say(204, b"", head) if ways.nothing == "204" else Say(200, b"[]", head | {"Content-Type": ways.accepts})
        if ways.warns and offset + len(page) < len(rows):
            head = head | {"Warning": '299 test "There are additional results that can be requested"'}
        return Say(200, json.dumps(page, ensure_ascii=False).encode(ways.charset), head | {"Content-Type": ways.accepts})

    def image(asked: Asked) -> Say:
        last = asked.path.rsplit("/", 1)[1]
        if last in ("rendered", "thumbnail"):
            return Say(200, b"\xff\xd8\xff\xd9", {"Content-Type": "image/jpeg"}) if getattr(ways, last) else Say(404)
        if "transfer-syntax=*" in asked.headers["accept"] and not ways.any_syntax:
            return Say(406)
        return Say(200, b"--b--", {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'})

    def row(number: int) -> dict[str, Any]:
        found = {
            "0020000D": one("UI", f"{UID}.{number}"), "00100020": one("LO", PATIENT), "00080020": one("DA", "20260112"),
            "00080061": one("CS", "CT"), "00081030": one("LO", "Schädel"), "00201206": one("IS", 1), "00201208": one("IS", 2),
        }  # fmt: skip
        if ways.retrieve:
            found["00081190"] = one("UR", f"{ways.retrieve}/studies/{UID}.{number}")
        lacks = {"modalities": ["00080061"], "counts": ["00201206", "00201208"]}
        for word in ways.omits:
            for tag in lacks[word]:
                del found[tag]
        return found

    return answer


def one(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}
