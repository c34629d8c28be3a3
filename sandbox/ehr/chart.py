"""The chart: patient list, one patient's pages, the surgery schedule, and the Images tab that frames the app cross-site.

Believable and plainly a demo. Nobody signs in: a switcher chooses who is looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for

from sandbox.ehr.arrivals import Arrivals
from sandbox.ehr.facts import ChartFacts, chart_facts, schedule
from sandbox.ehr.options import EhrOptions
from sandbox.ehr.people import DEFAULT_USER, USERS, DemoUser
from sandbox.ehr.records import Records
from sandbox.ehr.store import Context, Store
from sandbox.ehr.style import SMART_STYLE
from sandbox.ehr.trouble import Troubles
from sandbox.faults import Faults

TABS = {"summary": "Summary", "results": "Results", "images": "Images", "orders": "Orders"}
USER_COOKIE = "demo_user"


@dataclass(frozen=True)
class Places:
    """Where things are: this EHR, its FHIR base, and the app's launch and sign-in pages."""

    base: str
    launch_url: str

    @property
    def app(self) -> str:
        parts = urlsplit(self.launch_url)
        return f"{parts.scheme}://{parts.netloc}"


def make_blueprint(
    records: Records,
    store: Store,
    *,
    base: str,
    launch_url: str,
    options: EhrOptions,
    faults: Faults,
    archives: Mapping[str, tuple[str, str]],
) -> Blueprint:
    """The pages of the chart at `base`."""
    pages = Blueprint("chart", __name__, static_folder="static", static_url_path="/static")
    places = Places(base, launch_url)
    troubles, arrivals = Troubles(faults, archives), Arrivals(archives)

    @pages.context_processor
    def shared() -> dict[str, object]:
        return {"ehr": options, "me": _me(), "users": USERS.values(), "app_url": places.app, "tabs": TABS}

    @pages.after_request
    def policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = (
            f"default-src 'self'; frame-src 'self' {places.app}; base-uri 'none'; object-src 'none'"
        )
        response.headers["Cache-Control"] = response.headers.get("Cache-Control", "no-store")
        return response

    @pages.get("/")
    def patients() -> str:
        return render_template("patients.html", patients=[chart_facts(records, one) for one in records.patients()], here="patients")

    @pages.get("/chart/<patient>")
    @pages.get("/chart/<patient>/<tab>")
    def chart(patient: str, tab: str = "summary") -> str:
        if tab not in TABS:
            abort(404)
        return render_template(f"chart_{tab}.html", patient=_facts(records, patient), tab=tab, here="patients")

    @pages.get("/launch/<patient>")
    def launch(patient: str) -> Response:
        """Mint a launch and open the app, as the click on "Images" does; `?user=` chooses who clicks.

        `study` is an ImagingStudy in view (`fhirContext`), `app` what a card or task gives along (`appContext`).
        """
        facts = _facts(records, patient)
        user = request.args.get("user") or _me().id
        if user not in USERS:
            abort(404)
        shown = tuple({"reference": f"ImagingStudy/{study}"} for study in request.args.getlist("study"))
        context = Context(
            user=user, patient=facts.id, encounter=facts.encounter_id, intent=options.intent, fhir_context=shown, app_context=request.args.get("app")
        )
        handle = store.new_launch(context, options.launch_seconds)
        answer = redirect(f"{launch_url}?{urlencode({'iss': f'{base}/fhir', 'launch': handle})}", 302)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @pages.get("/schedule")
    def surgery() -> str:
        return render_template("schedule.html", cases=schedule(records), here="schedule")

    @pages.post("/user")
    def switch_user() -> Response:
        chosen = request.form.get("user", "")
        back = request.form.get("back", "")
        answer = redirect(back if back.startswith("/") and not back.startswith("//") else "/", 303)
        if chosen in USERS:
            answer.set_cookie(USER_COOKIE, chosen, samesite="Lax", httponly=True)
        return answer

    @pages.get("/faults")
    def faults_page() -> str:
        return render_template("faults.html", systems=troubles.systems(), kinds=troubles.kinds, here="faults", arrivals=arrivals)

    @pages.post("/faults")
    def make_faults() -> Response:
        troubles.apply(request.form.get("system", ""), request.form.get("kind", ""))
        return redirect(url_for("chart.faults_page"), 303)

    @pages.post("/arrivals")
    def send_study() -> Response:
        arrivals.send()
        return redirect(url_for("chart.faults_page", _anchor="arrivals"), 303)

    @pages.get("/smart-style.json")
    def smart_style() -> Response:
        answer = jsonify(SMART_STYLE)
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    @pages.get("/favicon.ico")
    def favicon() -> Response:
        return redirect(url_for("chart.static", filename="mark.svg"), 302)

    @pages.get("/healthz")
    def healthz() -> Response:
        return jsonify(ok=True)

    return pages


def _me() -> DemoUser:
    return USERS.get(request.cookies.get(USER_COOKIE, ""), USERS[DEFAULT_USER])


def _facts(records: Records, patient: str) -> ChartFacts:
    found = records.read("Patient", patient)
    if found is None:
        abort(404)
    return chart_facts(records, found)
