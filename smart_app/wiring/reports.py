"""Reports beside images: read from the chart, and their routes."""

from __future__ import annotations

from flask import Flask

from launch.context import LaunchContext
from smart_app.parts import Parts
from smart_app.reports import views
from smart_app.reports.service import Reports
from smart_app.studies.likeness import plain
from smart_app.viewer.asking import Doorman


def add(app: Flask, parts: Parts, doorman: Doorman) -> None:
    ehrs = {ehr.key: ehr.organization or ehr.name for ehr in parts.settings.ehrs}
    local = [archive for archive in parts.archives if archive.settings.local]
    houses = frozenset(plain(archive.organization) for archive in local)

    def own_of(ctx: LaunchContext) -> frozenset[str]:
        return houses | {plain(ehrs[ctx.issuer_key])}

    reports = Reports(
        parts.outbound, parts.smart.broker.provider, parts.holdings, parts.policy, parts.audit, parts.keyring, parts.clock,
        own_of=own_of, local=frozenset(archive.key for archive in local),
    )  # fmt: skip
    app.register_blueprint(views.make_blueprint(doorman, reports))
