"""Reads what a sender's page says: announced files, and numbers of files that will not come. All of it is strict; names are only text."""

from __future__ import annotations

import re

from flask import Request

from smart_app.errors import AppError
from smart_app.portal.words import NOT_READ
from smart_app.spool.types import Announced

MOST_FILES = 500
"""In one announcement."""
LONGEST_NAME = 1000
_HASH = re.compile(r"(?:[0-9a-f]{64})?")


def json_of(request: Request) -> object:
    """What the body says; None when it is no JSON, or nested so deep that nobody meant it."""
    try:
        return request.get_json(silent=True)
    except RecursionError:
        return None


def announced(body: object) -> tuple[Announced, ...]:
    """:raises AppError: it is anything but a list of files."""
    files = body.get("files") if isinstance(body, dict) and set(body) == {"files"} else None
    if not isinstance(files, list) or not 0 < len(files) <= MOST_FILES:
        raise AppError(NOT_READ)
    return tuple(_file(one) for one in files)


def numbers(body: object) -> tuple[int, ...]:
    """:raises AppError:"""
    if body is None:
        return ()
    left = body.get("without", []) if isinstance(body, dict) and set(body) <= {"without"} else None
    if not isinstance(left, list) or len(left) > 50_000 or not all(type(one) is int for one in left):
        raise AppError(NOT_READ)
    return tuple(left)


def _file(one: object) -> Announced:
    if not isinstance(one, dict) or not set(one) <= {"name", "size", "mark", "sha256"}:
        raise AppError(NOT_READ)
    name, size, mark, sha256 = one.get("name"), one.get("size"), one.get("mark", ""), one.get("sha256", "")
    if not isinstance(name, str) or not isinstance(mark, str) or not isinstance(sha256, str) or type(size) is not int:
        raise AppError(NOT_READ)
    if not 0 < len(name) <= LONGEST_NAME or len(mark) > 40 or not _HASH.fullmatch(sha256) or not 0 <= size < 1 << 40:
        raise AppError(NOT_READ)
    return Announced(name, size, mark, sha256)
