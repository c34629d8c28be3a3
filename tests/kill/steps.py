"""Every step at which a process of ours is killed, by name. The product knows nothing of them: see decision 17.

A step is a function of the product (a seam) and a point in it. `victim` wraps the seam in the process that is to die, so a
name that no longer exists, or a step that is never reached, fails the test: no step is passed over in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Point(StrEnum):
    """Where in a call of the seam."""

    ENTER = "enter"
    """Nothing of it is done."""
    COMMIT = "commit"
    """All is written, and the database has not been told to keep it."""
    COMMITTED = "committed"
    """The database keeps it, and nobody here knows yet."""
    LEAVE = "leave"
    """It is done, and who called has not been told."""


@dataclass(frozen=True)
class Step:
    scenario: str
    """Which story of `stories` gets there."""
    seam: str
    """`module:Class.method`."""
    point: Point
    nth: int = 1
    """At the n-th time in the life of the process."""

    @property
    def name(self) -> str:
        number = f"#{self.nth}" if self.nth > 1 else ""
        return f"{self.scenario}:{self.seam.rpartition(':')[2]}:{self.point}{number}"

    @property
    def is_in_doubt(self) -> bool:
        """A letter was given, and nobody knows whether it was taken: it may be given once more."""
        return (self.seam, self.point) in ((f"{POST}.hand_over", Point.LEAVE), (f"{OUTBOX}._handing", Point.COMMITTED))


def _all(scenario: str, seam: str, *points: Point, nth: int = 1) -> tuple[Step, ...]:
    return tuple(Step(scenario, seam, point, nth) for point in points)


ENTER, COMMIT, COMMITTED, LEAVE = Point.ENTER, Point.COMMIT, Point.COMMITTED, Point.LEAVE
LEDGER, WORKER = "smart_app.jobs.ledger:Ledger", "smart_app.jobs.worker:Worker"
REQUESTS = "smart_app.image_requests.service:Requests"
RECEIVING, TAKING, SLOT = "smart_app.portal.receiving:Receiving", "smart_app.spool.taking:Taking", "smart_app.spool.disk:Slot"
DISPATCH, OUTBOX, POST = "smart_app.dispatch.sending:Dispatch", "smart_app.dispatch.outbox:Outbox", "smart_app.dispatch.transport:Post"
ARRIVAL, STORING, STORING_RUN = "smart_app.intake.arrival:Arrival", "smart_app.intake.storing:Storing", "smart_app.intake.storing:_Run"
REVIEW, UNDO, RETENTION = "smart_app.intake.review:Review", "smart_app.intake.undo:Undo", "smart_app.intake.retention:Retention"
AWAITED = "smart_app.intake.awaited:Awaited"
GUARD, CHARTS = "smart_app.intake.chart_guard:ChartGuard", "smart_app.intake.charts:Charts"
BULK, SENDER_LINKS, EMERGENCY = "smart_app.desk.bulk:Bulk", "smart_app.desk.sender_links:SenderLinks", "smart_app.desk.emergency:EmergencyLinks"
TOKENS, SERVED, DOOR = "smart_app.fhir_api.tokens:ApiTokens", "smart_app.fhir_api.served:Served", "smart_app.fhir_api.door:Door"
PARTNERS, MIRROR, COPIES = "smart_app.fhir_api.partner:Partners", "smart_app.fhir_api.mirror:Mirror", "smart_app.fhir_api.copies:Copies"
WRITER, OFFERS = "smart_app.fhir.writing:FhirWriter", "smart_app.portal.offers:Offers"
RECORDER = "tests.kill.effects:Recorder"

STEPS: tuple[Step, ...] = (
    # A process starts on an empty database, or on one that is used.
    *_all("start", "smart_app.migrations.schema:upgrade", ENTER, COMMIT, COMMITTED, LEAVE),
    # Somebody asks for images: request, event, audit, and two pieces of work in one transaction.
    *_all("ask", f"{REQUESTS}.create", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("ask", f"{REQUESTS}._change", ENTER, LEAVE),
    *_all("ask", f"{LEDGER}.add", ENTER, LEAVE),
    *_all("ask", f"{LEDGER}.add", ENTER, LEAVE, nth=2),
    *_all("ask", "smart_app.audit.log:AuditLog.record", ENTER, LEAVE),
    *_all("ask", "smart_app.jobs.bell:InProcess.ring", ENTER),
    # Somebody changes one.
    *_all("change", f"{REQUESTS}.act", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("change", f"{REQUESTS}._note_down", ENTER, LEAVE),
    *_all("change", f"{LEDGER}.add", LEAVE),
    # A sender sends files.
    *_all("send", f"{RECEIVING}.begin", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("send", f"{RECEIVING}.announce", COMMIT, COMMITTED, LEAVE),
    *_all("send", f"{SLOT}.write", ENTER, LEAVE),
    *_all("send", f"{SLOT}.write", LEAVE, nth=4),
    *_all("send", "smart_app.spool.disk:flush_folder", ENTER, LEAVE),
    *_all("send", "smart_app.spool.disk:flush_folder", LEAVE, nth=3),
    *_all("send", f"{TAKING}.take", COMMIT, COMMITTED, LEAVE),
    *_all("send", f"{TAKING}.take", COMMIT, COMMITTED, LEAVE, nth=5),
    *_all("send", f"{TAKING}.finish", ENTER, LEAVE),
    *_all("send", f"{RECEIVING}._close", ENTER, LEAVE),
    *_all("send", f"{RECEIVING}.finish", ENTER, COMMIT, COMMITTED, LEAVE),
    # A request is told by e-mail, and taken back by another.
    *_all("mail", f"{DISPATCH}.dispatch", ENTER, LEAVE),
    *_all("mail", "smart_app.links.store:Links.issue", ENTER, LEAVE),
    *_all("mail", f"{DISPATCH}.link_for", COMMIT, COMMITTED),
    *_all("mail", f"{OUTBOX}._prepared", COMMIT, COMMITTED),
    *_all("mail", f"{OUTBOX}._handing", ENTER, COMMIT, COMMITTED),
    *_all("mail", f"{POST}.hand_over", ENTER, LEAVE),
    *_all("mail", f"{OUTBOX}.send", LEAVE),
    *_all("mail", f"{OUTBOX}.send", LEAVE, nth=2),
    *_all("recall", f"{DISPATCH}.recall", ENTER, LEAVE),
    *_all("recall", f"{OUTBOX}._handing", COMMITTED),
    *_all("recall", f"{POST}.hand_over", LEAVE),
    # What was sent is screened, and what is certain is stored.
    *_all("store", f"{ARRIVAL}.handle", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("store", "smart_app.intake.screening:Screening.screen", ENTER, LEAVE),
    *_all("store", f"{STORING}.handle", ENTER, LEAVE),
    *_all("store", "smart_app.intake.coercion:coerce", ENTER, LEAVE),
    *_all("store", f"{STORING_RUN}._claimed", COMMIT, COMMITTED),
    *_all("store", "smart_app.archives.stow:Stow.send", ENTER, LEAVE),
    *_all("store", f"{STORING_RUN}._told", COMMIT, COMMITTED),
    *_all("store", f"{STORING_RUN}._read_back", ENTER, COMMIT, COMMITTED),
    *_all("store", f"{STORING_RUN}._read_back", COMMITTED, nth=2),
    *_all("store", f"{STORING}._conclude", ENTER, COMMIT, COMMITTED),
    # A worker does what is due.
    *_all("work", f"{LEDGER}.claim", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("work", f"{LEDGER}.claim", COMMIT, COMMITTED, nth=3),
    *_all("work", f"{RECORDER}.take_effect", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("work", f"{RECORDER}.take_effect", COMMITTED, nth=4),
    *_all("work", f"{LEDGER}.settle", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("work", f"{LEDGER}.settle", ENTER, COMMITTED, nth=3),
    *_all("work", f"{WORKER}._do", ENTER, LEAVE),
    *_all("long", f"{LEDGER}.beat", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("long", f"{LEDGER}.beat", COMMITTED, nth=3),
    # A worker puts off what cannot be done yet, and one that fails.
    *_all("later", f"{LEDGER}.settle", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("failing", f"{LEDGER}.settle", COMMIT, COMMITTED),
    # A worker finds what a dead one left.
    *_all("left", f"{LEDGER}.release_silent", COMMIT, COMMITTED, LEAVE),
    # Work that comes again.
    *_all("periods", f"{LEDGER}.every", ENTER, COMMIT, COMMITTED, LEAVE),
    # It is told to stop, and is killed all the same.
    *_all("stop", f"{WORKER}.stop", ENTER, LEAVE),
    # Two persons say whose images these are; then they are stored.
    *_all("review", f"{REVIEW}.confirm", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("review", f"{REVIEW}.confirm", COMMIT, COMMITTED, LEAVE, nth=2),
    *_all("review", f"{REVIEW}._change", LEAVE),
    *_all("review", f"{REVIEW}._change", LEAVE, nth=2),
    # A stored study is taken out of every view, and looked at again; two persons bring it back.
    *_all("undo", f"{UNDO}.withdraw", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("undo", f"{UNDO}.look_again", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("back", f"{STORING}.handle", ENTER, LEAVE),
    *_all("back", f"{STORING_RUN}.round", ENTER, LEAVE),
    *_all("back", f"{STORING_RUN}._read_back", COMMIT, COMMITTED),
    *_all("back", f"{STORING_RUN}._read_back", COMMITTED, nth=3),
    *_all("back", f"{STORING}._conclude", ENTER, COMMIT, COMMITTED, LEAVE),
    # The chart is not as it was when it is to be stored: the item is turned back. Or it moves only after the death.
    *_all("merged", f"{GUARD}.passed", ENTER, LEAVE),
    *_all("merged", f"{GUARD}._turn_back", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("merged", f"{CHARTS}.turn_back", ENTER, LEAVE),
    *_all("merged-then", f"{STORING_RUN}._read_back", COMMITTED),
    # The EHR is silent then, and answers again.
    *_all("silent", f"{GUARD}.passed", ENTER, COMMIT, COMMITTED),
    *_all("heard", f"{GUARD}.passed", ENTER, COMMIT, COMMITTED, LEAVE),
    # Somebody takes the surviving chart.
    *_all("survivor", f"{REVIEW}.take_survivor", ENTER, LEAVE),
    *_all("survivor", f"{REVIEW}._link", ENTER, COMMIT, COMMITTED, LEAVE),
    # Bytes whose time is over go: the row says so, they go, the row says that they are gone; then the folder of an upload that nobody needs.
    *_all("expire", f"{RETENTION}.handle", ENTER, LEAVE),
    *_all("expire", f"{RETENTION}._begin", ENTER, COMMIT, COMMITTED),
    *_all("expire", "smart_app.intake.retention:_unlink", ENTER, LEAVE),
    *_all("expire", "smart_app.intake.retention:_unlink", LEAVE, nth=2),
    *_all("expire", f"{RETENTION}._conclude", COMMIT, COMMITTED),
    *_all("expire", f"{RETENTION}._conclude", COMMIT, COMMITTED, LEAVE, nth=2),
    *_all("expire", "smart_app.spool.store:Spool.remove", ENTER, LEAVE),
    *_all("expire-part", f"{RETENTION}._begin", COMMITTED),
    *_all("expire-part", "smart_app.intake.retention:_unlink", ENTER, LEAVE),
    *_all("expire-part", f"{RETENTION}._conclude", COMMIT, COMMITTED),
    # Images came before their patient's chart.
    *_all("ahead", f"{AWAITED}.handle", ENTER, LEAVE),
    *_all("ahead", f"{AWAITED}._link", ENTER, COMMIT, COMMITTED, LEAVE),
    # The desk does three things with three requests.
    *_all("desk", f"{BULK}.one", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("desk", f"{REQUESTS}.assign", LEAVE, nth=2),
    *_all("desk", f"{REQUESTS}.note", ENTER, LEAVE),
    *_all("desk", f"{BULK}.one", COMMIT, COMMITTED, nth=5),
    *_all("desk", f"{REQUESTS}.remind", ENTER, LEAVE),
    *_all("desk", f"{BULK}.one", COMMITTED, nth=8),
    *_all("desk", f"{BULK}.run", LEAVE, nth=3),
    # It lets a link live longer, and ends it; makes one for emergencies; allows what was offered.
    *_all("link", f"{SENDER_LINKS}.extend", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("link", "smart_app.links.store:Links.extend", LEAVE),
    *_all("link", f"{SENDER_LINKS}.revoke", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("link", "smart_app.links.store:Links.revoke", LEAVE),
    *_all("emergency", f"{EMERGENCY}.make", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("offer", f"{OFFERS}.allow", ENTER, COMMIT, COMMITTED, LEAVE),
    # A program shows its proof once, is given a token, and accepts three Tasks.
    *_all("program", f"{DOOR}.token", ENTER, LEAVE),
    *_all("program", f"{TOKENS}.first_use", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("program", f"{TOKENS}.issue", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("program", f"{SERVED}.change", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("program", f"{SERVED}.change", COMMIT, COMMITTED, nth=3),
    # A partner is asked by FHIR Task.
    *_all("partner", f"{PARTNERS}.send", ENTER, COMMIT, LEAVE),
    *_all("partner", f"{COPIES}.begin", COMMIT, COMMITTED),
    *_all("partner", f"{COPIES}.begin", COMMITTED, nth=3),
    *_all("partner", "smart_app.wiring.fhir_api:_upload", COMMIT, COMMITTED),
    *_all("partner", f"{WRITER}.transaction", ENTER, LEAVE),
    *_all("partner", f"{WRITER}.transaction", LEAVE, nth=2),
    *_all("partner", f"{COPIES}.arrived", LEAVE),
    *_all("partner", f"{PARTNERS}.send", LEAVE, nth=2),
    # The EHR is told how each request stands.
    *_all("mirror", f"{MIRROR}.__call__", ENTER, LEAVE),
    *_all("mirror", f"{COPIES}.begin", COMMIT, COMMITTED),
    *_all("mirror", f"{WRITER}.create", ENTER, LEAVE),
    *_all("mirror", f"{WRITER}.create", ENTER, LEAVE, nth=2),
    *_all("mirror", f"{COPIES}.note", COMMIT, COMMITTED),
    *_all("mirror", f"{COPIES}.note", COMMIT, COMMITTED, nth=2),
)
