"""Where everything is put together: `build` makes the parts, `create_app` puts them behind HTTP. A list, to be read once.

Gunicorn's target is `smart_app.factory:create_app()`. Nothing else in the product constructs collaborators.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from flask import Flask, Response, make_response, render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import make_url

import launch.views
from launch.assembly import SmartLaunch, assemble
from launch.assertions import keys_of, public_jwks
from launch.context import LaunchContext
from launch.errors import LaunchError
from launch.issuers import IssuerDirectory, SigningKey
from launch.session import TokenProvider
from smart_app import health, logs, migrations, registration, secrets_source
from smart_app.access import Action, public, requires, roles_of
from smart_app.archives.exchanges import Exchanges
from smart_app.archives.fanout import Fanout
from smart_app.archives.qido import Qido
from smart_app.archives.registry import Archives, LaunchToken
from smart_app.archives.types import PatientId
from smart_app.archives.wado import Wado
from smart_app.audit import views as audit_views
from smart_app.audit.events import AppStarted, LaunchEnded, LaunchRefused, Who
from smart_app.audit.log import AuditLog
from smart_app.audit.report import AuditReports
from smart_app.breakglass import views as breakglass_views
from smart_app.breakglass.review import Review
from smart_app.breakglass.store import BreakGlass
from smart_app.clock import Clock, utc_now
from smart_app.config import Settings
from smart_app.config_archives import Archive, Exchange
from smart_app.config_file import load
from smart_app.db import Database
from smart_app.entrance import views as entrance_views
from smart_app.entrance.colours import Colours
from smart_app.entrance.opening import Opening
from smart_app.errors import AppError
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.identity.crosswalk import crossed
from smart_app.identity.rulings import Ruling
from smart_app.index.memory import Memory
from smart_app.index.store import Index
from smart_app.matching import views as matching_views
from smart_app.matching.desk import MatchDesk
from smart_app.matching.store import RulingStore, Subject
from smart_app.outbound import Outbound
from smart_app.policy.gate import Policy
from smart_app.sealing import Keyring
from smart_app.session_store import SqlSessionStore
from smart_app.sources.base import Source
from smart_app.sources.chart import Chart
from smart_app.sources.dicomweb import ArchiveSource
from smart_app.sources.discovery import Discovery
from smart_app.sources.exchange import Surroundings
from smart_app.sources.imaging_access import imaging_access
from smart_app.sources.manifest import manifest_source
from smart_app.sources.series_lists import SeriesLists
from smart_app.sources.warmth import Warmth
from smart_app.studies import views as studies_views
from smart_app.studies.keeping import Keeper
from smart_app.studies.last_answers import LastAnswers
from smart_app.studies.listing import Listing
from smart_app.studies.merge import Houses
from smart_app.studies.seats import StreamSeats
from smart_app.studies.watching import Watch
from smart_app.viewer import views as viewer_views
from smart_app.viewer.ahead import Ahead
from smart_app.viewer.asking import Doorman
from smart_app.viewer.catalogue import Catalogue
from smart_app.viewer.checks import Checks
from smart_app.viewer.filling import Filler
from smart_app.viewer.following import Following
from smart_app.viewer.gateway import Gateway
from smart_app.viewer.lanes import Seats
from smart_app.viewer.outline import Outline
from smart_app.viewer.reads import Reads
from smart_app.viewer.rewriting import BulkTokens
from smart_app.viewer.shelf import Shelf, discard
from smart_app.viewer.upstream import Upstream
from smart_app.viewer.whole import WholeStudies
from smart_app.web import Recent, Web, current_launch, current_who, install, new_reference, refuse_unmarked, request_reference

PACKAGE = Path(__file__).parent
TEMPLATES = next(folder for folder in (PACKAGE / "templates", PACKAGE.parent / "templates") if folder.is_dir())
BUNDLE = PACKAGE / "static" / "viewer"


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
    """All parts, wired. Connects nowhere but to the database, which is brought to this version."""
    database = open_database(settings)
    migrations.upgrade(database)
    keyring = secrets_source.keyring(settings)
    outbound = Outbound(registration.lanes(settings), pin_localhost=settings.development, relays=settings.web_threads // 2)
    audit = AuditLog(database, keyring, clock)
    rulings = RulingStore(database, keyring, clock)
    reads = Reads(database, audit)
    glass = BreakGlass(database, keyring, audit, clock, minutes=settings.break_glass_minutes)

    recent = Recent(clock)

    def forget(handle: str) -> None:
        recent.forget(handle)
        holdings.forget(handle)
        reads.forget(handle)
        glass.launch_ended(handle)

    sessions = settings.sessions
    store = SqlSessionStore(database, keyring, clock, idle=timedelta(minutes=sessions.idle_minutes), on_end=forget)
    ehrs = {ehr.key: ehr for ehr in settings.ehrs}
    policy = Policy(settings.policy, lambda context: roles_of(context, ehrs[context.issuer_key]), store.context, glass.is_open, clock)
    holdings = Holdings(database, keyring, clock, policy.passage if policy.is_on else None, stand=rulings.stand)
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
    )


def _shared(settings: Settings) -> frozenset[str]:
    """Archives that are asked with Priors' own credential, and so tell every user the same."""
    return frozenset(archive.key for archive in settings.archives if archive.credential.kind != "ehr-token")


