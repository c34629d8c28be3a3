"""Where everything is put behind HTTP. A list, to be read once.

Gunicorn's target is `smart_app.factory:create_app(works=True)`. What is shared with the command line is made in `parts`; nothing but
`parts` and `wiring` constructs collaborators.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from smart_app import health, logs
from smart_app.access import Action, requires
from smart_app.audit import views as audit_views
from smart_app.audit.events import AppStarted, Who
from smart_app.clock import Clock, utc_now
from smart_app.config import Settings
from smart_app.config_file import load
from smart_app.entrance import views as entrance_views
from smart_app.entrance.colours import Colours
from smart_app.parts import build
from smart_app.sources.chart import Chart
from smart_app.sources.warmth import Warmth
from smart_app.web import Web, current_launch, current_who, install, refuse_unmarked
from smart_app.wiring import desk, dispatch, doors, entrance, fhir_api, intake, portal, preop, studies, viewer, work

PACKAGE = Path(__file__).parent
TEMPLATES = next(folder for folder in (PACKAGE / "templates", PACKAGE.parent / "templates") if folder.is_dir())
BUNDLE = PACKAGE / "static" / "viewer"


def create_app(settings: Settings | None = None, clock: Clock = utc_now, *, works: bool = False) -> Flask:
    """The web application; with `works` it also does what needs no browser. :raises WrongConfiguration: the settings cannot be used. :raises UnmarkedRoutes: a view has no action."""
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
    entrance.add(app, parts, chart, warmth)
    listing = studies.add(app, parts, chart, warmth)
    preop.add(app, parts, chart, listing)
    viewer.add(app, parts)
    doors.add(app, parts, chart)
    desk.add(app, parts)
    fhir_api.add(app, parts)
    portal.add(app, parts)
    intake.add(app, parts)
    dispatch.add(app, parts)
    refuse_unmarked(app)
    parts.audit.record(AppStarted(who=Who.nobody(parts.settings.tenant, "", "")))
    if works:
        work.work_here(parts)
    return app
