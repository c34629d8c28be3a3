"""The configured archives: bases, lanes, patient-id namespace and how to prove ourselves to each.

Owns the answer to "is this address one of ours?": by parsed origin and whole path segments, never by prefix of text.
Sends the EHR's token only to an archive whose `credential.ehr` is the launch's own EHR. Connects nowhere.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Protocol
from urllib.parse import urlsplit

from launch.errors import EhrFaulty, EhrSilent, LaunchError, SignInRefused
from launch.session import TokenProvider
from smart_app.archives.dialects import Dialect, dialect_of
from smart_app.config_archives import Archive, Limits, SecretRef
from smart_app.config_archives import Credential as Settings
from smart_app.errors import TOKEN_FAULTY, TOKEN_REFUSED, TOKEN_SILENT, NotLetIn
from smart_app.outbound.addresses import parse


@dataclass(frozen=True)
class LaunchToken:
    """The bearer of one launch, and the EHR it belongs to."""

    ehr: str
    tokens: TokenProvider = field(repr=False)


class Credential(Protocol):
    """How one archive is convinced. Never part of a log or an exception."""

    def headers(self, launch: LaunchToken | None) -> Mapping[str, str]:
        """Headers of a first try; empty when there is nothing to send."""
        ...

    def renewed(self, launch: LaunchToken | None, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        """Headers worth one more try after a 401, or None."""
        ...


@dataclass(frozen=True)
class Fixed:
    """none, basic and bearer: the same every time, so a 401 is final."""

    value: str = field(default="", repr=False)

    def headers(self, launch: LaunchToken | None) -> Mapping[str, str]:
        return {"Authorization": self.value} if self.value else {}

    def renewed(self, launch: LaunchToken | None, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        return None


@dataclass(frozen=True)
class Issued:
    """OAuth client credentials: a provider handed in by the factory keeps and renews the token."""

    tokens: TokenProvider = field(repr=False)

    def headers(self, launch: LaunchToken | None) -> Mapping[str, str]:
        with _token_faults():
            return _bearer(self.tokens.access_token())

    def renewed(self, launch: LaunchToken | None, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        with _token_faults():
            return _renew(self.tokens, rejected)


@dataclass(frozen=True)
class OfLaunch:
    """The launch's own EHR token, for an archive that belongs to that EHR. Other launches go without."""

    ehr: str

    def headers(self, launch: LaunchToken | None) -> Mapping[str, str]:
        return _bearer(launch.tokens.access_token()) if launch is not None and launch.ehr == self.ehr else {}

    def renewed(self, launch: LaunchToken | None, rejected: Mapping[str, str]) -> Mapping[str, str] | None:
        return _renew(launch.tokens, rejected) if launch is not None and launch.ehr == self.ehr else None


@dataclass(frozen=True)
class ConfiguredArchive:
    """One archive as the rest of Priors knows it."""

    settings: Archive
    credential: Credential = field(repr=False)
    order: int = 0
    discovery: Credential = field(default_factory=Fixed, repr=False)
    """How its patient index is convinced."""

    @property
    def key(self) -> str:
        return self.settings.key

    @property
    def lane(self) -> str:
        return f"archive:{self.settings.key}"

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def organization(self) -> str:
        return self.settings.organization or self.settings.name

    @property
    def issuer(self) -> str:
        """Assigning authority of its Patient IDs."""
        return self.settings.patient_id_issuer

    @property
    def limits(self) -> Limits:
        return self.settings.limits

    @cached_property
    def dialect(self) -> Dialect:
        """How it departs from the standard."""
        return dialect_of(self.settings)

    @property
    def qido_base(self) -> str:
        return self.settings.qido_base

    @property
    def wado_base(self) -> str:
        return self.settings.wado_base

    def at(self, base: str | None, *, open_base: bool = False) -> ConfiguredArchive:
        """This place for one study that its source put at `base`; an open one is asked without the credential, whatever it is."""
        if base is None:
            return self
        settings = self.settings.model_copy(update={"dicomweb": base, "qido": None, "wado": None})
        return replace(self, settings=settings, credential=Fixed() if open_base else self.credential)

    def authorization(self, launch: LaunchToken | None = None) -> dict[str, str]:
        """Credential headers for a first try. :raises LaunchError: the EHR session has ended (ehr-token only)."""
        return dict(self.credential.headers(launch))

    def authorization_after_401(self, launch: LaunchToken | None, rejected: Mapping[str, str]) -> dict[str, str] | None:
        """Headers worth exactly one more try, or None when the refusal is final."""
        renewed = self.credential.renewed(launch, rejected)
        return None if renewed is None or dict(renewed) == dict(rejected) else dict(renewed)


