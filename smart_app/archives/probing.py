"""Asks an archive harmless questions and says what dialect it speaks, for `priors check`.

Asked with a patient id that nobody has; with a study given on the command line also about that study alone: whether pages
can be trusted, which forms its images come in. Nothing that is read is kept, and nothing of it but yes and no leaves here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from launch.errors import LaunchError
from smart_app.archives.dialects import DIALECTS, MARKS, Dialect, differences
from smart_app.archives.dicom_json import CHARSET, NotJson, is_uid, parse
from smart_app.archives.qido import STUDY_FIELDS
from smart_app.archives.registry import ConfiguredArchive
from smart_app.errors import OutboundError
from smart_app.outbound import Outbound, Reply

NOBODY = "PRIORS-CHECK-NOBODY"
JSON, PLAIN_JSON = "application/dicom+json", "application/json"
TOO_MANY = 5001
SECONDS = 15.0


@dataclass(frozen=True)
class Probed:
    """What an archive was found to be. `asked_study`: the questions about images were asked too."""

    dialect: str
    facts: Mapping[str, object]
    """Where it differs from that dialect, by the names of `archives[].profile`."""
    differs: Mapping[str, tuple[object, object]]
    """Where it differs from what is configured: name -> (found, configured)."""
    empty_answer: str
    """How it says that there is nothing: `204`, `[]`, or empty where it did not say."""
    asked_study: bool

    @property
    def yaml(self) -> str:
        """The lines to write into the archive's entry."""
        lines = [f"dialect: {self.dialect}"]
        if self.facts:
            lines.append("profile: {" + ", ".join(f"{name}: {_yaml(value)}" for name, value in self.facts.items()) + "}")
        return "\n".join(lines)


