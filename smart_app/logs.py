"""Structured logs, one JSON object a line. Ids and fixed words only: what could hold PHI or a token is cut out here too.

Modules log through `structlog.get_logger`; libraries that log URLs or tokens at DEBUG are silenced, whatever the level.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

TALKATIVE = ("alembic", "urllib3", "requests", "authlib", "fhirclient", "dicomweb_client", "pydicom", "sqlalchemy.engine", "httpx", "werkzeug", "huey")
_SECRET_FIELD = re.compile(r"token|secret|password|passcode|cookie|authorization|assertion|verifier|nonce|\bcode_|^state$|^handle$|patient|birth|mrn|given|family", re.I)
_QUERY = re.compile(r"((?:https?://|/)[^\s\"'?]*)\?[^\s\"']*")
_USERINFO = re.compile(r"(https?://)[^/\s@]+@")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}", re.I)
_LAUNCH_PATH = re.compile(r"/l/[A-Za-z0-9_-]{22,64}")
CUT = "[cut]"


def configure(*, stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send everything, ours and the libraries', as JSON to `stream` (standard error)."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_without_trace, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, structlog.processors.JSONRenderer(default=_shown)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut values of telling fields, and tokens, credentials, queries and launch handles out of every text."""
    return {name: CUT if _SECRET_FIELD.search(name) and value is not None else _clean(value) for name, value in event.items()}


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        text = _USERINFO.sub(r"\1", _QUERY.sub(r"\1", value))
        return _LAUNCH_PATH.sub("/l/" + CUT, _BEARER.sub(CUT, _JWT.sub(CUT, text)))
    if isinstance(value, dict):
        return redact(None, "", value)
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value


def _without_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A foreign traceback repeats what the exception said: keep its kind only."""
    record: logging.LogRecord | None = event.get("_record")
    if record is not None and record.exc_info and record.exc_info[0]:
        event["kind"] = record.exc_info[0].__name__
        record.exc_info = None
    event.pop("exc_info", None)
    return event


def _shown(value: Any) -> str:
    return type(value).__name__
