"""An HIE with SMART Imaging Access: Patient and ImagingStudy over FHIR with a token, images by token or by capability address.

Half of its studies want the token at their address, half have an address that is itself the credential: presenting a
token there is refused, so that a leak cannot go unseen. Names of its endpoints, for faults: search-Patient,
search-ImagingStudy, token, images. Of kind `whole-only`: nothing but `/studies/{uid}`
is there, as the standard allows.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request

from sandbox.archive.app import ROOT, create_archive
from sandbox.exchange.fhir import PAYLOAD, REQUIRES_TOKEN, WADO, People, Resource, dated, outcome, searchset
from sandbox.faults import Faults, current_fault, install
from sandbox.imaging_records import imaging_study
from sandbox.model import DemoArchive, DemoStudy

Wsgi = Callable[[dict[str, Any], Any], Any]
CAPABILITY = "/c/"


def create_imaging_exchange(folder: Path, base: str, *, archive: DemoArchive, faults: Faults, client: tuple[str, str]) -> Flask:
    """An exchange at `base` (origin, no slash) over the pictures in `folder`. `client`: OAuth client id and secret."""
    service = _Service(base, archive, client, faults)
    app = Flask(f"exchange-{archive.key}", static_folder=None)
    install(app, faults, lambda: request.endpoint)
    app.add_url_rule("/", "about", lambda: Response(f"{archive.name}: FHIR at /fhir\n", mimetype="text/plain"))
    app.add_url_rule("/oauth/token", "token", service.token, methods=["POST"])
    app.add_url_rule("/fhir/Patient", "search-Patient", service.patients)
    app.add_url_rule("/fhir/ImagingStudy", "search-ImagingStudy", service.imaging)
    pixels = create_archive(folder, name=archive.name, faults=faults)
    app.wsgi_app = service.with_images(app.wsgi_app, pixels.wsgi_app)  # type: ignore[method-assign]
    return app


class _Service:
    def __init__(self, base: str, archive: DemoArchive, client: tuple[str, str], faults: Faults) -> None:
        self._base, self._archive, self._faults = base, archive, faults
        self._people = People(archive)
        self._basic = "Basic " + base64.b64encode(":".join(client).encode()).decode()
        self._tokens: set[str] = set()
        self._capabilities: dict[str, str] = {}

    @property
    def _fhir(self) -> str:
        return f"{self._base}/fhir"

    def token(self) -> Response:
        if request.headers.get("Authorization") != self._basic or request.form.get("grant_type") != "client_credentials":
            told = jsonify(error="invalid_client")
            told.status_code = 401
            return told
        token = secrets.token_urlsafe(24)
        self._tokens.add(token)
        return jsonify(access_token=token, token_type="Bearer", expires_in=300, scope="system/*.rs")

    def patients(self) -> Response:
        if not self._allowed(request.headers.get("Authorization", "")):
            return outcome(401, "login")
        return searchset(self._fhir, self._people.by_identifier(request.args.get("identifier", "")))

    def imaging(self) -> Response:
        if not self._allowed(request.headers.get("Authorization", "")):
            return outcome(401, "login")
        key = request.args.get("patient", "").rpartition("Patient/")[2]
        if self._people.person(key) is None:
            return outcome(403, "forbidden")
        studies = self._people.studies(key)
        found = [self._study(study, key) for study in studies]
        if found and current_fault("wrong-patient"):
            found.append({**found[0], "id": "stranger", "subject": {"reference": "Patient/somebody-else"}})
        return searchset(self._fhir, found, [self._endpoint(study) for study in studies])

    def with_images(self, fhir: Wsgi, pixels: Wsgi) -> Wsgi:
        """DICOMweb under its own root with the token, and under each capability address without one."""

        def app(environ: dict[str, Any], start: Any) -> Any:
            path, shown = environ["PATH_INFO"], environ.get("HTTP_AUTHORIZATION", "")
            if re.search("/studies/[0-9.]+/", path) and any(fault.kind == "whole-only" for fault in self._faults.pending()):
                return Response("only whole studies\n", 404)(environ, start)
            if path.startswith(CAPABILITY):
                secret, _, rest = path.removeprefix(CAPABILITY).partition("/")
                uid = self._capabilities.get(secret)
                if uid is None or shown or not rest.startswith(f"studies/{uid}"):
                    return Response("no\n", 400 if shown else 404)(environ, start)
                return pixels({**environ, "PATH_INFO": f"{ROOT}/{rest}"}, start)
            if path.startswith(ROOT + "/"):
                return pixels(environ, start) if self._allowed(shown) else Response("sign in\n", 401)(environ, start)
            return fhir(environ, start)

        return app

    def _allowed(self, header: str) -> bool:
        return header.removeprefix("Bearer ") in self._tokens

    def _study(self, study: DemoStudy, key: str) -> Resource:
        told = dated(imaging_study(study))
        told.pop("basedOn", None)
        return told | {"subject": {"reference": f"Patient/{key}"}, "endpoint": [{"reference": f"Endpoint/{study.key}"}]}

    def _endpoint(self, study: DemoStudy) -> Resource:
        needs_token = study.chart_shape != "capability"
        if needs_token:
            address = self._base + ROOT
        else:
            secret = next((one for one, uid in self._capabilities.items() if uid == study.uid), None) or secrets.token_urlsafe(24)
            self._capabilities[secret] = study.uid
            address = f"{self._base}{CAPABILITY}{secret}"
        return {
            "resourceType": "Endpoint", "id": study.key, "status": "active", "connectionType": WADO, "payloadType": [PAYLOAD], "address": address,
            "extension": [{"url": REQUIRES_TOKEN, "valueBoolean": needs_token}], "managingOrganization": {"display": self._archive.organization},
        }  # fmt: skip
