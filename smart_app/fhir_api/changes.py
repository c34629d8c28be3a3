"""What a partner may change of a Task, and how it says so: PUT of the whole resource or JSON Patch (RFC 6902). Pure.

Status and its reason; anything else that differs from what is served is refused, not ignored (safety.md Z6).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from smart_app.fhir_api.mapping import Resource
from smart_app.fhir_api.reading import Said, said

NOT_COMPARED = frozenset({"meta", "text", "lastModified", "status", "statusReason", "businessStatus"})
"""Ours to set, or what the partner may change; business status is told, and stays ours."""
PATCHABLE = frozenset({"/status", "/statusReason", "/statusReason/text"})
_TAG = re.compile(r'(?:W/)?"([0-9]{1,9})"')


class RefusedChange(Exception):
    """`issue` is a FHIR issue code, `words` a sentence of ours."""

    def __init__(self, issue: str, words: str) -> None:
        super().__init__(words)
        self.issue, self.words = issue, words


def version_of(if_match: str) -> int | None:
    """The version a client decided on; None when it is not a version of ours."""
    match = _TAG.fullmatch(if_match.strip())
    return int(match[1]) if match else None


def from_put(sent: Any, served: Resource) -> Said:
    """:raises RefusedChange:"""
    if not isinstance(sent, Mapping) or sent.get("resourceType") != "Task" or sent.get("id") != served["id"]:
        raise RefusedChange("invalid", "The body is not this Task.")
    differing = sorted(name for name in {*sent, *served} - NOT_COMPARED if sent.get(name) != served.get(name))
    if differing:
        known = ", ".join(name for name in differing if name in served)
        raise RefusedChange("business-rule", f"Only status and statusReason may be changed{f'; these differ: {known}' if known else ''}.")
    return _said(sent)


def from_patch(operations: Any, served: Resource) -> Said:
    """:raises RefusedChange:"""
    if not isinstance(operations, list) or not 0 < len(operations) <= 10:
        raise RefusedChange("invalid", "The body is not a JSON Patch of one to ten operations.")
    changed: Resource = {"status": served["status"]}
    for one in operations:
        path, verb = (one.get("path"), one.get("op")) if isinstance(one, Mapping) else (None, None)
        if path not in PATCHABLE or verb not in ("test", "add", "replace") or "value" not in one:
            raise RefusedChange("business-rule", "Only status and statusReason may be patched, with test, add or replace.")
        if verb == "test":
            if path != "/status" or one["value"] != served["status"]:
                raise RefusedChange("conflict", "The Task is not as the patch expects it.")
        elif path == "/statusReason/text":
            changed["statusReason"] = {"text": one["value"]}
        else:
            changed[path[1:]] = one["value"]
    return _said(changed)


def _said(task: Mapping[str, Any]) -> Said:
    heard = said(task)
    if heard is None:
        raise RefusedChange("code-invalid", "The status is none that FHIR R4 knows.")
    return heard
