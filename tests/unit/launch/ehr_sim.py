"""A small EHR on a real socket that keeps SMART's rules itself and can be scripted to break any of them.

It owes nothing to the libraries under test but joserfc's signing: codes, PKCE, client authentication and refresh rotation
are checked by hand, so that a fault of ours is seen as a refusal of the EHR.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jws, jwt
from joserfc.jwk import ECKey, RSAKey


class MovingClock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **delta: float) -> None:
        self.now += timedelta(**delta)


@cache
def rsa_key(name: str = "one", bits: int = 2048) -> RSAKey:
    return RSAKey.generate_key(bits, {"kid": f"rsa-{name}"})


@cache
def ec_key(name: str = "one", curve: str = "P-384") -> ECKey:
    return ECKey.generate_key(curve, {"kid": f"ec-{name}"})


def sign(header: dict[str, Any], claims: dict[str, Any] | bytes, key: Any) -> str:
    """A compact JWS with any header, also those a careful library would not write."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    registry = jws.JWSRegistry(algorithms=[header["alg"]], strict_check_header=False)
    registry.check_header = lambda _header: None  # type: ignore[method-assign]
    return jws.serialize_compact(header, payload, key, registry=registry)


@dataclass
class Call:
    method: str
    path: str
    form: dict[str, str]
    headers: dict[str, str]
    query: str = ""


