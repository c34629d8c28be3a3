"""What views learn about the request under way."""

from __future__ import annotations

from flask import Flask, g

from smart_app.web.context import current_who, request_reference


def test_a_request_has_one_reference_and_a_nobody_without_a_launch() -> None:
    with Flask("x").test_request_context(environ_base={"REMOTE_ADDR": "192.0.2.7"}):
        g.tenant = "default"
        who = current_who()
        assert (who.subject, who.launch, who.address, who.request_id) == ("", "", "192.0.2.7", request_reference())
        assert request_reference() == request_reference()
