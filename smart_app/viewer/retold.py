"""What one worker's retrieval failed with, told again to those who follow it: written down as a code, raised as that fault."""

from __future__ import annotations

from smart_app.archives import wado as archive_faults
from smart_app.archives.wado import ArchiveFault
from smart_app.audit.log import AuditUnavailable
from smart_app.errors import AppError, Busy, Cut, Fault, NotApproved, OutboundError, Side, TimedOut, TooLarge, Unreachable

PART_OF_STUDY = Fault("part-of-study", Side.ARCHIVE, "It sent only a part of this study.", "Try again, or phone their image library.", True, 502)
WHOLE_TOO_LARGE = Fault("whole-too-large", Side.SETUP, "It sends only whole studies, and this one is larger than may be kept here.",
                        "The image desk can raise frame_cache_bytes, or phone their image library.", False, 502)  # fmt: skip
WHOLE_NOT_KEPT = Fault("whole-not-kept", Side.SETUP, "It sends only whole studies, and Priors is set up to keep none, so this one cannot be opened.",
                       "The image desk can set frame_cache_bytes, or phone their image library.", False, 502)  # fmt: skip
FAULTS: dict[str, Fault] = {
    fault.code: fault
    for fault in (
        *(one for one in vars(archive_faults).values() if isinstance(one, Fault)),
        *(kind.fault for kind in (NotApproved, Unreachable, TimedOut, TooLarge, Busy, Cut)),
        PART_OF_STUDY,
        WHOLE_TOO_LARGE,
    )
}


def retold(code: str, retry_after: str | None) -> AppError:
    if code == AuditUnavailable.fault.code:
        return AuditUnavailable()
    return ArchiveFault(FAULTS[code], retry_after) if code in FAULTS else OutboundError(archive_faults.FAILED)
