"""FHIR and OAuth answers gone wrong in ways that only their content shows; the rest of the faults are `sandbox.faults`.

Search kinds: `endless` (a next link that never ends), `foreign-next` (next at `location`), `wrong-patient` (an entry of
another patient; `after` chooses the page), `bad-entry` (one unreadable entry), `outcome` (an OperationOutcome entry).
Token kinds: `no-patient`, `other-patient` (`text` is its id), `fewer-scopes` (`text` is what is left), `no-expiry`, `no-id-token`.
Authorize kinds: `swapped-iss` (`text` is the iss sent), `no-iss`, `swapped-state`, `denied`.
"""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Flask, Response, g, request

from sandbox.ehr.records import Records, patients_of
from sandbox.faults import current_fault


def endpoint_name() -> str | None:
    """What faults call the request at hand: `smart-configuration`, `token`, `read-Patient`, `search-ImagingStudy` …"""
    name = (request.endpoint or "").split(".")
    if name[0] == "oauth":
        return name[1].replace("_", "-")
    if name[0] == "fhir":
        kind = (request.view_args or {}).get("kind")
        return f"{name[1]}-{kind}" if kind else name[1]
    return None


def spoil(bundle: dict[str, Any], records: Records, base: str, kind: str) -> dict[str, Any]:
    """The searchset as the pending fault wants it."""
    fault = current_fault()
    if fault is None:
        return bundle
    if fault.kind in ("endless", "repeated-pages"):
        offset = int(request.args.get("_again", 0)) + 1
        bundle["link"] = [
            *bundle["link"][:1],
            {"relation": "next", "url": f"{base}/{kind}?{urlencode({**request.args, '_offset': 0, '_again': offset})}"},
        ]
    elif fault.kind == "foreign-next":
        bundle["link"] = [*bundle["link"][:1], {"relation": "next", "url": fault.location or "http://127.0.0.1:9/fhir/next"}]
    elif fault.kind == "wrong-patient":
        strangers = [one for one in records.all(kind) if g.token.context.patient not in patients_of(one)]
        bundle["entry"] += [
            {"fullUrl": f"{base}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in strangers[:1]
        ]
    elif fault.kind == "bad-entry":
        odd = copy.deepcopy(bundle["entry"][0]["resource"]) if bundle["entry"] else {"resourceType": kind}
        odd |= {"id": "odd", "series": "not a list", "modality": 7, "identifier": {"value": None}, "started": ["?"]}
        bundle["entry"].insert(0, {"fullUrl": f"{base}/{kind}/odd", "resource": odd, "search": {"mode": "match"}})
    elif fault.kind == "outcome":
        issue = {"severity": "warning", "code": "incomplete", "diagnostics": fault.text or "one source of this server did not answer"}
        bundle["entry"].append({"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}})
    return bundle


def install_oauth(app: Flask) -> None:
    """Spoil token answers and authorize redirects as the pending fault wants it."""

    @app.after_request
    def _after(response: Response) -> Response:
        fault = current_fault()
        if fault is None:
            return response
        if request.endpoint == "oauth.token" and response.status_code == 200 and response.is_json:
            token = response.get_json()
            if fault.kind == "no-patient":
                token.pop("patient", None)
            elif fault.kind == "other-patient":
                token["patient"] = fault.text
            elif fault.kind == "fewer-scopes":
                token["scope"] = fault.text or "openid fhirUser patient/Patient.rs"
            elif fault.kind == "no-expiry":
                token.pop("expires_in", None)
            elif fault.kind == "no-id-token":
                token.pop("id_token", None)
            response.set_data(json.dumps(token))
        elif request.endpoint == "oauth.authorize" and response.location:
            response.location = _redirect(response.location, fault.kind, fault.text)
        return response


def _redirect(url: str, kind: str, text: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    if kind == "swapped-iss":
        query["iss"] = text or "https://other-ehr.example/fhir"
    elif kind == "no-iss":
        query.pop("iss", None)
    elif kind == "swapped-state":
        query["state"] = text or "not-the-state-you-sent"
    elif kind == "denied":
        query.pop("code", None)
        query["error"] = "access_denied"
    return urlunsplit(parts._replace(query=urlencode(query)))
