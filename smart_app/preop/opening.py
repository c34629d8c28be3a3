"""Lets a board's user into one case: a launch of its own for that patient, which names the board and ends with it.

The board itself has no patient and can open nothing. Who may is asked each time one begins: the EHR, with the user's own token for that very
patient; or, where the site says so, everybody with the role, the chart then being read as Priors itself. On the record before anything is asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from launch.context import LaunchContext
from launch.errors import LaunchError
from smart_app.audit.events import Who, launch_id
from smart_app.audit.log import AuditLog
from smart_app.audit.preop_events import CaseOpened, CaseRefused
from smart_app.clock import Clock
from smart_app.errors import AppError, Fault, OutboundError, Side
from smart_app.fhir.client import FhirMissing, FhirRefused
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.preop.types import Case
from smart_app.session_store import SqlSessionStore

REFUSED = Fault("case-refused", Side.EHR, "The EHR did not let you open this patient, so nothing of the patient is shown.", "Open the patient in the EHR, or ask the EHR team for the right.", False, 403)
SILENT = Fault("case-unread", Side.EHR, "The EHR did not answer about this patient, so nothing was opened.", "Try again in a minute.", True, 502)
OVER = Fault("board-over", Side.US, "This board’s session has ended.", "Sign in again.", False, 401)


class NotOpened(AppError):
    """The case was not opened; `fault` says why and whose side it is."""

    def __init__(self, fault: Fault, reason: str) -> None:
        self.reason = reason
        super().__init__(fault)


@dataclass(frozen=True)
class Opening:
    """One a process. `patient` reads a launch's patient from the EHR; `system_scopes` are the backend's at that EHR."""

    store: SqlSessionStore
    holdings: Holdings
    audit: AuditLog
    patient: Callable[[LaunchContext], PatientFacts]
    system_scopes: Callable[[str], tuple[str, ...]]
    clock: Clock
    by: str

    def existing(self, board: LaunchContext, case: Case) -> LaunchContext | None:
        """The launch that this board has for the case's patient already."""
        return next((one for one in self.store.derived(board.handle) if one.patient_id == case.patient), None)

    def open(self, board: LaunchContext, browser: str | None, who: Who, case: Case) -> LaunchContext:
        """:raises NotOpened: nothing was opened, and that is on the record."""
        if case.problem:
            raise self._refused(who, case, "record", REFUSED)
        if (known := self.existing(board, case)) is not None:
            return known
        scopes = board.scopes if self.by == "user" else frozenset(one.replace("system/", "user/", 1) for one in self.system_scopes(board.issuer_key))
        context = replace(
            board, handle=secrets.token_urlsafe(32), patient_id=case.patient, encounter_id=None, opened_at=self.clock(), parent=board.handle, by_backend=self.by == "backend",
            scopes=scopes, need_patient_banner=True, fhir_context=(), intent=None,
        )  # fmt: skip
        self.audit.record(CaseOpened(who=who, patient=case.patient, case=case.reference, derived=launch_id(context.handle), by=self.by))
        if not self.store.derive(browser, context):
            raise self._refused(who, case, "board-over", OVER)
        try:
            facts = self.patient(context)
        except (FhirRefused, FhirMissing):
            self.store.end(context.handle)
            raise self._refused(who, case, "ehr-refused", REFUSED) from None
        except (OutboundError, LaunchError) as error:
            self.store.end(context.handle)
            raise self._refused(who, case, type(error).__name__, SILENT) from None
        if facts.id != case.patient:
            self.store.end(context.handle)
            raise self._refused(who, case, "another-patient", REFUSED)
        self.holdings.save_patient(context.handle, facts)
        return context

    def _refused(self, who: Who, case: Case, reason: str, fault: Fault) -> NotOpened:
        self.audit.record(CaseRefused(who=who, patient=case.patient, case=case.reference, reason=reason))
        return NotOpened(fault, reason)
