"""The page of the mailbox: who got what, and each message with links to follow. Read only, but for emptying it."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, abort, redirect, render_template, request
from markupsafe import Markup, escape
from werkzeug.wrappers import Response as WerkzeugResponse

from sandbox import small_pages
from sandbox.mailbox.inbox import LINK, Inbox


def create_mailbox(inbox: Inbox) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(make_blueprint(inbox))
    small_pages.install(app)
    return app


def make_blueprint(inbox: Inbox) -> Blueprint:
    blueprint = Blueprint("mailbox", __name__)

    @blueprint.get("/")
    def listed() -> str:
        to = request.args.get("to", "")
        return render_template("inbox.html", messages=inbox.all(to), to=to, boxes=sorted({one.to for one in inbox.all()}))

    @blueprint.get("/messages.json")
    def as_json() -> list[dict[str, object]]:
        return [
            {"number": one.number, "to": one.to, "subject": str(one.message["Subject"]), "id": str(one.message["Message-ID"]), "copies": one.copies, "text": one.text}
            for one in inbox.all(request.args.get("to", ""))
        ]

    @blueprint.get("/messages/<int:number>")
    def shown(number: int) -> str:
        one = inbox.get(number) or abort(404)
        return render_template("message.html", one=one, body=_clickable(one.text))

    @blueprint.get("/messages/<int:number>/html")
    def as_html(number: int) -> Response:
        one = inbox.get(number) or abort(404)
        response = Response(one.html or "<!doctype html><p>This message has no HTML part.</p>", mimetype="text/html")
        response.headers["Content-Security-Policy"] = "sandbox allow-popups allow-top-navigation-by-user-activation; default-src 'none'; frame-ancestors 'self'"
        return response

    @blueprint.get("/messages/<int:number>/raw")
    def raw(number: int) -> Response:
        one = inbox.get(number) or abort(404)
        return Response(one.raw, mimetype="text/plain")

    @blueprint.post("/clear")
    def clear() -> WerkzeugResponse:
        inbox.clear()
        return redirect("/", 303)

    return blueprint


def _clickable(text: str) -> Markup:
    """The text with its addresses as links."""
    done, at = Markup(), 0
    for found in LINK.finditer(text):
        done += escape(text[at : found.start()]) + Markup('<a href="{0}">{0}</a>').format(found.group())
        at = found.end()
    return done + escape(text[at:])
