"""Configuration entries as what the lower layers work with: issuers for `launch`, lanes for `outbound`.

The one place that decides which origins belong to an EHR or archive, and therefore what may ever be called.
"""

from __future__ import annotations

from collections.abc import Iterable

from launch.issuers import BackendClient, ClientAuth, Issuer, IssuerQuirks, SigningKey
from smart_app import secrets_source
from smart_app.config import Ehr, Settings
from smart_app.config_archives import Archive, Exchange, KeyFile
from smart_app.config_partners import ApiClient, Partner
from smart_app.outbound import Lane, origin_of

EHR_PARALLEL = 16


def issuers(settings: Settings) -> tuple[Issuer, ...]:
    """Every configured EHR as a launch issuer, its secrets read. One redirect URI per issuer: mix-up defence."""
    return tuple(_issuer(ehr, settings) for ehr in settings.ehrs)


def redirect_uri(settings: Settings, ehr: Ehr) -> str:
    return f"{settings.public_url.rstrip('/')}/cb/{ehr.key}"


def lanes(settings: Settings) -> tuple[Lane, ...]:
    """One lane an EHR, one an archive, and two an exchange, each with only its own origins."""
    ehrs = (
        Lane(
            key=f"ehr:{ehr.key}",
            origins=_origins([ehr.issuer, *ehr.origins, ehr.quirks.smart_configuration_url]),
            allow_http=ehr.allow_http,
            allow_private=ehr.allow_private,
            allow_loopback=settings.development,
            ca_file=ehr.ca_file,
            parallel=EHR_PARALLEL,
        )
        for ehr in settings.ehrs
    )
    exchanges = (_exchange_lane(exchange, kind, settings) for exchange in settings.exchanges for kind in ("exchange", "archive"))
    programs = (*(_partner_lane(partner, settings) for partner in settings.partners), *(_client_lane(one, settings) for one in settings.api_clients))
    return (*ehrs, *(_archive_lane(archive, settings) for archive in settings.archives), *exchanges, *programs)


def signing_key(key: KeyFile) -> SigningKey:
    return SigningKey(key.kid, key.alg, secrets_source.read(key.pem))


def _archive_lane(archive: Archive, settings: Settings) -> Lane:
    return Lane(
        key=f"archive:{archive.key}",
        origins=_origins([archive.dicomweb, archive.qido, archive.wado, archive.stow, archive.credential.token_url, archive.discovery.pix, archive.discovery.match]),
        allow_http=archive.allow_http,
        allow_private=archive.allow_private,
        allow_loopback=settings.development,
        ca_file=archive.ca_file,
        connect=archive.limits.connect,
        first_byte=archive.limits.first_byte,
        parallel=archive.limits.parallel,
    )


def _exchange_lane(exchange: Exchange, kind: str, settings: Settings) -> Lane:
    """`exchange:` for its FHIR, `archive:` for images from there: a series that streams must not hold up a question."""
    return Lane(
        key=f"{kind}:{exchange.key}",
        origins=_origins([exchange.fhir, *exchange.origins, exchange.credential.token_url]),
        allow_http=exchange.allow_http,
        allow_private=exchange.allow_private,
        allow_loopback=settings.development,
        ca_file=exchange.ca_file,
        connect=exchange.limits.connect,
        first_byte=exchange.limits.first_byte,
        parallel=exchange.limits.parallel,
    )


def _partner_lane(partner: Partner, settings: Settings) -> Lane:
    return Lane(
        key=f"partner:{partner.key}",
        origins=_origins([partner.fhir, partner.credential.token_url]),
        allow_http=partner.allow_http,
        allow_private=partner.allow_private,
        allow_loopback=settings.development,
        ca_file=partner.ca_file,
        first_byte=partner.deadline,
    )


def _client_lane(client: ApiClient, settings: Settings) -> Lane:
    """Its published keys, and nothing else of it, is ever read."""
    return Lane(
        key=f"client:{client.key}",
        origins=_origins([client.jwks_url]),
        allow_http=client.allow_http,
        allow_private=client.allow_private,
        allow_loopback=settings.development,
        ca_file=client.ca_file,
        parallel=2,
    )


def _origins(urls: Iterable[str | None]) -> frozenset[str]:
    return frozenset(origin_of(url) for url in urls if url)


def _issuer(ehr: Ehr, settings: Settings) -> Issuer:
    backend = BackendClient(ehr.backend.client_id, ehr.backend.scopes, signing_key(ehr.backend.key)) if ehr.backend else None
    return Issuer(
        key=ehr.key,
        name=ehr.name,
        issuer=ehr.issuer.rstrip("/"),
        client_id=ehr.client_id,
        auth=ClientAuth(ehr.client_auth),
        redirect_uri=redirect_uri(settings, ehr),
        frame_ancestors=ehr.frame_ancestors,
        scopes=ehr.scopes,
        staff_scopes=ehr.staff_scopes,
        secret=secrets_source.read(ehr.client_secret) if ehr.client_secret else None,
        signing_key=signing_key(ehr.client_key) if ehr.client_key else None,
        backend=backend,
        quirks=IssuerQuirks(
            scope_style=ehr.quirks.scope_style,
            patient_in_sub=ehr.quirks.patient_in_sub,
            smart_configuration_url=ehr.quirks.smart_configuration_url,
        ),
    )
