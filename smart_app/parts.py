"""The product without HTTP: `build` makes the parts that the command line and the web app share. A list, to be read once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import make_url

from launch.assembly import SmartLaunch, assemble
from launch.context import LaunchContext
from launch.issuers import IssuerDirectory
from launch.session import TokenProvider
from smart_app import migrations, registration, secrets_source
from smart_app.access import roles_of
from smart_app.archives.exchanges import Exchanges
from smart_app.archives.qido import Qido
from smart_app.archives.registry import Archives, LaunchToken
from smart_app.archives.types import PatientId
from smart_app.audit.log import AuditLog
from smart_app.audit.report import AuditReports
from smart_app.breakglass.store import BreakGlass
from smart_app.clock import Clock, utc_now
from smart_app.config import Settings
from smart_app.config_archives import Archive, Exchange
from smart_app.db import Database
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.identity.crosswalk import crossed
from smart_app.image_requests.facilities import Facilities, seeded
from smart_app.image_requests.queries import Work
from smart_app.image_requests.service import Requests
from smart_app.index.store import Index
from smart_app.intake.receipts import withdrawn_of
from smart_app.jobs.bell import Bell, InProcess
from smart_app.jobs.ledger import Ledger
from smart_app.key_history import remembered
from smart_app.links.store import Links
from smart_app.matching.store import RulingStore
from smart_app.outbound import Outbound
from smart_app.policy.gate import Policy
from smart_app.preop.store import Kept
from smart_app.sealing import Keyring
from smart_app.session_store import SqlSessionStore
from smart_app.spool.store import Spool
from smart_app.viewer.reads import Reads
from smart_app.web import Recent


@dataclass(frozen=True)
class Parts:
    """The product without HTTP: what the command line and the web app share."""

    settings: Settings
    clock: Clock
    database: Database
    keyring: Keyring
    outbound: Outbound
    directory: IssuerDirectory
    archives: Archives
    exchanges: Exchanges
    qido: Qido
    rulings: RulingStore
    holdings: Holdings
    index: Index
    policy: Policy
    glass: BreakGlass
    reads: Reads
    store: SqlSessionStore
    recent: Recent
    smart: SmartLaunch
    audit: AuditLog
    reports: AuditReports
    ledger: Ledger
    facilities: Facilities
    requests: Requests
    work: Work
    links: Links
    spool: Spool

    def launch_token(self, context: LaunchContext) -> LaunchToken:
        return LaunchToken(context.issuer_key, self.smart.broker.provider(context))

    def purpose(self, handle: str) -> tuple[str, str]:
        """What a launch's requests are for while its break-glass is open."""
        glass = self.glass.state(handle) if self.policy.may_break else None
        return (glass.purpose, glass.id) if glass else ("", "")

    def identifiers(self, context: LaunchContext, facts: PatientFacts, archive: str) -> tuple[PatientId, ...]:
        """How an archive knows the launch's patient now: what the index checks before it tells again what it was told."""
        if (exchange := self.exchanges.by_key(archive)) is not None:
            return exchange.asked_with((one.system, one.value) for one in facts.identifiers if not one.is_retired)
        known = self.archives.by_key(archive)
        return crossed(facts, known).ids if known is not None else ()


def open_database(settings: Settings) -> Database:
    """The configured database; SQLite in a private `data_dir` when none is named."""
    if settings.database_url is None:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.data_dir.chmod(0o700)
        return Database(f"sqlite:///{settings.data_dir / 'priors.sqlite3'}")
    url = make_url(settings.database_url)
    if settings.database_password is not None:
        url = url.set(password=secrets_source.read(settings.database_password))
    return Database(url.render_as_string(hide_password=False))