class Prober:
    """Asks one archive. Faults of the archive are findings, or leave a fact unknown; they are never raised."""

    def __init__(self, outbound: Outbound, archive: ConfiguredArchive) -> None:
        self._outbound = outbound
        self._archive = archive

    def probe(self, study: str | None = None) -> Probed | None:
        """None: it did not answer even the simplest question, or not as an archive does."""
        found: dict[str, Any] = {}
        empty = self._search(found)
        if empty is None:
            return None
        name = self._product()
        if study is not None and is_uid(study):
            self._rows(study, found)
            self._images(study, found)
        base = DIALECTS[name]
        facts = {key: value for key, value in found.items() if value != getattr(base, key)}
        configured = self._archive.dialect
        differs = {key: (value, getattr(configured, key)) for key, value in found.items() if value != getattr(configured, key)}
        if name != self._archive.settings.dialect:
            differs |= {key: (value, getattr(configured, key)) for key, value in differences(base, configured).items() if key not in found}
        return Probed(name, facts, differs, empty, study is not None)

    def _search(self, found: dict[str, Any]) -> str | None:
        """How it answers a search for nobody: Accept, fields and page size it takes. None: it takes none."""
        for accept in (JSON, PLAIN_JSON):
            for include in ("listed", "all", "none"):
                reply = self._nobody(accept, include, 10)
                if reply is None:
                    return None
                if _is_list(reply):
                    found |= {"search_accept": accept, "include": _enum("include", include)}
                    many = self._nobody(accept, include, TOO_MANY)
                    if many is not None and many.status == 400:
                        found["page_cap"] = next((cap for cap in (1000, 200, 100) if _is_list(self._nobody(accept, include, cap))), 100)
                    return "204" if reply.status == 204 else "[]"
        return None

    def _nobody(self, accept: str, include: str, limit: int) -> Reply | None:
        fields = {"listed": [("includefield", tag) for tag in STUDY_FIELDS], "all": [("includefield", "all")], "none": []}[include]
        query = urlencode([("PatientID", NOBODY), *fields, ("limit", str(limit)), ("offset", "0")])
        return self._get(f"{self._archive.qido_base}/studies?{query}", accept)

    def _product(self) -> str:
        """By its address and what its answers say of themselves; `plain` where nothing tells."""
        reply = self._get(f"{self._archive.qido_base}/studies?{urlencode({'PatientID': NOBODY, 'limit': 1})}", JSON)
        said = " ".join([self._archive.qido_base, *(reply.headers.get(name) or "" for name in ("Server", "X-Powered-By") if reply)]).lower()
        return next((name for name, marks in MARKS.items() if any(mark in said for mark in marks)), "plain")

    def _rows(self, study: str, found: dict[str, Any]) -> None:
        """What the study's own row and its instances' rows say of paging and of missing attributes."""
        base, accept = self._archive.qido_base, str(found["search_accept"])
        reply = self._get(f"{base}/studies?{urlencode([('StudyInstanceUID', study), ('limit', '1')])}", accept)
        row = next((one for one in _list(reply) if isinstance(one, Mapping)), None)
        if row is not None and reply is not None:
            omitted = [word for word, tags in (("modalities", ("00080061",)), ("counts", ("00201206", "00201208"))) if not any(tag in row for tag in tags)]
            if omitted:
                found["omits"] = tuple(omitted)
            if self._is_elsewhere(row):
                found["retrieve_elsewhere"] = True
            if not CHARSET.search(reply.headers.get("Content-Type") or "") and not _is_utf8(reply.body):
                found["charset"] = "iso-8859-1"
        first, second = (self._page(study, accept, offset) for offset in (0, 1))
        if first and len(first) > 1:
            found["paging"] = _enum("paging", "one-page")  # it ignored a limit of one
        elif first and first == second:
            found["paging"] = _enum("paging", "one-page")

    def _page(self, study: str, accept: str, offset: int) -> list[str]:
        reply = self._get(f"{self._archive.qido_base}/studies/{study}/instances?{urlencode([('limit', '1'), ('offset', str(offset))])}", accept)
        return [str(row.get("00080018")) for row in _list(reply) if isinstance(row, Mapping)]

    def _is_elsewhere(self, row: Mapping[str, Any]) -> bool:
        element = row.get("00081190")
        values = element.get("Value") if isinstance(element, Mapping) else None
        given = values[0] if isinstance(values, list) and values and isinstance(values[0], str) else ""
        try:
            there, here = urlsplit(given), urlsplit(self._archive.wado_base)
        except ValueError:
            return True
        return bool(there.netloc) and there.netloc.lower() != here.netloc.lower()

    def _images(self, study: str, found: dict[str, Any]) -> None:
        """Which forms it has. Only heads are looked at: a body is dropped after its first bytes."""
        instance = self._instance(study)
        if instance is None:
            return
        base = f"{self._archive.wado_base}{instance}"
        as_stored = self._status(base, 'multipart/related; type="application/dicom"; transfer-syntax=*')
        plain = self._status(base, 'multipart/related; type="application/dicom"')
        if as_stored == 200:
            found["any_transfer_syntax"] = True
        elif plain == 200 and as_stored in (400, 406, 415, 500, 501):
            found["any_transfer_syntax"] = False
        for name in ("rendered", "thumbnail"):
            status = self._status(f"{base}/{name}", "image/jpeg")
            if status in (200, 404, 405, 501):
                found[name] = status == 200

    def _instance(self, study: str) -> str | None:
        reply = self._get(f"{self._archive.qido_base}/studies/{study}/instances?{urlencode({'limit': 1})}", JSON)
        row = next((one for one in _list(reply) if isinstance(one, Mapping)), {})
        uids = []
        for tag in ("0020000E", "00080018"):
            element = row.get(tag)
            values = element.get("Value") if isinstance(element, Mapping) else None
            uids.append(values[0] if isinstance(values, list) and values else None)
        series, instance = uids
        return f"/studies/{study}/series/{series}/instances/{instance}" if is_uid(series) and is_uid(instance) else None

    def _get(self, url: str, accept: str) -> Reply | None:
        try:
            headers = {"Accept": accept, **self._archive.authorization(None)}
            return self._outbound.request(
                self._archive.lane, "GET", url, headers=headers, deadline=SECONDS, max_bytes=self._archive.limits.search_bytes
            )
        except (OutboundError, LaunchError):
            return None

    def _status(self, url: str, accept: str) -> int:
        """0: no answer at all."""
        try:
            headers = {"Accept": accept, **self._archive.authorization(None)}
            with self._outbound.stream(self._archive.lane, "GET", url, headers=headers, deadline=SECONDS) as reply:
                return reply.status
        except (OutboundError, LaunchError):
            return 0


def _is_list(reply: Reply | None) -> bool:
    return reply is not None and (reply.status == 204 or (reply.status in (200, 206) and _list(reply, refuse=True) is not None))


def _list(reply: Reply | None, refuse: bool = False) -> Any:
    try:
        rows = parse(reply.body, reply.headers.get("Content-Type") or "") if reply is not None and reply.status in (200, 206) else None
    except NotJson:
        rows = None
    return rows if isinstance(rows, list) else None if refuse else []


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return True


def _enum(field: str, value: str) -> object:
    return type(getattr(Dialect(), field))(value)


def _yaml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(str(one) for one in value) + "]"
    return str(value)
