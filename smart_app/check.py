"""`priors check`: asks each EHR and archive whether it answers, and says what to enter at the EHR.

Reads no patient's data: an archive is asked for a patient id that nobody has, and on request about one study named on the
command line. Proposes each archive's dialect (`archives.probing`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from typing import Any

from launch.authorize import as_v1
from launch.errors import LaunchError
from launch.service import Launcher
from smart_app.archives.exchanges import ConfiguredExchange
from smart_app.archives.probing import NOBODY, Probed, Prober
from smart_app.archives.qido import Qido
from smart_app.archives.registry import Archives, ConfiguredArchive
from smart_app.archives.types import PatientId, SourceState
from smart_app.check_exchanges import ExchangeLine, exchange_line
from smart_app.config import Ehr, Settings
from smart_app.outbound import Outbound
from smart_app.registration import redirect_uri

EHR_ADVICE = {
    "ehr-silent": ("It did not answer.", "Check the network between Priors and the EHR, and the issuer's address."),
    "ehr-faulty": ("It answered with a fault.", "Check the issuer's address; if it is right, tell the EHR team."),
    "ehr-misconfigured": (
        "Its smart-configuration cannot be used",
        "Ask the EHR team to correct it, or list the missing origin under `origins`.",
    ),
}
ARCHIVE_ADVICE = {
    SourceState.REFUSED: ("It refused the question.", "Check `credential`, and that this account may search."),
    SourceState.TIMEOUT: ("It did not answer in time.", "Check the network, the address, and `limits`."),
    SourceState.TOO_LARGE: ("Its answer was too large.", "It may ignore the patient id in a search: ask its team."),
    SourceState.NOT_APPROVED: ("It sends us to an address that is not configured.", "Give the final address as `dicomweb`."),
    SourceState.FAILED: (
        "It answered with a fault, or with something that is not DICOMweb.",
        "Check the base address: it must lead to /studies.",
    ),
    SourceState.PARTIAL: (
        "It answers, but not cleanly: lists from it may be incomplete.",
        "Ask its team about paging limits and warnings.",
    ),
}


@dataclass(frozen=True)
class Line:
    """What one EHR or archive said. Times are seconds."""

    kind: str
    key: str
    name: str
    address: str
    ok: bool
    seconds: float
    supports: tuple[str, ...]
    wrong: str
    advice: str
    probed: Probed | None = None
    """An archive's dialect as found; None where it could not be asked."""


@dataclass(frozen=True)
class ToEnter:
    """What the EHR team types in to register Priors."""

    ehr: str
    launch_url: str
    redirect_uri: str
    jwks_url: str
    scopes: str


@dataclass(frozen=True)
class Report:
    ehrs: tuple[Line, ...]
    archives: tuple[Line, ...]
    register: tuple[ToEnter, ...]
    exchanges: tuple[ExchangeLine, ...] = ()

    @property
    def ok(self) -> bool:
        return all(line.ok for line in (*self.ehrs, *self.archives)) and all(line.ok for line in self.exchanges)

    def as_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "ehrs": [{name: value for name, value in asdict(line).items() if name != "probed"} for line in self.ehrs],
            "archives": [asdict(replace(line, probed=None)) | {"probed": _as_json(line.probed)} for line in self.archives],
            "exchanges": [asdict(line) for line in self.exchanges],
            "register": [asdict(entry) for entry in self.register],
        }

    def as_text(self) -> str:
        lines: list[str] = []
        for line in (*self.ehrs, *self.archives):
            lines.append(f"{'ok  ' if line.ok else 'FAIL'} {line.kind} {line.key} ({line.name}) {line.address}  {line.seconds:.2f} s")
            if line.supports:
                lines.append(f"     supports: {', '.join(line.supports)}")
            if line.wrong:
                lines += [f"     {line.wrong}", f"     What to do: {line.advice}"]
            lines += [f"     {text}" for text in _in_words(line.probed)]
        lines += [text for line in self.exchanges for text in line.as_text()]
        for entry in self.register:
            lines += ["", f"To enter at {entry.ehr}:", f"  Launch URL    {entry.launch_url}", f"  Redirect URI  {entry.redirect_uri}"]
            lines += [f"  JWKS URL      {entry.jwks_url}", f"  Scopes        {entry.scopes}"]
        return "\n".join(lines)


