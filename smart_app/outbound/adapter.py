"""Lends our rules to a `requests` session that a library (Authlib) insists on owning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import BaseAdapter
from requests.models import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict

if TYPE_CHECKING:
    from smart_app.outbound.client import Outbound


class GuardedAdapter(BaseAdapter):
    """Sends through `Outbound.request`. Redirects come back as their bare status: there is no Location to follow.

    The session's own `timeout`, `verify`, `cert` and `proxies` have no effect. Raises our domain errors.
    """

    def __init__(self, outbound: Outbound, lane: str, *, deadline: float, max_bytes: int) -> None:
        super().__init__()
        self._outbound = outbound
        self._lane = lane
        self._deadline = deadline
        self._max_bytes = max_bytes

    def send(
        self, request: PreparedRequest, stream: bool = False, timeout: Any = None, verify: Any = True, cert: Any = None, proxies: Any = None
    ) -> Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if body is not None and not isinstance(body, bytes):
            raise requests.exceptions.RequestException("only whole bodies are sent")
        reply = self._outbound.request(
            self._lane,
            request.method or "GET",
            request.url or "",
            headers=_sendable(request.headers),
            body=body,
            deadline=self._deadline,
            max_bytes=self._max_bytes,
        )
        response = Response()
        response.status_code = reply.status
        response.headers = CaseInsensitiveDict(reply.headers)
        if 300 <= reply.status < 400:
            response.headers.pop("Location", None)
        response.headers.pop("Set-Cookie", None)
        response.url = request.url or ""
        response.request = request
        response._content = reply.body
        content_type = reply.headers.get("Content-Type", "")
        response.encoding = "utf-8" if "json" in content_type else requests.utils.get_encoding_from_headers(response.headers)
        return response

    def close(self) -> None:
        """The connections belong to `Outbound`."""


def _sendable(headers: Mapping[str, str | bytes]) -> dict[str, str]:
    """Text fields only; what inflates the answer or keeps the line is ours to say."""
    ours = {"accept-encoding", "connection", "host", "content-length"}
    text = {name: value.decode("latin-1") if isinstance(value, bytes) else value for name, value in headers.items()}
    return {name: value for name, value in text.items() if name.lower() not in ours}
