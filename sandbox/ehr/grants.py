"""The grants of the demo EHR, on Authlib: code with PKCE S256, refresh with rotation, client credentials, client assertions.

What SMART asks beyond OAuth is added here: S256 only, RS384 and ES384 assertions used once, launch context in the token answer.
"""

from __future__ import annotations

import secrets
from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError, OAuth2Request, grants
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask
from flask import request as flask_request
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from sandbox.ehr.clients import ClientKeys, DemoClient
from sandbox.ehr.options import EhrOptions
from sandbox.ehr.people import USERS, DemoUser
from sandbox.ehr.store import Code, Context, Store, Token

AUTH_METHODS = ["private_key_jwt", "client_secret_basic", "none"]
ASSERTION_ALGS = ["RS384", "ES384"]
LONGEST_ASSERTION = 300 + 60
"""SMART lets a client assertion live five minutes; a minute more for clocks."""


class PlainHttpRequest(FlaskOAuth2Request):
    """Authlib refuses plain http, and on loopback there is nothing else: the check is answered, not switched off process-wide."""

    def __init__(self, request: Any) -> None:
        OAuth2Request.__init__(self, request.method, request.url.replace("http://", "https://", 1), headers=request.headers)
        self._request = request
        self.payload = FlaskOAuth2Payload(request)


class SmartServer(AuthorizationServer):
    """Authlib's server over our `Store`; knows the issuer and what a token answer carries."""

    def __init__(
        self, app: Flask, *, issuer: str, base: str, store: Store, clients: dict[str, DemoClient], options: EhrOptions, signing: jwk.Key
    ) -> None:
        self.issuer, self.base, self.store, self.clients, self.options, self.signing = issuer, base, store, clients, options, signing
        super().__init__(app, query_client=clients.get, save_token=self._remember)
        self.register_client_auth_method("private_key_jwt", SmartAssertion(self))
        self.register_grant(CodeGrant, [S256Only(required=True), SmartIdToken(self), SmartContext(self)])
        self.register_grant(RotatingRefresh, [SmartContext(self)])
        self.register_grant(BackendGrant)

    def create_oauth2_request(self, request: Any) -> FlaskOAuth2Request:
        return PlainHttpRequest(flask_request)

    def _remember(self, token: dict[str, Any], request: Any) -> None:
        past = request.authorization_code or request.refresh_token
        now = self.store.now()
        self.store.add_token(
            Token(
                client_id=request.client.client_id,
                scope=token.get("scope", ""),
                context=past.context if past else Context(user=None),
                family=past.family if past else secrets.token_hex(8),
                issued=now,
                expires=now + token["expires_in"],
                access_token=token["access_token"],
                refresh_token=token.get("refresh_token"),
            )
        )


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    server: SmartServer

    def save_authorization_code(self, code: str, request: Any) -> Code:
        data = request.payload.data
        saved = Code(
            code=code,
            client_id=request.client.client_id,
            redirect_uri=request.payload.redirect_uri or "",
            scope=request.user.scope,
            nonce=data.get("nonce"),
            code_challenge=data["code_challenge"],
            context=request.user.context,
            expires=self.server.store.now() + self.server.options.code_seconds,
            family=secrets.token_hex(8),
        )
        self.server.store.add_code(saved)
        return saved

    def query_authorization_code(self, code: str, client: DemoClient) -> Code | None:
        return self.server.store.code(code, client.client_id)

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Taken when it was read, so that two at once cannot both use it."""

    def authenticate_user(self, authorization_code: Code) -> DemoUser | None:
        return USERS.get(authorization_code.context.user or "")

    def generate_token(self, user: Any = None, scope: str | None = None, include_refresh_token: bool = True, **rest: Any) -> dict[str, Any]:
        # a refresh token only for who asked to stay: online_access or offline_access
        stays = bool({"online_access", "offline_access"} & set((scope or "").split()))
        return super().generate_token(user=user, scope=scope, include_refresh_token=include_refresh_token and stays, **rest)


class RotatingRefresh(grants.RefreshTokenGrant):
    """Each refresh token works once (`Store.take_refresh`); the access token beside it ends with it."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: SmartServer

    def authenticate_refresh_token(self, refresh_token: str) -> Token | None:
        return self.server.store.take_refresh(refresh_token)

    def authenticate_user(self, refresh_token: Token) -> DemoUser | None:
        return USERS.get(refresh_token.context.user or "")

    def revoke_old_credential(self, refresh_token: Token) -> None:
        refresh_token.expires = min(refresh_token.expires, self.server.store.now())


