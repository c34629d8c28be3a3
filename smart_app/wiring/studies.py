"""The list: its sources, who may be asked, comparison of records, break-glass."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flask import Flask

from launch.context import LaunchContext
from smart_app.archives.fanout import Fanout
from smart_app.archives.types import PurposeRecord
from smart_app.breakglass import views as breakglass_views
from smart_app.breakglass.review import Review
from smart_app.errors import AppError
from smart_app.fhir.patient import PatientFacts
from smart_app.identity.rulings import Ruling
from smart_app.image_requests.anchors import Anchors, Planned
from smart_app.image_requests.types import ImageRequest
from smart_app.index.memory import Memory
from smart_app.matching import views as matching_views
from smart_app.matching.desk import MatchDesk
from smart_app.matching.store import Subject
from smart_app.parts import Parts
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
from smart_app.web import new_reference
from smart_app.wiring import image_requests, preop
from smart_app.wiring.intake import origins_of


def add(app: Flask, parts: Parts, chart: Chart, warmth: Warmth) -> Listing:
    """Returns the list, for what else is made of it."""
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
        asked=partial(_asked, parts),
        origins=origins_of(parts),
        planned=partial(_planned, Anchors(parts.database, parts.requests)),
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
    image_requests.add(app, parts, listing, partial(_patient, parts), preop.wanted_of(parts, listing))
    app.register_blueprint(matching_views.make_blueprint(desk, partial(_patient, parts), parts.audit, parts.clock, banner=studies_views.banner, ehrs=ehrs))
    return listing


def _asked(parts: Parts, context: LaunchContext) -> tuple[ImageRequest, ...]:
    """Also what was asked from charts that were merged into this one: else nobody would see it any more."""
    if context.patient_id is None:
        return ()
    facts = parts.holdings.patient(context.handle)
    charts = (context.patient_id, *(facts.retired if facts is not None and facts.id == context.patient_id else ()))
    return tuple(one for chart in dict.fromkeys(charts) for one in parts.requests.of_patient(context.issuer_key, chart))


def _planned(anchors: Anchors, context: LaunchContext, records: Sequence[PurposeRecord]) -> None:
    anchors.heard(context.issuer_key, context.patient_id or "", [Planned(one.reference, one.starts_at, is_off=one.is_off) for one in records])


def _patient(parts: Parts, context: LaunchContext) -> PatientFacts:
    """The launch's patient as it was read when the launch began."""
    facts = parts.holdings.patient(context.handle)
    if facts is None or facts.id != context.patient_id:
        raise AppError(studies_views.NO_PATIENT_FACTS)
    return facts
