"""The landing page, home of people without a chart, set-up for administrators, and the EHR's colours as a style sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, render_template

from launch.context import LaunchContext
from smart_app.access import POLICY, Action, may, public, requires
from smart_app.check import to_enter
from smart_app.config import Settings
from smart_app.config_archives import Archive
from smart_app.web import current_launch, current_roles

LINKS = (
    (Action.WORK_DESK, "desk", "Image desk", "All requests for images: what is due, what is late, and whose it is."),
    (Action.USE_BOARD, "board", "Before surgery", "Today’s and tomorrow’s surgical list: whose imaging is ready, and what is missing."),
    (Action.READ_AUDIT, "audit", "Who saw what", "Every look at a patient’s images, by patient, user and time."),
    (Action.SEE_SETUP, "setup", "Set-up", "What Priors is connected to, and what each EHR team has to enter."),
)


def make_blueprint(settings: Settings, style_of: Callable[[LaunchContext], str]) -> Blueprint:
    blueprint = Blueprint("entrance", __name__)
    names = {ehr.key: ehr.name for ehr in settings.ehrs}

    @blueprint.get("/")
    @public
    def landing() -> str:
        return render_template("landing.html", ehrs=settings.ehrs)

    @blueprint.get("/l/<launch:handle>/home")
    @requires(Action.HOME)
    def home(handle: str) -> str:
        context, roles = current_launch(), current_roles()
        links = [
            {"href": f"/l/{handle}/{path}", "title": title, "about": about}
            for action, path, title, about in LINKS
            if POLICY[action] and may(roles, action)
        ]
        if context.patient_id is not None:
            links.insert(0, {"href": f"/l/{handle}/studies", "title": "Images", "about": "The images of the patient you opened."})
        return render_template(
            "home.html", ctx=context, issuer_name=names.get(context.issuer_key, context.issuer_key), roles=sorted(roles), links=links
        )

    @blueprint.get("/l/<launch:handle>/setup")
    @requires(Action.SEE_SETUP)
    def setup(handle: str) -> str:
        entries = zip(settings.ehrs, to_enter(settings), strict=True)
        ehrs = [
            {
                "name": ehr.name,
                "issuer": ehr.issuer,
                "launch_url": entry.launch_url,
                "redirect_uri": entry.redirect_uri,
                "jwks_url": entry.jwks_url,
                "client_id": ehr.client_id,
                "client_auth": ehr.client_auth,
                "scopes": entry.scopes.split(),
                "frame_ancestors": ehr.frame_ancestors,
            }
            for ehr, entry in entries
        ]
        return render_template("setup.html", ctx=current_launch(), ehrs=ehrs, archives=[_archive(archive) for archive in settings.archives])

    @blueprint.get("/l/<launch:handle>/style.css")
    @requires(Action.HOME)
    def style(handle: str) -> Response:
        return Response(style_of(current_launch()), mimetype="text/css")

    return blueprint


def _archive(archive: Archive) -> Mapping[str, Any]:
    return {
        "name": archive.name,
        "organization": archive.organization or archive.name,
        "origin": archive.qido_base,
        "patient_id_issuer": archive.patient_id_issuer,
        "identifier_systems": archive.identifier_systems,
        "local": archive.local,
        "supports": ("search", "retrieve", *(("store",) if archive.stores else ())),
    }