def build(settings: Settings, clock: Clock = utc_now) -> Parts:
    """All parts, wired. Connects nowhere but to the database, which is brought to this version.

    :raises WrongConfiguration: a sealing key that this database needs is missing, or is another one.
    """
    database = open_database(settings)
    migrations.upgrade(database)
    keyring = remembered(database, secrets_source.keyring(settings), clock, settings.tenant)
    outbound = Outbound(registration.lanes(settings), pin_localhost=settings.development, relays=settings.web_threads // 2)
    audit = AuditLog(database, keyring, clock)
    rulings = RulingStore(database, keyring, clock)
    reads = Reads(database, audit)
    glass = BreakGlass(database, keyring, audit, clock, minutes=settings.break_glass_minutes)

    recent, kept = Recent(clock), Kept(database, keyring, clock)

    def forget(handle: str) -> None:
        recent.forget(handle)
        holdings.forget(handle)
        kept.forget(handle)
        reads.forget(handle)
        glass.launch_ended(handle)

    sessions = settings.sessions
    store = SqlSessionStore(database, keyring, clock, idle=timedelta(minutes=sessions.idle_minutes), on_end=forget)
    ehrs = {ehr.key: ehr for ehr in settings.ehrs}
    policy = Policy(settings.policy, lambda context: roles_of(context, ehrs[context.issuer_key]), store.context, glass.is_open, clock)
    holdings = Holdings(database, keyring, clock, policy.passage if policy.is_on else None, stand=rulings.stand, withdrawn=withdrawn_of(database, keyring, clock, settings.tenant))
    directory = IssuerDirectory(registration.issuers(settings))
    smart = assemble(directory, store, outbound, clock, lifetime=timedelta(hours=sessions.absolute_hours), tenant=settings.tenant)

    def oauth(archive: Archive | Exchange) -> TokenProvider:
        given = archive.credential
        secret = secrets_source.read(given.client_secret) if given.client_secret else None
        key = registration.signing_key(given.client_key) if given.client_key else None
        lane = f"archive:{archive.key}"
        return smart.broker.credentials_provider(
            lane, given.token_url or "", given.client_id or "", secret=secret, key=key, scope=given.scope
        )

    exchanges = Exchanges(settings.exchanges, read_secret=secrets_source.read, oauth=oauth, after=len(settings.archives))
    ledger = Ledger(database, clock, _bell(settings), lease=settings.work_lease_seconds, tenant=settings.tenant)
    facilities = Facilities(database, keyring, clock, tenant=settings.tenant)
    facilities.seed(seeded(settings.facilities))
    requests = Requests(database, keyring, audit, ledger, facilities, clock, tenant=settings.tenant)
    spool_root = settings.receiving.spool_dir or settings.data_dir / "spool"
    return Parts(
        settings=settings,
        clock=clock,
        database=database,
        keyring=keyring,
        outbound=outbound,
        directory=directory,
        archives=Archives(settings.archives, read_secret=secrets_source.read, oauth=oauth, places=exchanges.places()),
        exchanges=exchanges,
        qido=Qido(outbound, clock),
        rulings=rulings,
        holdings=holdings,
        index=Index(database, keyring, clock, days=settings.index_days, shared=_shared(settings)),
        policy=policy,
        glass=glass,
        reads=reads,
        store=store,
        recent=recent.before(store),
        smart=smart,
        audit=audit,
        reports=AuditReports(database, audit),
        ledger=ledger,
        facilities=facilities,
        requests=requests,
        work=Work(database, requests, clock),
        links=Links(database, keyring, audit, clock, tenant=settings.tenant, portal_url=settings.portal_url),
        spool=Spool(database, keyring, clock, spool_root, tenant=settings.tenant),
    )


def _shared(settings: Settings) -> frozenset[str]:
    """Archives that are asked with Priors' own credential, and so tell every user the same."""
    return frozenset(archive.key for archive in settings.archives if archive.credential.kind != "ehr-token")


def _bell(settings: Settings) -> Bell:
    """What wakes who works: this process alone, or a queue that several machines share."""
    if settings.queue_url is None:
        return InProcess()
    from smart_app.jobs.huey_bell import RedisBell  # not installed where nothing is shared

    return RedisBell(settings.queue_url, secrets_source.read(settings.queue_password) if settings.queue_password else None)
