"""The images: the gateway, what is kept on the way, and the viewer's outline."""

from __future__ import annotations

from flask import Flask

from launch.context import LaunchContext
from smart_app.archives.wado import Wado
from smart_app.config import Settings
from smart_app.doors.outward import ways_to
from smart_app.outbound import Aside
from smart_app.parts import Parts
from smart_app.sealing import Keyring
from smart_app.viewer import views as viewer_views
from smart_app.viewer.ahead import Ahead
from smart_app.viewer.asking import Ask, Doorman
from smart_app.viewer.catalogue import Catalogue
from smart_app.viewer.checks import Checks
from smart_app.viewer.filling import Filler
from smart_app.viewer.following import Following
from smart_app.viewer.gateway import Gateway
from smart_app.viewer.lanes import Seats
from smart_app.viewer.outline import Outline
from smart_app.viewer.rewriting import BulkTokens
from smart_app.viewer.shelf import Shelf, discard
from smart_app.viewer.upstream import Upstream
from smart_app.viewer.whole import WholeStudies
from smart_app.wiring import marks, reports
from smart_app.wiring.intake import origins_of


def open_shelf(settings: Settings, keyring: Keyring, *, serves: bool = True) -> Shelf | None:
    """Where images are kept for a while; None when that is switched off. `serves`: this process answers with them."""
    root = settings.data_dir / "frames"
    if not settings.frame_cache_bytes:
        discard(root)
        return None
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    most, seconds = settings.frame_cache_bytes, settings.frame_cache_minutes * 60
    return Shelf(root, keyring.derive("frame cache"), most=most, seconds=seconds, serves=serves)


def add(app: Flask, parts: Parts) -> None:
    settings, origins = parts.settings, origins_of(parts)

    def came_from(context: LaunchContext, study: str) -> str:
        origin = origins(context).get(study)
        return origin.hospital if origin is not None else ""

    def elsewhere(ask: Ask) -> list[dict[str, str]]:
        return ways_to(settings.viewers, ask.handle, ask.archive.key, ask.study)

    distances: dict[str, float] = {}
    wado, aside = Wado(parts.outbound, distances), Wado(Aside(parts.outbound), distances)
    bulk, shelf = BulkTokens(parts.keyring), open_shelf(settings, parts.keyring)
    seats = Seats()
    whole = WholeStudies(aside, shelf, seats, parts.reads, tenant=settings.tenant)
    upstream = Upstream(wado, whole)
    checks = Checks(upstream, parts.holdings, parts.reads, bulk, public_url=settings.public_url, shelf=shelf)
    catalogue = Catalogue(upstream, parts.reads, checks)
    following = Following(wado, Filler(aside, shelf, seats, tenant=settings.tenant, elsewhere=whole.has), checks, parts.reads) if shelf else None
    ahead = Ahead(following, parts.store.is_live).opened if following else None
    outline = Outline(catalogue, checks, parts.holdings, parts.audit, parts.clock, not_for_diagnosis=settings.not_for_diagnosis, opened=ahead, came_from=came_from, elsewhere=elsewhere)
    doorman = Doorman(parts.archives, parts.holdings, parts.audit, parts.launch_token)
    gateway = Gateway(upstream, checks, parts.reads, bulk, following)
    app.register_blueprint(viewer_views.make_blueprint(doorman, catalogue, checks, gateway, outline, parts.reads.note))
    marks.add(app, parts, doorman, checks)
    reports.add(app, parts, doorman)
