"""The configured exchanges: FHIR servers that tell of studies elsewhere, each with the place its images come from.

That place looks like an archive to the gateway, but has no address of its own: a study brings one, found by `base_of` to
lie in an approved origin. Connects nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from launch.session import TokenProvider
from smart_app.archives.registry import ConfiguredArchive, Credential, LaunchToken, credential_of, place_of
from smart_app.archives.types import PatientId
from smart_app.config_archives import Archive, Exchange, Limits, SecretRef
from smart_app.outbound.addresses import Refused, origin_of

BELOW_STUDIES = re.compile(r"/studies(?:/([0-9.]{1,64})(?:/.*)?)?/?$")
NO_PLACE = "https://no-place.invalid"
"""Stands where a study brings its own address. In no lane, so never called."""


@dataclass(frozen=True)
class ConfiguredExchange:
    """One exchange as the rest of Priors knows it."""

    settings: Exchange
    credential: Credential = field(repr=False)
    place: ConfiguredArchive
    """Where images come from that its studies name: open it with `at`."""

    @property
    def key(self) -> str:
        return self.settings.key

    @property
    def lane(self) -> str:
        """For its FHIR; images have the lane of `place`."""
        return f"exchange:{self.settings.key}"

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def organization(self) -> str:
        return self.settings.organization or self.settings.name

    @property
    def limits(self) -> Limits:
        return self.settings.limits

    @property
    def ehr(self) -> str | None:
        """The one EHR whose launches may ask it; None: all of them."""
        if self.settings.associated_with:
            return self.settings.associated_with
        return self.settings.credential.ehr if self.settings.credential.kind == "ehr-token" else None

    def proof(self, launch: LaunchToken) -> Proven:
        return Proven(self.credential, launch)

    def patient_ids(self, identifiers: Iterable[tuple[str | None, str]]) -> tuple[PatientId, ...]:
        """Patient IDs that images of a patient with these (system, value) may carry."""
        issuers = {namespace.system: namespace.issuer for namespace in self.settings.patient_ids}
        return tuple(dict.fromkeys(PatientId(value, issuers[system]) for system, value in identifiers if system in issuers))

    def asked_with(self, identifiers: Iterable[tuple[str | None, str]]) -> tuple[PatientId, ...]:
        """The chart's identifiers by which its patient is looked for there; with the launch's own patient, all of them."""
        systems = frozenset(self.settings.identifier_systems)
        return tuple(PatientId(value, system or "") for system, value in identifiers if system in systems or self.settings.discovery == "launch")

    def approves(self, url: str) -> bool:
        """Whether `url` lies in one of its origins."""
        try:
            return origin_of(url) in {origin_of(known) for known in (self.settings.fhir, *self.settings.origins) if known}
        except Refused:
            return False

    def base_of(self, address: str, study_uid: str) -> str | None:
        """The DICOMweb base of an address, which may go on to the study itself; None for what cannot be or may not be called."""
        if place_of(address) is None or "?" in address or not self.approves(address):
            return None
        below = BELOW_STUDIES.search(address)
        if below is not None and below[1] not in (None, study_uid):
            return None
        return (address[: below.start()] if below else address).rstrip("/")


@dataclass(frozen=True)
class Proven:
    """`fhir.client.Proof` of an exchange within one launch."""

    credential: Credential = field(repr=False)
    launch: LaunchToken = field(repr=False)

    def headers(self) -> dict[str, str]:
        return dict(self.credential.headers(self.launch))

    def renewed(self, rejected: Any) -> dict[str, str] | None:
        found = self.credential.renewed(self.launch, rejected)
        return None if found is None or dict(found) == dict(rejected) else dict(found)


class Exchanges:
    """All configured exchanges, in the configuration's order."""

    def __init__(
        self, settings: Iterable[Exchange], *, read_secret: Callable[[SecretRef], str], oauth: Callable[[Exchange], TokenProvider], after: int = 0
    ) -> None:
        """`after`: how many archives stand before them in the order of sources."""
        self._exchanges = tuple(_configured(exchange, read_secret, oauth, after + order) for order, exchange in enumerate(settings))

    def __iter__(self) -> Iterator[ConfiguredExchange]:
        return iter(self._exchanges)

    def by_key(self, key: str) -> ConfiguredExchange | None:
        return next((exchange for exchange in self._exchanges if exchange.key == key), None)

    def places(self) -> tuple[ConfiguredArchive, ...]:
        return tuple(exchange.place for exchange in self._exchanges)


def _configured(exchange: Exchange, read_secret: Callable[[SecretRef], str], oauth: Callable[[Exchange], TokenProvider], order: int) -> ConfiguredExchange:
    credential = credential_of(exchange.key, exchange.credential, read_secret, partial(oauth, exchange))
    looks = Archive(
        key=exchange.key, name=exchange.name, organization=exchange.organization, dicomweb=NO_PLACE, patient_id_issuer=exchange.patient_id_issuer,
        identifier_systems=tuple(namespace.system for namespace in exchange.patient_ids), limits=exchange.limits, credential=exchange.credential, allow_http=exchange.allow_http,
        allow_private=exchange.allow_private, ca_file=exchange.ca_file,
    )  # fmt: skip
    return ConfiguredExchange(exchange, credential, ConfiguredArchive(looks, credential, order))
