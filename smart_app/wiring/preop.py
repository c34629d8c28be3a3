"""The pre-op board: its rules, the surgical list, how a case is opened and looked for."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from launch.context import LaunchContext
from launch.session import TokenProvider
from smart_app.config_file import Problem, WrongConfiguration
from smart_app.fhir.client import FhirClient
from smart_app.image_requests.form import Prefill
from smart_app.parts import Parts
from smart_app.preop import asking, schedule, views
from smart_app.preop.board import Board
from smart_app.preop.looking import Looking, Viewed
from smart_app.preop.opening import Opening
from smart_app.preop.readiness import Known, finding
from smart_app.preop.rulebook import WrongRules, read
from smart_app.preop.rules import Rule
from smart_app.preop.schedule import Day
from smart_app.preop.store import Kept, Notes
from smart_app.preop.types import SurgicalList
from smart_app.sources.chart import Chart
from smart_app.studies.listing import Listing

EVERY = 15
"""Seconds between two looks of an open board."""


def rules_of(parts: Parts) -> tuple[Rule, ...]:
    """:raises WrongConfiguration:"""
    try:
        return read(parts.settings.preop.rules)
    except WrongRules as wrong:
        raise WrongConfiguration(parts.settings.preop.rules, (Problem(None, "preop.rules", f"{wrong}.", "Correct the file, or leave the setting out."),)) from None


def wanted_of(parts: Parts, listing: Listing) -> Callable[[LaunchContext, str], Prefill | None]:
    """Fills a request in that a board asks for, in the case's own launch."""
    kept, rules = Kept(parts.database, parts.keyring, parts.clock), rules_of(parts)

    def wanted(ctx: LaunchContext, of: str) -> Prefill | None:
        _, kind, id = (*of.split("."), "", "")[:3]
        case = kept.case(ctx.parent, id) if ctx.parent else None
        want = next((one for rule in rules for one in rule.wants if one.kind.key == kind), None)
        if case is None or want is None or case.patient != ctx.patient_id:
            return None
        row = next((row for row in listing.settled(ctx).rows if row.kind in ("known", "study") and finding(want, Known((row,)), parts.clock().astimezone().date()).row is row and row.archive is None), None)
        return asking.prefill_of(case, want, row, listing.appointments(ctx), parts.clock())

    return wanted


def add(app: Flask, parts: Parts, chart: Chart, listing: Listing) -> None:
    settings, ehrs = parts.settings, {ehr.key: ehr for ehr in parts.settings.ehrs}
    kept = Kept(parts.database, parts.keyring, parts.clock)
    notes = Notes(parts.database, parts.keyring, parts.clock, tenant=settings.tenant)

    def client(ctx: LaunchContext) -> FhirClient:
        return FhirClient(parts.outbound, f"ehr:{ctx.issuer_key}", ctx.issuer, parts.smart.broker.provider(ctx))

    def read_list(ctx: LaunchContext, day: Day) -> SurgicalList:
        by_backend = settings.preop.read_with == "backend"
        tokens: TokenProvider = parts.smart.broker.backend_provider(ctx.issuer_key) if by_backend else parts.smart.broker.provider(ctx)
        asked = FhirClient(parts.outbound, f"ehr:{ctx.issuer_key}", ctx.issuer, tokens)
        return schedule.read(asked, day, settings.preop.locations, ehrs[ctx.issuer_key].mrn)

    def system_scopes(key: str) -> tuple[str, ...]:
        backend = ehrs[key].backend
        return backend.scopes if backend is not None else ()

    opening = Opening(parts.store, parts.holdings, parts.audit, chart.patient, system_scopes, parts.clock, settings.preop.open_with)
    viewed = Viewed(parts.database, parts.clock, tenant=settings.tenant)
    looking = Looking(listing, parts.holdings, kept, viewed, client, rules_of(parts), parts.clock)
    board = Board(kept, notes, opening, looking, read_list, parts.clock)
    site = next((ehr.organization or ehr.name for ehr in settings.ehrs), "")
    page = views.Page(site, settings.preop.reasons, EVERY, settings.sessions.idle_minutes * 60)
    app.register_blueprint(views.make_blueprint(board, opening, looking, notes, parts.audit, page))
