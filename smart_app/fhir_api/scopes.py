"""`system/` scopes (SMART App Launch 2.2 "Scopes"), v1 and v2: what a client is given of what it asks for, and what that allows. Pure.

Only what is served here exists: a scope on another type, a level other than system, or a scope with a query gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

SERVED: Mapping[str, str] = {"Task": "rus", "ServiceRequest": "rs", "Patient": "r", "Organization": "r"}
"""Types and what can be done with them here, as letters of a v2 scope."""
V1 = {"read": "rs", "write": "cud", "*": "cruds"}
_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,60})\.(read|write|\*|c?r?u?d?s?)")


def rights(scopes: Iterable[str]) -> dict[str, frozenset[str]]:
    """Letters by type, of those that are served here."""
    found: dict[str, set[str]] = {}
    for scope in scopes:
        kind, letters = _parse(scope)
        for name, possible in SERVED.items():
            if kind in ("*", name):
                found.setdefault(name, set()).update(set(letters) & set(possible))
    return {name: frozenset(letters) for name, letters in found.items() if letters}


def granted(asked: str, registered: Iterable[str]) -> tuple[str, ...]:
    """What of `asked` (a space-separated list) is given, in v2 form, in the order of `SERVED`; empty: nothing."""
    most, wanted = rights(registered), rights(asked.split())
    both = {name: wanted[name] & most.get(name, frozenset()) for name in SERVED if name in wanted}
    return tuple(f"system/{name}.{''.join(sorted(letters, key='cruds'.index))}" for name, letters in both.items() if letters)


def allows(scopes: Iterable[str], kind: str, letter: str) -> bool:
    return letter in rights(scopes).get(kind, frozenset())


def is_meaningful(scope: str) -> bool:
    """Whether it gives anything here: a misspelt registration is found at the start."""
    return bool(rights([scope]))


def _parse(scope: str) -> tuple[str, str]:
    match = _SCOPE.fullmatch(scope)
    if match is None:
        return "", ""
    return match[1], V1.get(match[2], match[2])