def run(settings: Settings, launcher: Launcher, archives: Archives, qido: Qido, outbound: Outbound | None = None, study: str | None = None,
        exchanges: Iterable[ConfiguredExchange] = ()) -> Report:  # fmt: skip
    """Everything is asked at once; each within its own deadline. With `outbound`, archives are probed, about `study` too if one is given."""

    def archive_line(archive: ConfiguredArchive) -> Line:
        line = _archive(archive, qido)
        if outbound is None or not line.ok or archive.settings.credential.kind == "ehr-token":
            return line
        return replace(line, probed=Prober(outbound, archive).probe(study))

    with ThreadPoolExecutor(max_workers=16) as pool:
        ehr_lines = pool.map(lambda ehr: _ehr(ehr, launcher), settings.ehrs)
        archive_lines = pool.map(archive_line, archives)
        exchange_lines = pool.map(lambda one: exchange_line(one, outbound, launcher), exchanges) if outbound is not None else ()
        return Report(tuple(ehr_lines), tuple(archive_lines), to_enter(settings), tuple(exchange_lines))


def to_enter(settings: Settings) -> tuple[ToEnter, ...]:
    base = settings.public_url.rstrip("/")
    return tuple(
        ToEnter(ehr.name, f"{base}/launch", redirect_uri(settings, ehr), f"{base}/jwks.json", _scopes(ehr)) for ehr in settings.ehrs
    )


def _scopes(ehr: Ehr) -> str:
    style = as_v1 if ehr.quirks.scope_style == "v1" else str
    return " ".join(["launch", "launch/patient", *(style(scope) for scope in ehr.scopes)])


def _ehr(ehr: Ehr, launcher: Launcher) -> Line:
    started = time.monotonic()
    try:
        server = launcher.inspect(ehr.key)
    except LaunchError as error:
        wrong, advice = EHR_ADVICE.get(error.code, ("It cannot be used.", "See the log."))
        named = f"{wrong}: {error.detail}." if error.detail else wrong
        return Line("EHR", ehr.key, ehr.name, ehr.issuer, False, _since(started), (), named, advice)
    wrong = _cannot_sign_in(ehr, server.authorization_endpoint, server.auth_methods)
    supports = (f"scopes {server.scope_style}", *sorted(server.capabilities), *(("RFC 9207 iss",) if server.sends_iss else ()))
    advice = "; ".join(server.warnings)
    return Line("EHR", ehr.key, ehr.name, ehr.issuer, not wrong, _since(started), supports, wrong or (advice and f"Tolerated: {advice}."),
                "Ask the EHR team." if wrong or advice else "")  # fmt: skip


def _cannot_sign_in(ehr: Ehr, authorization_endpoint: str | None, methods: Iterable[str]) -> str:
    if authorization_endpoint is None:
        return "Its smart-configuration names no authorization_endpoint, so nobody can sign in."
    known = set(methods)
    if known and ehr.client_auth != "public" and ehr.client_auth not in known:
        return f"It does not list {ehr.client_auth} among its client authentications."
    return ""


def _archive(archive: ConfiguredArchive, qido: Qido) -> Line:
    started = time.monotonic()
    if archive.settings.credential.kind == "ehr-token":
        return Line(
            "archive",
            archive.key,
            archive.name,
            archive.qido_base,
            True,
            0.0,
            ("asked with the EHR's token, so only within a launch",),
            "",
            "",
        )
    answer = qido.studies(archive, [PatientId(NOBODY, archive.issuer)], None, archive.limits.search)
    if answer.withheld or answer.studies:
        wrong = "It returns studies of patients it was not asked for: every list from it will say 'may be incomplete'."
        return Line(
            "archive",
            archive.key,
            archive.name,
            archive.qido_base,
            False,
            _since(started),
            ("search",),
            wrong,
            "Ask its team why PatientID is ignored.",
        )
    wrong, advice = ARCHIVE_ADVICE.get(answer.state, ("", ""))
    supports = ("search", *(("stores received studies",) if archive.settings.stores else ())) if answer.state.answered_in_full else ()
    return Line(
        "archive", archive.key, archive.name, archive.qido_base, answer.state.answered_in_full, _since(started), supports, wrong, advice
    )


def _in_words(probed: Probed | None) -> list[str]:
    if probed is None:
        return []
    told = [f"empty answer: {probed.empty_answer}", "proposed for its entry:", *(f"  {line}" for line in probed.yaml.splitlines())]
    if not probed.asked_study:
        told.append("(its images were not asked for: name a test study with --study UID)")
    if not probed.differs:
        return [*told, "as configured"]
    return [*told, *(f"differs from the configuration: {name} is {_shown(found)}, configured {_shown(set_)}" for name, (found, set_) in probed.differs.items())]


def _as_json(probed: Probed | None) -> dict[str, Any] | None:
    if probed is None:
        return None
    differs = {name: {"found": found, "configured": configured} for name, (found, configured) in probed.differs.items()}
    return {"dialect": probed.dialect, "profile": dict(probed.facts), "differs": differs, "yaml": probed.yaml, "empty_answer": probed.empty_answer,
            "asked_study": probed.asked_study}  # fmt: skip


def _shown(value: object) -> str:
    return "none" if value is None or value == () else ", ".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
