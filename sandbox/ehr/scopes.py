"""SMART scopes, v1 and v2: which are granted, and what a granted one allows (SMART App Launch 2.2, "Scopes")."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sandbox.ehr.options import RESOURCES, WRITABLE

PLAIN = frozenset(
    {
        "openid",
        "fhirUser",
        "profile",
        "launch",
        "launch/patient",
        "launch/encounter",
        "launch/imagingstudy",
        "online_access",
        "offline_access",
    }
)
V1 = re.compile(r"^(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(read|write|\*)$")
V2 = re.compile(r"^(patient|user|system)/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)(\?[^\s]*)?$")


def grantable(scope: str, *, style: str, backend: bool) -> str:
    """The part of `scope` this server knows and gives; a v1 server drops what is written in v2."""
    return " ".join(one for one in dict.fromkeys(scope.split()) if _is_grantable(one, style, backend))


def without_patient(scope: str) -> str:
    """What is left for somebody who signed in without a patient."""
    return " ".join(one for one in scope.split() if not one.startswith("patient/") and one not in ("launch", "launch/patient"))


def allowed(scopes: Iterable[str], resource: str, verb: str) -> frozenset[str]:
    """Compartments ("patient", "user", "system") in which these scopes allow `verb` ("r" or "s") on `resource`."""
    found = set()
    for scope in scopes:
        level, kind, verbs = _parse(scope)
        if kind in (resource, "*") and verb in verbs:
            found.add(level)
    return frozenset(found)


def _parse(scope: str) -> tuple[str, str, str]:
    if match := V1.match(scope):
        return match[1], match[2], {"read": "rs", "write": "cud", "*": "cruds"}[match[3]]
    if match := V2.match(scope):
        return match[1], match[2], match[3]
    return "", "", ""


def _is_grantable(scope: str, style: str, backend: bool) -> bool:
    if scope in PLAIN:
        return not backend
    level, kind, verbs = _parse(scope)
    if not verbs or (kind != "*" and kind not in (*RESOURCES, *WRITABLE)):
        return False
    if style == "v1" and not V1.match(scope):
        return False
    return (level == "system") == backend
