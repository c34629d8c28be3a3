"""DICOM JSON on its way to the browser: judged instance by instance, its URLs made ours (PS3.18 annex F).

An instance is read, compared, rewritten and written before the next is touched, so that memory stays at the size of
the answer. A bulk-data reference becomes a signed token that only this launch can spend, and only for that instance.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from smart_app.archives.dicom_json import Row, is_uid
from smart_app.archives.types import PatientId, Said
from smart_app.archives.wado import Place
from smart_app.identity.people import contradicts
from smart_app.sealing import Keyring

RETRIEVE_URL = "00081190"
MAX_PATH = 1024
SPACE = " \t\r\n"
DEPTH = 32


class NotMetadata(Exception):
    """The body is no JSON array of data sets."""


@dataclass(frozen=True)
class Named:
    """What one entry says it is. Empty where it says nothing readable."""

    study: str
    series: str
    instance: str
    patient: PatientId | None
    number: int | None
    birth_date: str | None = None
    sex: str | None = None

    def objection(self, place: Place, accepted: tuple[PatientId, ...], expected: tuple[Said, ...] = ()) -> str | None:
        """Why this is not an instance at `place` of the patient known as `accepted`, who is one of `expected`; None when it is."""
        if self.study != place.study:
            return "other study"
        if place.series and self.series != place.series:
            return "other series"
        if place.instance and self.instance != place.instance:
            return "other instance"
        if not is_uid(self.series) or not is_uid(self.instance):
            return "no identity"
        if self.patient is None:
            return "names no patient"
        return contradicts(expected, self.birth_date, self.sex) if self.patient in accepted else "other patient"


def named(entry: Mapping[str, Any], archive_issuer: str) -> Named:
    """An absent issuer is the archive's own."""
    row = Row(entry)
    texts = {tag: row.exact(tag) for tag in ("0020000D", "0020000E", "00080018", "00100020", "00100021")}
    readable, value = texts["00100020"]
    issuer_readable, issuer = texts["00100021"]
    patient = PatientId(value, issuer or archive_issuer) if readable and issuer_readable and value else None
    return Named(
        texts["0020000D"][1] or "", texts["0020000E"][1] or "", texts["00080018"][1] or "", patient, row.count("00200013", "number"),
        row.exact("00100030")[1], row.exact("00100040")[1],
    )  # fmt: skip


def entries(body: bytes) -> Iterator[object]:
    """The elements of a JSON array, decoded one at a time. An empty body is an empty array.

    :raises NotMetadata: anything else, as far in as it goes.
    """
    text = body.decode("utf-8-sig", "replace")
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    at = _skip(text, 0)
    if at == len(text):
        return
    if text[at] != "[":
        raise NotMetadata
    at = _skip(text, at + 1)
    while text[at : at + 1] != "]":
        try:
            entry, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise NotMetadata from None
        yield entry
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise NotMetadata


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in SPACE:
        at += 1
    return at


class BulkTokens:
    """Signs the path of a bulk value for one launch, archive and instance, and takes it back."""

    def __init__(self, keyring: Keyring) -> None:
        self._key = keyring.derive("bulk data references")

    def issue(self, handle: str, archive: str, place: Place, path: str) -> str:
        seal = self._seal(handle, archive, place, path)
        short = path.removeprefix(place.path + "/") if path.startswith(place.path + "/") else path
        return base64.urlsafe_b64encode(seal + short.encode()).decode("ascii").rstrip("=")

    def path(self, handle: str, archive: str, place: Place, token: str) -> str | None:
        """The path, or None for a token that is not ours, or not of this launch and instance."""
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            path = raw[16:].decode()
        except ValueError:
            return None
        path = path if path.startswith("/") else f"{place.path}/{path}"
        return path if hmac.compare_digest(raw[:16], self._seal(handle, archive, place, path)) else None

    def _seal(self, handle: str, archive: str, place: Place, path: str) -> bytes:
        text = "\n".join((handle, archive, place.path, path))
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()[:16]


def local_path(uri: str, wado_base: str, place: Place) -> str | None:
    """The path below `wado_base` that a BulkDataURI of the instance at `place` means; None when it lies elsewhere.

    Some archives name themselves by another host or without their port: where the path is that very instance's own,
    the host does not matter, since only the path is ever used. `place.instance` must be set.
    """
    base = urlsplit(wado_base)
    if not uri.strip():
        return None
    try:
        target = urlsplit(urljoin(f"{wado_base}{place.path}/metadata", uri.strip()))
        same_host = (target.hostname, target.port or None) == (base.hostname, base.port or None)
    except ValueError:
        return None
    path = target.path
    if target.fragment or target.query or "@" in target.netloc or not path.isascii() or not path.isprintable() or len(path) > MAX_PATH:
        return None
    if unquote(path) != path or "//" in path or "\\" in path or any(part in (".", "..") for part in path.split("/")):
        return None
    below = path.removeprefix(base.path)
    own = below != path or not base.path
    if own and below.startswith(f"{place.path}/"):
        return below
    # A reference into another study, series or instance is nothing that this instance may vouch for.
    return below if own and same_host and below.startswith("/") and not below.startswith("/studies/") else None


class Rewriter:
    """Makes the URLs of one entry ours. `base` is the gateway's URL for this launch and archive, without a trailing slash."""

    def __init__(self, tokens: BulkTokens, handle: str, archive: str, wado_base: str, base: str) -> None:
        self._issue: Callable[[Place, str], str] = lambda place, path: tokens.issue(handle, archive, place, path)
        self._wado_base = wado_base
        self._base = base

    def entry(self, entry: dict[str, Any], place: Place) -> None:
        """Change `entry` in place: what it links to is at the gateway, or is not linked."""
        if RETRIEVE_URL in entry:
            entry[RETRIEVE_URL] = {"vr": "UR", "Value": [self._base + place.path]}
        self._dataset(entry, place, 0)

    @staticmethod
    def text(entry: dict[str, Any]) -> bytes:
        return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")

    def _dataset(self, dataset: dict[str, Any], place: Place, depth: int) -> None:
        for tag, element in dataset.items():
            if not isinstance(element, dict):
                continue
            if "BulkDataURI" in element:
                self._bulk(element, place)
            elif element.get("vr") == "SQ":
                for item in element.get("Value") or ():
                    if isinstance(item, dict) and depth < DEPTH:
                        self._dataset(item, place, depth + 1)
            if tag == RETRIEVE_URL and depth:
                # A reference to some other object: its address is the archive's own affair.
                element.pop("Value", None)

    def _bulk(self, element: dict[str, Any], place: Place) -> None:
        uri = element.pop("BulkDataURI")
        path = local_path(uri, self._wado_base, place) if isinstance(uri, str) and place.instance else None
        if path is not None:
            element["BulkDataURI"] = f"{self._base}{place.path}/bulkdata/{self._issue(place, path)}"
