"""What happens when a launch has come about: the patient is read once, held and audited, and the way on is decided.

A launch whose patient cannot be read does not open: a page without a patient banner is never shown.
"""

from __future__ import annotations

from collections.abc import Callable

from launch.context import LaunchContext
from launch.errors import EhrFaulty, EhrMisconfigured, EhrSilent, LaunchError, SignInRefused
from smart_app.audit.events import LaunchOpened, Who
from smart_app.audit.log import AuditLog
from smart_app.errors import AppError
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings

PatientReader = Callable[[LaunchContext], PatientFacts]
REFUSED = frozenset({"refused", "missing"})
SILENT = frozenset({"timeout", "unreachable", "busy", "paused", "cut"})


class Opening:
    """One a process. `read_patient` asks the EHR with this launch's own token."""

    def __init__(
        self, read_patient: PatientReader, holdings: Holdings, audit: AuditLog, warm: Callable[[LaunchContext, PatientFacts], None] | None = None,
        wants_more: Callable[[LaunchContext], bool] = lambda context: False,
    ) -> None:
        """`warm`: opens connections to whom the list will ask. `wants_more`: something of the chart is to be opened at once."""
        self._wants_more = wants_more
        self._warm = warm
        self._read_patient = read_patient
        self._holdings = holdings
        self._audit = audit

    def open(self, context: LaunchContext, who: Who) -> str:
        """The path to go on to. :raises LaunchError: the patient could not be read, so nothing opens."""
        if context.patient_id is not None:
            facts = self._patient(context)
            if self._warm is not None:
                self._warm(context, facts)
            self._holdings.save_patient(context.handle, facts)
        self._audit.record(LaunchOpened(who=who, patient=context.patient_id))
        if context.patient_id is None:
            return f"/l/{context.handle}/home"
        return f"/l/{context.handle}/{'open' if self._wants_more(context) else 'studies'}"

    def _patient(self, context: LaunchContext) -> PatientFacts:
        try:
            facts = self._read_patient(context)
        except LaunchError:
            raise
        except AppError as error:
            if error.fault.code in REFUSED:
                raise SignInRefused("Patient", reason=f"patient read: {error.fault.code}") from None
            kind = EhrSilent if error.fault.code in SILENT else EhrFaulty
            raise kind(reason=f"patient read: {error.fault.code}") from None
        if facts.id != context.patient_id:
            raise EhrMisconfigured("Patient.id", reason="patient read: another patient came back")
        return facts