def create_app(settings: Settings | None = None, clock: Clock = utc_now) -> Flask:
    """The web application. :raises WrongConfiguration: the settings cannot be used. :raises UnmarkedRoutes: a view has no action."""
    logs.configure()
    parts = build(settings if settings is not None else load(), clock)
    app = Flask("smart_app", static_folder=None, template_folder=str(TEMPLATES))
    install(app, Web(parts.settings, parts.directory, parts.recent, parts.keyring, parts.audit, BUNDLE, parts.purpose))
    app.register_blueprint(health.make_blueprint(parts.database))
    auditors_only = requires(Action.READ_AUDIT)
    app.register_blueprint(audit_views.make_blueprint(parts.reports, auditors_only=auditors_only, launch=current_launch, who=current_who))
    app.register_blueprint(entrance_views.make_blueprint(parts.settings, Colours(parts.outbound).of))
    chart = Chart(parts.outbound, {ehr.key: ehr for ehr in parts.settings.ehrs}, parts.archives, parts.smart.broker.provider, parts.clock)
    warmth = Warmth(parts.outbound, {ehr.key: ehr.issuer for ehr in parts.settings.ehrs}, parts.archives)
    _add_launch(app, parts, chart, warmth)
    _add_studies(app, parts, chart, warmth)
    _add_viewer(app, parts)
    refuse_unmarked(app)
    parts.audit.record(AppStarted(who=Who.nobody(parts.settings.tenant, "", "")))
    return app


def _add_launch(app: Flask, parts: Parts, chart: Chart, warmth: Warmth) -> None:
    opening = Opening(chart.patient, parts.holdings, parts.audit, warmth)
    names = {ehr.key: ehr.name for ehr in parts.settings.ehrs}

    def refused(error: LaunchError, *, issuer: str | None, retry_url: str | None) -> ResponseReturnValue:
        parts.audit.record(LaunchRefused(who=current_who(), reason=error.reason or error.code))
        name, reference = names.get(issuer or "", ""), request_reference()
        page = render_template(
            "launch/error.html", code=error.code, detail=error.detail, reference=reference, retry_url=retry_url, issuer_name=name
        )
        return page, error.status

    def ended(context: LaunchContext) -> Response:
        parts.audit.record(LaunchEnded(who=current_who(), patient=context.patient_id))
        return make_response(render_template("launch/error.html", code="session-ended", reference=request_reference(), detail=""))

    hooks = launch.views.Hooks(
        opened=lambda context: opening.open(context, Who.of(context, current_who().address, request_reference())),
        ended=ended,
        error=refused,
        current=current_launch,
        public=public,
        ends=requires(Action.END_LAUNCH),
    )
    jwks = public_jwks([*keys_of(parts.directory), *_archive_keys(parts.settings)])
    app.register_blueprint(launch.views.make_blueprint(parts.smart.launcher, parts.store, jwks, hooks))


def _archive_keys(settings: Settings) -> list[SigningKey]:
    credentials = [one.credential for one in settings.archives] + [one.credential for one in settings.exchanges]
    return [registration.signing_key(one.client_key) for one in credentials if one.client_key]