class Archives:
    """All configured archives, in the configuration's order."""

    def __init__(
        self,
        settings: Iterable[Archive],
        *,
        read_secret: Callable[[SecretRef], str],
        oauth: Callable[[Archive], TokenProvider] | None = None,
        places: Iterable[ConfiguredArchive] = (),
    ) -> None:
        """`oauth` makes the token provider of an archive whose credential kind is `oauth`.

        :param places: where images come from that is no archive of its own: found by key, never asked for a list, the home of no address.
        """
        self._archives = tuple(
            ConfiguredArchive(
                archive, credential_of(archive.key, archive.credential, read_secret, oauth and partial(oauth, archive)), order,
                credential_of(archive.key, archive.discovery.credential, read_secret, None),
            )
            for order, archive in enumerate(settings)
        )
        self._by_key = {archive.key: archive for archive in (*places, *self._archives)}

    def __iter__(self) -> Iterator[ConfiguredArchive]:
        return iter(self._archives)

    def __len__(self) -> int:
        return len(self._archives)

    def by_key(self, key: str) -> ConfiguredArchive | None:
        return self._by_key.get(key)

    def by_address(self, url: str) -> ConfiguredArchive | None:
        """The archive whose base holds `url`: same origin, and the base's path segments lead the address's.

        The longest base wins. Anything odd about the address (userinfo, dot segments, encoded slashes) is nobody's.
        """
        place = place_of(url)
        if place is None:
            return None
        origin, segments = place
        best: tuple[int, ConfiguredArchive] | None = None
        for archive in self._archives:
            for base in {archive.settings.dicomweb or archive.qido_base, archive.qido_base, archive.wado_base}:
                home = place_of(base)
                if home is None or home[0] != origin or segments[: len(home[1])] != home[1]:
                    continue
                if best is None or len(home[1]) > best[0]:
                    best = (len(home[1]), archive)
        return best[1] if best else None


def place_of(url: str) -> tuple[str, tuple[str, ...]] | None:
    """`scheme://host:port` with explicit port, and the path's segments; None for anything that could be read in two ways."""
    try:
        target = parse(url)
    except ValueError:
        return None
    return target.origin, tuple(segment for segment in target.path.partition("?")[0].split("/") if segment)


def origin_shown(url: str) -> str:
    """`scheme://host[:port]` of any text, safe to show: no userinfo, path or query; `an unreadable address` if hopeless."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return "an unreadable address"
    if not parts.scheme or not host or not host.isascii() or not host.isprintable() or len(host) > 100:
        return "an unreadable address"
    return f"{parts.scheme[:10]}://{host}" + (f":{port}" if port else "")


def credential_of(key: str, given: Settings, read_secret: Callable[[SecretRef], str], oauth: Callable[[], TokenProvider] | None) -> Credential:
    """How the archive or exchange called `key` is convinced; `oauth` makes its token provider."""
    if given.kind == "basic":
        password = read_secret(given.password) if given.password else ""
        return Fixed("Basic " + base64.b64encode(f"{given.username or ''}:{password}".encode()).decode("ascii"))
    if given.kind == "bearer":
        if given.token is None:
            raise ValueError(f"{key}: a bearer credential needs `token`")
        return Fixed("Bearer " + read_secret(given.token))
    if given.kind == "oauth":
        if oauth is None:
            raise ValueError(f"{key}: no OAuth provider was given")
        return Issued(oauth())
    if given.kind == "ehr-token":
        if not given.ehr:
            raise ValueError(f"{key}: an ehr-token credential needs `ehr`")
        return OfLaunch(given.ehr)
    return Fixed()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _renew(tokens: TokenProvider, rejected: Mapping[str, str]) -> Mapping[str, str]:
    return _bearer(tokens.refreshed(rejected.get("Authorization", "").removeprefix("Bearer ")))


@contextmanager
def _token_faults() -> Iterator[None]:
    """What goes wrong at an archive's own token service is told of that archive, not of the EHR.

    :raises NotLetIn:
    """
    try:
        yield
    except SignInRefused as error:
        raise NotLetIn(TOKEN_REFUSED) from error
    except LaunchError as error:
        silent = isinstance(error, EhrSilent) and not isinstance(error, EhrFaulty)
        raise NotLetIn(TOKEN_SILENT if silent else TOKEN_FAULTY) from error