@dataclass
class Reply:
    """A scripted answer in place of the right one."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0
    drip: float = 0
    """Seconds between single bytes."""
    cut: bool = False
    """Announce more than is sent."""

    @property
    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class EhrSim:
    """One EHR. `script[path]` answers instead of it; `calls` is everything that came over its socket."""

    def __init__(self, clock: Callable[[], datetime], key: str, host: str = "127.0.0.1") -> None:
        self.clock = clock
        self.key = key
        self.calls: list[Call] = []
        self.script: dict[str, Reply] = {}
        self.discovery: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.answer: dict[str, Any] = {}
        self.signing_key: Any = ec_key()
        self.alg = "ES384"
        self.published: list[dict[str, Any]] | None = None
        self.client_keys: dict[str, Any] = {}
        self.client_secret: str | None = None
        self.jtis: set[str] = set()
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_live: set[str] = set()
        self.refresh_spent: set[str] = set()
        self.revoked = False
        self.rotate = True
        self.refreshes = 0
        self.charts: dict[str, dict[str, Any]] = {}
        """Patient resources by id, given out to that patient's own token only."""
        self.token_patients: dict[str, str | None] = {}
        self.lock = threading.Lock()
        sim = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                sim._serve(self, "GET", b"")

            def do_POST(self) -> None:
                sim._serve(self, "POST", self.rfile.read(int(self.headers.get("Content-Length", "0"))))

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                """A client that hangs up early is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://{host}:{self._server.server_port}"
        self.fhir = f"{self.origin}/fhir"
        self.token_url = f"{self.origin}/token"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    # -- what a test asks --

    @property
    def token_calls(self) -> list[Call]:
        return [call for call in self.calls if call.path == "/token"]

    def configuration(self) -> dict[str, Any]:
        right = {
            "issuer": self.fhir,
            "jwks_uri": f"{self.origin}/jwks",
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": self.token_url,
            "grant_types_supported": ["authorization_code", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "launch-standalone", "sso-openid-connect", "permission-v2", "permission-patient"],
        }
        return {name: value for name, value in {**right, **self.discovery}.items() if value is not ...}

    def authorize(self, url: str, **more: str) -> dict[str, str]:
        """What the EHR's page sends back to the redirect URI after a person agreed."""
        assert url.startswith(f"{self.origin}/authorize")
        asked = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["code_challenge"]) == 43
        assert len(asked["state"]) >= 43
        code = secrets.token_urlsafe(24)
        self.codes[code] = asked
        answer = {"code": code, "state": asked["state"], **more}
        return {name: value for name, value in answer.items() if value is not ...}

    def right_claims(self, asked: dict[str, str]) -> dict[str, Any]:
        now = int(self.clock().timestamp())
        return {
            "iss": self.fhir,
            "sub": "dr-halloran",
            "aud": asked["client_id"],
            "iat": now,
            "exp": now + 300,
            "nonce": asked["nonce"],
            "fhirUser": f"{self.fhir}/Practitioner/p1",
            "name": "Dr Ines Halloran",
        }

    # -- the server --

    def _serve(self, handler: BaseHTTPRequestHandler, method: str, body: bytes) -> None:
        parts = urlsplit(handler.path)
        form = {name: values[0] for name, values in parse_qs(body.decode("latin-1"), keep_blank_values=True).items()}
        call = Call(method, parts.path, form, {name.lower(): value for name, value in handler.headers.items()}, parts.query)
        with self.lock:
            self.calls.append(call)
        reply = self.script.get(parts.path) or self._right(call)
        if reply.delay:
            time.sleep(reply.delay)
        try:
            self._send(handler, reply)
        except OSError:
            handler.close_connection = True

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        handler.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.bytes) + (100 if reply.cut else 0)))
        handler.end_headers()
        for piece in [reply.bytes[i : i + 1] for i in range(len(reply.bytes))] if reply.drip else [reply.bytes]:
            time.sleep(reply.drip)
            handler.wfile.write(piece)
            handler.wfile.flush()
        if reply.cut:
            handler.close_connection = True

    def _right(self, call: Call) -> Reply:
        if call.path == "/fhir/.well-known/smart-configuration":
            return Reply(self.configuration())
        if call.path == "/jwks":
            keys = self.published
            return Reply({"keys": keys if keys is not None else [self.signing_key.as_dict(private=False)]})
        if call.path == "/token" and call.method == "POST":
            return self._token(call)
        if call.path.startswith("/fhir/Patient/"):
            return self._chart(call)
        return Reply({"error": "not here"}, status=404)

    def _chart(self, call: Call) -> Reply:
        patient = call.path.removeprefix("/fhir/Patient/")
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if self.token_patients.get(token) != patient:
            return Reply({"resourceType": "OperationOutcome"}, status=403)
        return Reply(self.charts[patient], headers={"Content-Type": "application/fhir+json"})

    def _token(self, call: Call) -> Reply:
        if refused := self._wrong_client(call):
            return Reply({"error": "invalid_client", "error_description": refused}, status=401)
        grant = call.form.get("grant_type")
        with self.lock:
            if grant == "authorization_code":
                return self._exchange(call.form)
            if grant == "refresh_token":
                return self._refresh(call.form)
        if grant == "client_credentials":
            self.refreshes += 1
            return Reply(
                self._filled(
                    {"access_token": secrets.token_hex(16), "token_type": "bearer", "expires_in": 300, "scope": call.form.get("scope", "")}
                )
            )
        return Reply({"error": "unsupported_grant_type"}, status=400)

    def _wrong_client(self, call: Call) -> str | None:
        if self.client_secret is not None:
            right = base64.b64encode(f"priors:{self.client_secret}".encode()).decode()
            return None if call.headers.get("authorization") == f"Basic {right}" else "basic"
        if self.client_keys:
            return self._wrong_assertion(call.form)
        return None if call.form.get("client_id") == "priors" and "authorization" not in call.headers else "public"

    def _wrong_assertion(self, form: dict[str, str]) -> str | None:
        if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" or "client_id" in form:
            return "type"
        header = json.loads(base64.urlsafe_b64decode(form["client_assertion"].split(".")[0] + "=="))
        key = self.client_keys.get(header["kid"])
        if key is None or header["alg"] not in ("RS384", "ES384"):
            return "key"
        claims = jwt.decode(form["client_assertion"], key, algorithms=[header["alg"]]).claims
        now = self.clock().timestamp()
        fresh = claims["jti"] not in self.jtis and now < claims["exp"] <= now + 300
        self.jtis.add(claims["jti"])
        right = claims["iss"] == claims["sub"] and claims["iss"].startswith("priors") and claims["aud"] == self.token_url
        return None if fresh and right else "claims"

    def _exchange(self, form: dict[str, str]) -> Reply:
        asked = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=").decode()
        if asked is None or challenge != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return Reply({"error": "invalid_grant"}, status=400)
        claims = {**self.right_claims(asked), **self.claims}
        claims = {name: value for name, value in claims.items() if value is not ...}
        header = {"alg": self.alg, "kid": self.signing_key.kid}
        refresh = secrets.token_urlsafe(24)
        self.refresh_live.add(refresh)
        answer = self._filled(
            {
                "access_token": secrets.token_urlsafe(24),
                "token_type": "Bearer",
                "expires_in": 3600,
                "scope": asked["scope"],
                "patient": "chart-1",
                "encounter": "enc-1",
                "need_patient_banner": True,
                "id_token": sign(header, claims, self.signing_key),
                "refresh_token": refresh,
            }
        )
        self.token_patients[str(answer.get("access_token"))] = answer.get("patient")
        return Reply(answer)

    def _refresh(self, form: dict[str, str]) -> Reply:
        sent = form.get("refresh_token", "")
        if sent in self.refresh_spent:
            self.revoked = True  # a token that comes twice was stolen: the whole grant goes
        if self.revoked or sent not in self.refresh_live:
            return Reply({"error": "invalid_grant"}, status=400)
        self.refreshes += 1
        answer: dict[str, Any] = {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "expires_in": 3600, "scope": "openid"}
        if self.rotate:
            self.refresh_live.discard(sent)
            self.refresh_spent.add(sent)
            answer["refresh_token"] = secrets.token_urlsafe(24)
            self.refresh_live.add(answer["refresh_token"])
        return Reply(self._filled(answer))

    def _filled(self, right: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in {**right, **self.answer}.items() if value is not ...}


@contextmanager
def running(clock: Callable[[], datetime], key: str = "northgate") -> Iterator[EhrSim]:
    sim = EhrSim(clock, key)
    try:
        yield sim
    finally:
        sim.stop()


def with_query(url: str, params: dict[str, str]) -> str:
    return f"{url}?{urlencode(params)}"