def _add_studies(app: Flask, parts: Parts, chart: Chart, warmth: Warmth) -> None:
    def rulings(context: LaunchContext) -> tuple[Ruling, ...]:
        return parts.rulings.of(Subject.of(context))

    sources: list[Source] = [chart, *(ArchiveSource(archive, parts.qido, parts.clock, rulings, Discovery(archive, parts.qido, parts.outbound)) for archive in parts.archives)]
    around = Surroundings(parts.outbound, parts.archives, parts.clock, parts.smart.launcher.inspect, rulings)
    kinds = {"imaging-access": imaging_access, "manifests": manifest_source}
    sources += [kinds[exchange.settings.kind](exchange, around) for exchange in parts.exchanges]
    order = {place.key: place.order for place in (*parts.archives, *parts.exchanges.places())}
    fanout, memory = Fanout(parts.clock), Memory(parts.index, parts.holdings, parts.identifiers)
    last = LastAnswers(parts.database, parts.settings.tenant)
    listing = Listing(
        sources=sources,
        houses=Houses(order, frozenset(archive.key for archive in parts.archives if archive.settings.local)),
        patient=chart.patient,
        fanout=fanout,
        holdings=parts.holdings,
        keeper=Keeper(parts.database, parts.holdings, parts.audit, new_reference, last),
        policy=parts.policy,
        memory=memory,
        launch_token=parts.launch_token,
        is_live=parts.store.is_live,
        clock=parts.clock,
        deadline=parts.settings.list_deadline,
        then=SeriesLists(parts.archives, parts.qido, parts.clock).questions,
        last=last,
    )
    seconds = parts.settings.watch_seconds
    watch = Watch(
        sources=sources, fanout=fanout, holdings=parts.holdings, memory=memory, launch_token=parts.launch_token, is_live=parts.store.is_live,
        clock=parts.clock, deadline=min(parts.settings.list_deadline, 10), seconds=seconds,
    )  # fmt: skip
    pace = studies_views.Pace(parts.settings.sessions.idle_minutes * 60, seconds)
    glass = parts.glass if parts.policy.may_break else None
    desk = MatchDesk(parts.archives, parts.holdings, parts.rulings, parts.audit, partial(_patient, parts), parts.clock)
    seats = StreamSeats(parts.settings.web_threads // 4)
    app.register_blueprint(
        studies_views.make_blueprint(listing, watch, parts.holdings, chart, parts.audit, parts.clock, pace, seats, warmth, glass=glass, match_id=desk.name)
    )
    review = Review(parts.glass, parts.audit, parts.database)
    app.register_blueprint(breakglass_views.make_blueprint(parts.glass, review, lambda context: listing.known(context).restricted.openable))
    ehrs = {ehr.key: ehr.organization or ehr.name for ehr in parts.settings.ehrs}
    app.register_blueprint(matching_views.make_blueprint(desk, partial(_patient, parts), parts.audit, parts.clock, banner=studies_views.banner, ehrs=ehrs))


def _patient(parts: Parts, context: LaunchContext) -> PatientFacts:
    """The launch's patient as it was read when the launch began."""
    facts = parts.holdings.patient(context.handle)
    if facts is None or facts.id != context.patient_id:
        raise AppError(studies_views.NO_PATIENT_FACTS)
    return facts


def open_shelf(settings: Settings, keyring: Keyring, *, serves: bool = True) -> Shelf | None:
    """Where images are kept for a while; None when that is switched off. `serves`: this process answers with them."""
    root = settings.data_dir / "frames"
    if not settings.frame_cache_bytes:
        discard(root)
        return None
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    most, seconds = settings.frame_cache_bytes, settings.frame_cache_minutes * 60
    return Shelf(root, keyring.derive("frame cache"), most=most, seconds=seconds, serves=serves)


def _add_viewer(app: Flask, parts: Parts) -> None:
    settings = parts.settings
    wado, bulk, shelf = Wado(parts.outbound), BulkTokens(parts.keyring), open_shelf(settings, parts.keyring)
    seats = Seats()
    whole = WholeStudies(wado, shelf, seats, parts.reads, tenant=settings.tenant)
    upstream = Upstream(wado, whole)
    checks = Checks(upstream, parts.holdings, parts.reads, bulk, public_url=settings.public_url, shelf=shelf)
    catalogue = Catalogue(upstream, parts.reads, checks)
    following = Following(wado, Filler(wado, shelf, seats, tenant=settings.tenant, elsewhere=whole.has), checks, parts.reads) if shelf else None
    ahead = Ahead(following, parts.store.is_live).opened if following else None
    outline = Outline(catalogue, checks, parts.holdings, parts.audit, parts.clock, not_for_diagnosis=settings.not_for_diagnosis, opened=ahead)
    doorman = Doorman(parts.archives, parts.holdings, parts.audit, parts.launch_token)
    gateway = Gateway(upstream, checks, parts.reads, bulk, following)
    app.register_blueprint(viewer_views.make_blueprint(doorman, catalogue, checks, gateway, outline, parts.reads.note))