class BackendGrant(grants.ClientCredentialsGrant):
    """SMART Backend Services: a key, `system/` scopes, no person."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["private_key_jwt", "client_secret_basic"]  # noqa: RUF012 - Authlib's own form


class S256Only(CodeChallenge):
    """PKCE is asked of every client, and `plain` is refused (Authlib allows both gaps)."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - Authlib's own form

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with code_challenge_method S256 is required")
        super().validate_code_challenge(grant, redirect_uri)


class SmartAssertion(JWTBearerClientAssertion):
    """private_key_jwt as SMART narrows it: RS384 or ES384, at most five minutes, used once."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def __init__(self, server: SmartServer) -> None:
        super().__init__(validate_jti=True)
        self._server = server
        self._keys = ClientKeys()

    def get_audiences(self) -> list[str]:
        return [f"{self._server.base}/oauth/{name}" for name in ("token", "introspect", "revoke")]

    def resolve_client_public_key(self, client: DemoClient) -> jwk.KeySet:
        headers, _ = self.extract_assertion(flask_request.form["client_assertion"])
        keys = self._keys.of(client, headers.get("kid"))
        if keys is None:
            raise InvalidClientError(description="The public key of this client could not be read.")
        return jwk.KeySet.import_key_set(keys)

    def process_assertion_claims(self, assertion: str, resolve_key: Any) -> dict[str, Any]:
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=ASSERTION_ALGS)
        except (JoseError, ValueError) as error:
            raise InvalidClientError(description="The client assertion is not signed with a registered key.") from error
        self.verify_claims(token.claims)
        return token.claims

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        expires = float(claims["exp"])
        if expires > self._server.store.now() + LONGEST_ASSERTION:
            raise InvalidClientError(description="The client assertion lives longer than five minutes.")
        return self._server.store.first_use(claims["sub"], str(jti), expires + LONGEST_ASSERTION)


class SmartIdToken(OpenIDCode):
    """id_token with `fhirUser`, `nonce`, `name` and the roles that Priors reads."""

    def __init__(self, server: SmartServer) -> None:
        super().__init__(require_nonce=False)
        self._server = server

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return False

    def resolve_client_private_key(self, client: DemoClient) -> jwk.Key:
        return self._server.signing

    def get_client_algorithm(self, client: DemoClient) -> str:
        return self._server.options.id_token_alg

    def get_encode_header(self, client: DemoClient) -> dict[str, str]:
        return {"alg": self._server.options.id_token_alg, "kid": str(self._server.signing.kid), "typ": "JWT"}

    def get_client_claims(self, client: DemoClient) -> dict[str, Any]:
        return {"iss": self._server.issuer, "aud": client.client_id}

    def generate_user_info(self, user: DemoUser, scope: str) -> dict[str, Any]:
        who = {"sub": user.id, "name": user.name, "priors_roles": list(user.roles)}
        if {"fhirUser", "profile"} & set(scope.split()):
            link = f"{self._server.issuer}/Practitioner/{user.id}"
            who |= {"fhirUser": link, "profile": link}
        return who


class SmartContext:
    """Adds the launch context to the token answer (SMART 2.2, "Launch context arrives with your access_token")."""

    def __init__(self, server: SmartServer) -> None:
        self._server = server

    def __call__(self, grant: Any) -> None:
        grant.register_hook("after_create_token_response", self._add)

    def _add(self, grant: Any, answer: tuple[int, dict[str, Any], Any]) -> None:
        past = grant.request.authorization_code or grant.request.refresh_token
        context, options, token = past.context, self._server.options, answer[1]
        if context.patient:
            token["patient"] = context.patient
            token["need_patient_banner"] = options.need_patient_banner
        optional = {
            "encounter": context.encounter,
            "intent": context.intent or options.intent,
            "fhirContext": list(context.fhir_context),
            "appContext": context.app_context,
            "smart_style_url": f"{self._server.base}/smart-style.json" if options.style else None,
        }
        token.update({name: value for name, value in optional.items() if value})
