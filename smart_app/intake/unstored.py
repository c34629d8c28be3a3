"""Why received objects are not stored, in words for the desk. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from smart_app.intake.received import Instance

REASONS = {
    "other-pixels": "another image with the same number is there already", "other-patient": "it is stored under another patient already",
    "changed": "its received bytes are no longer whole", "cannot-coerce": "its header cannot be rewritten", "damaged": "the archive hands it out damaged",
    "taken-out": "the study was taken out of view, and what the archive holds under its number is not what came for this patient",
    "not-listed": "the archive does not list it", "unknown": "no answer said what became of it",
}  # fmt: skip
"""Fixed words of `received_instances.reason`; `refused-<code>` is the archive's own."""


def why_not(instances: Sequence[Instance]) -> str:
    """Why some are not stored, the most frequent reason first, in words."""
    reasons = [one.reason for one in instances if not one.stage.is_stored]
    words = dict.fromkeys(sorted(reasons, key=reasons.count, reverse=True))
    return ", ".join(f"the archive refused it ({one.removeprefix('refused-')})" if one.startswith("refused-") else REASONS.get(one, "not sent yet") for one in words)
