"""What is unsafe in an otherwise well-formed configuration: pure checks over `Settings`, each with its cure.

A start with any of these would work and be dangerous, which is why it stops (safety.md O1, G22).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from smart_app import config_hosts, secrets_source
from smart_app.config import Ehr, Settings
from smart_app.config_archives import Archive, Credential, Exchange, KeyFile
from smart_app.config_partners import ApiClient, Partner
from smart_app.config_viewers import unsafe_viewers
from smart_app.secrets_source import NoSecret, Reference

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Danger:
    where: Where
    reason: str
    cure: str


def unsafe(settings: Settings, environ: Mapping[str, str]) -> Iterator[Danger]:
    """Every danger found, in the order of the file."""
    yield from _public_url(settings)
    yield from (Danger(*one) for one in config_hosts.portal_dangers(settings, is_loopback))
    yield from _keyring(settings, environ)
    if settings.database_password:
        yield from _secret(("database_password",), settings.database_password, environ)
    if settings.queue_password:
        yield from _secret(("queue_password",), settings.queue_password, environ)
    if settings.mail and settings.mail.password:
        yield from _secret(("mail", "password"), settings.mail.password, environ)
    yield from _twice("ehrs", "key", (ehr.key for ehr in settings.ehrs))
    yield from _twice("ehrs", "issuer", (ehr.issuer.rstrip("/") for ehr in settings.ehrs))
    yield from _twice("archives", "key", (archive.key for archive in settings.archives))
    for at, ehr in enumerate(settings.ehrs):
        yield from _ehr(("ehrs", at), ehr, settings, environ)
    for at, archive in enumerate(settings.archives):
        yield from _archive(("archives", at), archive, settings, environ)
    yield from _exchanges(settings, environ)
    yield from _namespaces(settings)
    yield from _policy(settings)
    yield from (Danger(*one) for one in unsafe_viewers(settings.viewers, [archive.key for archive in settings.archives], development=settings.development))
    if settings.iid_ehr is not None and settings.iid_ehr not in {ehr.key for ehr in settings.ehrs}:
        yield Danger(("iid_ehr",), f"{settings.iid_ehr} names no EHR of this configuration.", "Use an EHR's `key`.")
    storing = [at for at, archive in enumerate(settings.archives) if archive.stores]
    for at in storing[1:]:
        yield Danger(("archives", at, "stores"), "a second archive is marked as the one that stores.", "Keep one.")


def is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  raises on a port that is no number
    except ValueError:
        return None
    return parts if parts.hostname and parts.scheme in ("http", "https") else None


def _public_url(settings: Settings) -> Iterator[Danger]:
    where: Where = ("public_url",)
    parts = _split(settings.public_url)
    if parts is None:
        yield Danger(
            where, "is not an http(s) URL.", "Give the origin under which browsers reach Priors, for instance https://priors.example.org"
        )
        return
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        yield Danger(where, "holds more than an origin.", "Give scheme, host and port only.")
    loopback = is_loopback(parts.hostname or "")
    if settings.development and not loopback:
        yield Danger(
            ("development",),
            "development mode is on, yet Priors is reached from outside this machine.",
            "Remove `development`, or use a loopback `public_url`.",
        )
    if parts.scheme == "http" and not (settings.development and loopback):
        yield Danger(
            where,
            "is plain http: launches, cookies and images would travel unprotected.",
            "Use https; plain http is allowed for loopback with `development: true` only.",
        )


def _keyring(settings: Settings, environ: Mapping[str, str]) -> Iterator[Danger]:
    seen: set[bytes] = set()
    yield from _twice("sealing_keys", "id", (key.id for key in settings.sealing_keys))
    for at, reference in enumerate(settings.sealing_keys):
        where: Where = ("sealing_keys", at)
        if (reference.env is None) == (reference.file is None):
            yield Danger(where, "must be found in exactly one place.", "Give one of `env` and `file`.")
            continue
        if reference.file is not None and _within(reference.file, settings.data_dir):
            yield Danger(where, "lies in `data_dir`: a stolen backup would hold its own key.", "Keep it in another folder.")
        yield from _readable_by_others(where, reference.file)
        try:
            key = secrets_source.sealing_key(reference, environ)
        except NoSecret as error:
            yield Danger(where, f"{error}.", "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'")
            continue
        if key in seen:
            yield Danger(where, "is the same key as another one.", "Give each its own.")
        seen.add(key)


def _within(file: Path, folder: Path) -> bool:
    return folder.resolve() in file.resolve().parents


def _readable_by_others(where: Where, file: Path | None) -> Iterator[Danger]:
    try:
        if file is not None and file.stat().st_mode & 0o007:
            yield Danger(where, f"its file {file.name} can be read by every user of this machine.", f"Run: chmod 600 {file.name}")
    except OSError:
        return


def _secret(where: Where, reference: Reference, environ: Mapping[str, str]) -> Iterator[Danger]:
    yield from _readable_by_others(where, reference.file)  # type: ignore[arg-type]
    try:
        secrets_source.read(reference, environ)
    except NoSecret as error:
        yield Danger(where, f"{error}.", "Set it, or point `env` or `file` at where the secret is.")


def _key_file(where: Where, key: KeyFile, environ: Mapping[str, str]) -> Iterator[Danger]:
    yield from _secret((*where, "pem"), key.pem, environ)
    try:
        pem = secrets_source.read(key.pem, environ)
    except NoSecret:
        return
    wanted = {"RS384": "RSA", "ES384": "EC P-384"}[key.alg]
    if _kind_of_key(pem) != wanted:
        yield Danger(
            (*where, "pem"), f"is not a private {wanted} key in PEM form, which {key.alg} needs.", "Make one with openssl genpkey."
        )


def _kind_of_key(pem: str) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):
        return ""
    if isinstance(key, rsa.RSAPrivateKey):
        return "RSA" if key.key_size >= 2048 else "RSA under 2048 bits"
    return "EC P-384" if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp384r1" else ""


def _address(where: Where, url: str, entry: Ehr | Archive | Exchange | Partner | ApiClient, settings: Settings) -> Iterator[Danger]:
    parts = _split(url)
    if parts is None:
        yield Danger(where, "is not an http(s) URL.", "Write it out with scheme and host.")
        return
    host = parts.hostname or ""
    if parts.username or parts.password:
        yield Danger(where, "holds a user name or password.", "Use `credential` or a secret reference.")
    if parts.query or parts.fragment:
        yield Danger(where, "holds a query or fragment.", "Give the base URL alone.")
    if is_loopback(host):
        if not settings.development:
            yield Danger(where, "is this machine itself.", "Loopback is allowed with `development: true` only.")
    elif _is_private(host) and not entry.allow_private:
        yield Danger(where, "is a private address.", "Set `allow_private: true` on this entry if it is really meant.")
    if parts.scheme == "http" and not entry.allow_http:
        yield Danger(
            where,
            "is plain http: patient data and tokens would travel unprotected.",
            "Use https, or set `allow_http: true` on this entry if it is really meant.",
        )


def _origin(where: Where, url: str, development: bool) -> Iterator[Danger]:
    parts = _split(url)
    if parts is None or "*" in url or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        yield Danger(where, "is not one plain origin.", "Give scheme, host and port only, without * or path.")
    elif parts.scheme == "http" and not (development and is_loopback(parts.hostname or "")):
        yield Danger(where, "is plain http.", "Use https.")


def _ehr(where: Where, ehr: Ehr, settings: Settings, environ: Mapping[str, str]) -> Iterator[Danger]:
    yield from _address((*where, "issuer"), ehr.issuer, ehr, settings)
    for at, origin in enumerate(ehr.origins):
        yield from _address((*where, "origins", at), origin, ehr, settings)
    for at, origin in enumerate(ehr.frame_ancestors):
        yield from _origin((*where, "frame_ancestors", at), origin, settings.development)
    if ehr.quirks.smart_configuration_url:
        yield from _address((*where, "quirks", "smart_configuration_url"), ehr.quirks.smart_configuration_url, ehr, settings)
    needs = {"client_secret_basic": "client_secret", "private_key_jwt": "client_key"}.get(ehr.client_auth)
    for name in ("client_secret", "client_key"):
        given = getattr(ehr, name) is not None
        if given and name != needs:
            yield Danger((*where, name), f"is not used with client_auth {ehr.client_auth}.", "Remove it, or change `client_auth`.")
        if not given and name == needs:
            yield Danger((*where, "client_auth"), f"{ehr.client_auth} needs `{name}`.", f"Add `{name}`.")
    if ehr.client_secret:
        yield from _secret((*where, "client_secret"), ehr.client_secret, environ)
    if ehr.client_key:
        yield from _key_file((*where, "client_key"), ehr.client_key, environ)
    if ehr.backend:
        yield from _key_file((*where, "backend", "key"), ehr.backend.key, environ)
        for at, scope in enumerate(ehr.backend.scopes):
            if not scope.startswith("system/"):
                yield Danger((*where, "backend", "scopes", at), "is not a system/ scope.", "Work without a person has system/ scopes only.")
    for at, rule in enumerate(ehr.roles):
        if not rule.users and not (rule.claim and rule.equals):
            yield Danger((*where, "roles", at), "gives the role to nobody or to everybody.", "Give `claim` with `equals`, or `users`.")
    for at, mrn in enumerate(ehr.mrn):
        if not (mrn.system or mrn.type_code or mrn.type_text):
            yield Danger((*where, "mrn", at), "matches every identifier.", "Give `system`, `type_code` or `type_text`.")


def _archive(where: Where, archive: Archive, settings: Settings, environ: Mapping[str, str]) -> Iterator[Danger]:
    for name in ("dicomweb", "qido", "wado", "stow"):
        if url := getattr(archive, name):
            yield from _address((*where, name), url, archive, settings)
    if archive.stores and not (archive.dicomweb or archive.stow):
        yield Danger((*where, "stores"), "it has no store base.", "Give `stow` or `dicomweb`.")
    yield from _credential((*where, "credential"), archive.credential, archive, settings, environ)
    for name in ("pix", "match"):
        if url := getattr(archive.discovery, name):
            yield from _address((*where, "discovery", name), url, archive, settings)
    yield from _credential((*where, "discovery", "credential"), archive.discovery.credential, archive, settings, environ)
    if archive.discovery.credential.kind == "oauth":
        yield Danger((*where, "discovery", "credential", "kind"), "oauth is not offered for a patient index.", "Use basic, bearer or ehr-token.")


REQUIRED = {"none": (), "basic": ("username", "password"), "bearer": ("token",), "oauth": ("token_url", "client_id"), "ehr-token": ("ehr",)}


def _credential(where: Where, credential: Credential, archive: Archive | Exchange | Partner, settings: Settings, environ: Mapping[str, str]) -> Iterator[Danger]:
    allowed = {*REQUIRED[credential.kind], *(("client_secret", "client_key", "scope") if credential.kind == "oauth" else ())}
    for name in Credential.model_fields:
        given = getattr(credential, name) is not None and name != "kind"
        if given and name not in allowed:
            yield Danger((*where, name), f"is not used with kind {credential.kind}.", "Remove it, or change `kind`.")
        if not given and name in REQUIRED[credential.kind]:
            yield Danger((*where, "kind"), f"{credential.kind} needs `{name}`.", f"Add `{name}`.")
    if credential.kind == "oauth" and (credential.client_secret is None) == (credential.client_key is None):
        yield Danger(where, "oauth needs one of `client_secret` and `client_key`.", "Give exactly one.")
    if credential.token_url:
        yield from _address((*where, "token_url"), credential.token_url, archive, settings)
    for name in ("password", "token", "client_secret"):
        if reference := getattr(credential, name):
            yield from _secret((*where, name), reference, environ)
    if credential.client_key:
        yield from _key_file((*where, "client_key"), credential.client_key, environ)
    if credential.kind == "ehr-token" and credential.ehr and credential.ehr not in {ehr.key for ehr in settings.ehrs}:
        yield Danger((*where, "ehr"), "names no EHR of this configuration.", "Use the `key` of the EHR this archive belongs to.")


def _exchanges(settings: Settings, environ: Mapping[str, str]) -> Iterator[Danger]:
    archives, ehrs = {archive.key for archive in settings.archives}, {ehr.key for ehr in settings.ehrs}
    yield from _twice("exchanges", "key", (exchange.key for exchange in settings.exchanges))
    for at, exchange in enumerate(settings.exchanges):
        where: Where = ("exchanges", at)
        if exchange.key in archives:
            yield Danger((*where, "key"), f"{exchange.key} is the key of an archive too.", "Each needs its own: it names where images come from.")
        if exchange.fhir:
            yield from _address((*where, "fhir"), exchange.fhir, exchange, settings)
        for number, origin in enumerate(exchange.origins):
            yield from _address((*where, "origins", number), origin, exchange, settings)
            yield from _bare((*where, "origins", number), origin)
        yield from _credential((*where, "credential"), exchange.credential, exchange, settings, environ)
        if exchange.associated_with is not None and exchange.associated_with not in ehrs:
            yield Danger((*where, "associated_with"), "names no EHR of this configuration.", "Use the `key` of the EHR that names the server.")
        own = exchange.associated_with or (exchange.credential.ehr if exchange.credential.kind == "ehr-token" else None)
        if exchange.credential.ehr and exchange.associated_with and exchange.credential.ehr != exchange.associated_with:
            yield Danger((*where, "credential", "ehr"), "is another EHR than the one it is associated with.", "A token goes to its own EHR's servers only.")
        if exchange.discovery == "launch" and own is None:
            yield Danger((*where, "discovery"), "`launch` means the EHR's own patient, and no EHR is named.", "Give `associated_with`, or an ehr-token credential.")
        if exchange.discovery != "launch" and not exchange.identifier_systems:
            yield Danger((*where, "identifier_systems"), "is empty: no patient could be looked for.", "List the chart's systems that it knows.")
        for number, location in enumerate(exchange.locations):
            if location.archive not in archives:
                yield Danger((*where, "locations", number, "archive"), "names no archive of this configuration.", "Use the `key` of an archive.")


def _bare(where: Where, url: str) -> Iterator[Danger]:
    parts = _split(url)
    if parts is not None and parts.path.strip("/"):
        yield Danger(where, "holds more than an origin.", "Give scheme, host and port only.")


def _namespaces(settings: Settings) -> Iterator[Danger]:
    """One identifier system is one namespace: mapped to two issuers, one MRN could find two people."""
    issuers: dict[str, str] = {}
    for at, archive in enumerate(settings.archives):
        for system in archive.identifier_systems:
            if issuers.setdefault(system, archive.patient_id_issuer) != archive.patient_id_issuer:
                yield Danger(
                    ("archives", at, "identifier_systems"),
                    f"{system} is already the namespace of {issuers[system]}.",
                    "One identifier system belongs to one patient_id_issuer.",
                )
    for at, exchange in enumerate(settings.exchanges):
        for number, namespace in enumerate(exchange.patient_ids):
            if issuers.setdefault(namespace.system, namespace.issuer) != namespace.issuer:
                yield Danger(
                    ("exchanges", at, "patient_ids", number), f"{namespace.system} is already the namespace of {issuers[namespace.system]}.", "One identifier system has one issuer."
                )


def _policy(settings: Settings) -> Iterator[Danger]:
    """A misspelt archive would leave its studies open without a word."""
    known = {*(one.key for one in settings.archives), *(one.key for one in settings.exchanges), *(f"ehr:{ehr.key}" for ehr in settings.ehrs)}
    for at, rule in enumerate(settings.policy):
        for name in rule.archives:
            if name not in known:
                yield Danger(("policy", at, "archives"), f"{name} names no archive of this configuration.", "Use an archive's `key`, or `ehr:` and an EHR's.")


def _twice(group: str, name: str, values: Iterable[str]) -> Iterator[Danger]:
    seen: set[str] = set()
    for at, value in enumerate(values):
        if value in seen:
            yield Danger((group, at, name), f"{value} is used twice.", "Each entry needs its own.")
        seen.add(value)


address_dangers, credential_dangers, used_twice = _address, _credential, _twice
"""For the checks of `config_safety_partners`."""
