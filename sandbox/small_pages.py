"""What the small pages of the sandbox share (mailbox, partner hospital): their look, their policy, and that they keep themselves new."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response

HERE = Path(__file__).parent
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; frame-src 'self'; form-action 'self' {forms}; base-uri 'none'; frame-ancestors 'self'"


def install(app: Flask, *, forms: str = "") -> None:
    """`/style.css`, `/watch.js`, `/healthz` and headers for every page. `forms`: another origin where a form may lead to."""

    @app.after_request
    def guarded(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", POLICY.format(forms=forms).replace(" ;", ";"))
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    @app.get("/style.css")
    def page_style() -> Response:
        return Response((HERE / "small_pages.css").read_text(), mimetype="text/css")

    @app.get("/watch.js")
    def page_watch() -> Response:
        return Response((HERE / "small_pages.js").read_text(), mimetype="text/javascript")

    @app.get("/healthz")
    def healthz() -> str:
        return "ok"
