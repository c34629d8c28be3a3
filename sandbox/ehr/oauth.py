"""The authorization server's routes: discovery, authorize, token, keys, introspection, revocation.

SMART App Launch 2.2 with RFC 9207. An EHR launch needs no login, because the chart knows who clicked;
standalone and staff sign-in show a plain picker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from authlib.oauth2.base import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Blueprint, Response, jsonify, render_template, request

from sandbox.ehr.grants import ASSERTION_ALGS, AUTH_METHODS, SmartServer
from sandbox.ehr.options import RESOURCES
from sandbox.ehr.people import USERS
from sandbox.ehr.records import Records
from sandbox.ehr.scopes import without_patient
from sandbox.ehr.store import Context, Token


@dataclass(frozen=True)
class Grant:
    """What the person agreed to: read by the code grant as Authlib's `user`."""

    context: Context
    scope: str


def make_blueprint(server: SmartServer, records: Records) -> Blueprint:
    """Routes under /oauth and the two discovery documents under /fhir."""
    pages = Blueprint("oauth", __name__)
    server.register_endpoint(Introspection)
    server.register_endpoint(Revocation)

    @pages.get("/fhir/.well-known/smart-configuration")
    def smart_configuration() -> Response:
        return jsonify(discovery(server))

    @pages.get("/fhir/.well-known/openid-configuration")
    def openid_configuration() -> Response:
        extra = {"subject_types_supported": ["public"], "id_token_signing_alg_values_supported": [server.options.id_token_alg]}
        return jsonify(discovery(server) | extra)

    @pages.get("/oauth/jwks")
    def jwks() -> Response:
        return jsonify({"keys": [server.signing.as_dict(private=False)]})

    @pages.route("/oauth/authorize", methods=["GET", "POST"])
    def authorize() -> Response | str | tuple[str, int]:
        try:
            grant = server.get_consent_grant(end_user=True)
            _check_aud(server, grant.redirect_uri)
            agreed = _agreed(server, records, grant.request.scope or "", grant.redirect_uri)
        except OAuth2Error as error:
            if error.redirect_uri is None:
                return render_template("refused.html", reason=error.get_error_description()), 400
            return _with_iss(server, server.handle_error_response(server.create_oauth2_request(None), error))
        if agreed is None:
            return _picker(records, wants_patient="launch/patient" in (grant.request.scope or "").split())
        if request.values.get("launch"):
            server.store.spend_launch(request.values["launch"])
        return _with_iss(server, server.create_authorization_response(grant_user=agreed, grant=grant))

    @pages.post("/oauth/token")
    def token() -> Response:
        return server.create_token_response()

    @pages.post("/oauth/introspect")
    def introspect() -> Response:
        return server.create_endpoint_response("introspection")

    @pages.post("/oauth/revoke")
    def revoke() -> Response:
        return server.create_endpoint_response("revocation")

    return pages


def discovery(server: SmartServer) -> dict[str, Any]:
    """The smart-configuration document."""
    options, oauth = server.options, f"{server.base}/oauth"
    permission = ["permission-v1"] if options.scope_style == "v1" else ["permission-v1", "permission-v2"]
    verb = "read" if options.scope_style == "v1" else "rs"
    return {
        "issuer": server.issuer,
        "jwks_uri": f"{oauth}/jwks",
        "authorization_endpoint": f"{oauth}/authorize",
        "token_endpoint": f"{oauth}/token",
        "introspection_endpoint": f"{oauth}/introspect",
        "revocation_endpoint": f"{oauth}/revoke",
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGS,
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": options.advertise_iss,
        "scopes_supported": ["openid", "fhirUser", "launch", "launch/patient", "launch/imagingstudy", "online_access", "offline_access"]
        + [f"patient/{name}.{verb}" for name in RESOURCES],
        "capabilities": [
            "launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric",
            "sso-openid-connect", "context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter", "context-standalone-patient",
            "permission-offline", "permission-online", "permission-patient", "permission-user", *permission,
        ],
    }  # fmt: skip


def _check_aud(server: SmartServer, redirect_uri: str) -> None:
    if request.values.get("aud", "").rstrip("/") != server.issuer:
        raise InvalidRequestError("aud is not this FHIR server", redirect_uri=redirect_uri, state=request.values.get("state"))


def _agreed(server: SmartServer, records: Records, scope: str, redirect_uri: str) -> Grant | None:
    """The context of this authorization; None when a person has to be asked first.

    :raises InvalidRequestError: an unknown, spent or old `launch`.
    """
    state, scopes = request.values.get("state"), set(scope.split())
    if not scopes:
        raise InvalidScopeError(redirect_uri=redirect_uri, state=state)
    if "launch" in scopes:
        context = server.store.launch(request.values.get("launch", ""))
        if context is None:
            raise InvalidRequestError("launch is unknown, used or too old", redirect_uri=redirect_uri, state=state)
        return Grant(context, scope)
    user = request.form.get("demo_user", "")
    if user not in USERS:
        return None
    if "launch/patient" not in scopes:
        return Grant(Context(user=user), without_patient(scope))
    patient = request.form.get("demo_patient", "")
    if records.read("Patient", patient) is None:
        return None
    return Grant(Context(user=user, patient=patient), scope)


def _picker(records: Records, wants_patient: bool) -> str:
    carried = [(name, value) for name, value in request.values.items(multi=True) if not name.startswith("demo_")]
    patients = records.patients() if wants_patient else ()
    return render_template("sign_in.html", carried=carried, users=USERS.values(), patients=patients, wants_patient=wants_patient)


def _with_iss(server: SmartServer, response: Response) -> Response:
    if server.options.send_iss and response.location:
        response.location = with_query(response.location, iss=server.issuer)
    return response


def with_query(url: str, **values: str) -> str:
    """`url` with these query parameters set."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in values]
    return urlunsplit(parts._replace(query=urlencode([*query, *values.items()])))


class Introspection(IntrospectionEndpoint):
    """RFC 7662 with SMART's launch context; a client may look only at its own tokens."""

    CLIENT_AUTH_METHODS = AUTH_METHODS
    server: SmartServer

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        return self.server.store.by_access(token_string)

    def check_permission(self, token: Token, client: Any, request: Any) -> bool:
        return token.client_id == client.client_id

    def introspect_token(self, token: Token) -> dict[str, Any]:
        context = token.context
        known = {
            "sub": context.user,
            "fhirUser": f"{self.server.issuer}/Practitioner/{context.user}" if context.user else None,
            "patient": context.patient,
            "encounter": context.encounter,
        }
        return {
            "active": True,
            "client_id": token.client_id,
            "scope": token.scope,
            "exp": int(token.expires),
            "iat": int(token.issued),
            "iss": self.server.issuer,
            **{name: value for name, value in known.items() if value},
        }


class Revocation(RevocationEndpoint):
    """RFC 7009: ends the whole family, access and refresh."""

    CLIENT_AUTH_METHODS = AUTH_METHODS
    server: SmartServer

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        return self.server.store.by_access(token_string) or self.server.store.by_refresh(token_string)

    def revoke_token(self, token: Token, request: Any) -> None:
        self.server.store.revoke_family(token.family)
