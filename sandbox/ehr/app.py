"""The demo EHR as one Flask application: wiring only."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from flask import Flask
from joserfc import jwk

from sandbox.ehr import chart, fhir, fhir_faults, oauth, scopes
from sandbox.ehr.clients import DemoClient
from sandbox.ehr.grants import SmartServer
from sandbox.ehr.options import EhrOptions
from sandbox.ehr.records import Records
from sandbox.ehr.store import Store
from sandbox.faults import Faults, install


def create_ehr(
    fixtures: Path,
    base: str,
    *,
    clients: Iterable[DemoClient],
    launch_url: str,
    faults: Faults,
    options: EhrOptions | None = None,
    dicomweb: Mapping[str, str] | None = None,
    archives: Mapping[str, tuple[str, str]] | None = None,
    now: Callable[[], float] = time.time,
) -> Flask:
    """An EHR at `base` (origin, no slash) whose FHIR base is `{base}/fhir` and whose Images tab opens `launch_url`.

    `dicomweb` (archive key to base URL) fills the placeholders of the fixtures' Endpoints; `archives` (key to name and
    origin) are those the Faults page may disturb.
    """
    options = options or EhrOptions()
    app = Flask(__name__, static_folder=None)
    app.config.update(
        OAUTH2_REFRESH_TOKEN_GENERATOR=True,
        OAUTH2_TOKEN_EXPIRES_IN=dict.fromkeys(("authorization_code", "refresh_token", "client_credentials"), options.token_seconds),
    )
    store, records = Store(now), Records.load(fixtures, dicomweb or {})
    registered = {one.client_id: _with_scopes(one, options) for one in clients}
    signing = _signing_key(options.id_token_alg)
    server = SmartServer(app, issuer=f"{base}/fhir", base=base, store=store, clients=registered, options=options, signing=signing)
    app.extensions["records"] = records
    install(app, faults, fhir_faults.endpoint_name)
    fhir_faults.install_oauth(app)
    app.register_blueprint(oauth.make_blueprint(server, records))
    app.register_blueprint(fhir.make_blueprint(records, store, f"{base}/fhir", options))
    app.register_blueprint(
        chart.make_blueprint(records, store, base=base, launch_url=launch_url, options=options, faults=faults, archives=archives or {})
    )
    return app


def _with_scopes(client: DemoClient, options: EhrOptions) -> DemoClient:
    backend = "client_credentials" in client.grants
    return dataclasses.replace(client, grantable=lambda scope: scopes.grantable(scope, style=options.scope_style, backend=backend))


def _signing_key(alg: str) -> jwk.Key:
    parameters = {"use": "sig", "alg": alg, "kid": f"ehr-{alg.lower()}"}
    if alg.startswith("RS"):
        return jwk.RSAKey.generate_key(2048, parameters, private=True)
    return jwk.ECKey.generate_key({"ES256": "P-256", "ES384": "P-384"}[alg], parameters, private=True)
