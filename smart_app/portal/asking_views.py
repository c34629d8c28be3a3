"""The public page "Send us images": who would like to send, from where, about what. Nothing can be sent before staff have allowed it.

It asks for no patient: initials at most, and it says so. What is typed is text in one line, bounded, and goes into no header. safety.md K7.
"""

from __future__ import annotations

import re
import unicodedata

from flask import Blueprint, Response, make_response, render_template, request

from smart_app.access import for_senders
from smart_app.errors import AppError
from smart_app.portal import words
from smart_app.portal.offers import Asked, Offers, TooManyOffers
from smart_app.portal.pace import MOST_FORM, Pace
from smart_app.portal.words import Site
from smart_app.web import current_who

EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,180}[A-Za-z0-9])?\.[A-Za-z]{2,24}")
LONGEST = {"organization": 120, "person": 120, "email": 254, "phone": 40, "about": 1000, "initials": 12}
NEEDED = ("person", "email", "about")


def make_blueprint(offers: Offers, pace: Pace, site: Site) -> Blueprint:
    blueprint = Blueprint("asking", __name__)

    @blueprint.get("/ask")
    @for_senders
    def page() -> str:
        return render_template("portal/ask.html", site=site, typed={}, wrong={}, longest=LONGEST)

    @blueprint.post("/ask")
    @for_senders
    def ask() -> Response:
        request.max_content_length = MOST_FORM
        who = current_who()
        if pace.is_over(who.address):
            raise AppError(words.TOO_FAST)
        typed = {name: one_line(request.form.get(name, ""), most) for name, most in LONGEST.items()}
        is_patient = request.form.get("kind") == "patient"
        if wrong := wrong_fields(typed, is_patient=is_patient):
            shown = render_template("portal/ask.html", site=site, typed=typed | {"kind": "patient" if is_patient else "site"}, wrong=wrong, longest=LONGEST)
            return make_response(shown, 400)
        pace.count(who.address)
        asked = Asked(**typed, urgent=request.form.get("urgent") == "yes", is_patient=is_patient)
        try:
            number = offers.ask(asked, who)
        except TooManyOffers:
            raise AppError(words.TOO_MANY) from None
        return make_response(render_template("portal/asked.html", site=site, number=number, email=typed["email"]))

    return blueprint


def one_line(text: str, most: int) -> str:
    """As text in one line: no control characters, no line breaks, no more than `most`."""
    plain = "".join(" " if unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp", "Cs") else letter for letter in text)
    return " ".join(plain.split())[:most]


def wrong_fields(typed: dict[str, str], *, is_patient: bool) -> dict[str, str]:
    """What is wrong, by field, in words."""
    wrong = {name: "This is needed." for name in (*NEEDED, *(() if is_patient else ("organization",))) if not typed[name]}
    if typed["email"] and not EMAIL.fullmatch(typed["email"]):
        wrong["email"] = "This is not an e-mail address that we could answer to."
    return wrong
