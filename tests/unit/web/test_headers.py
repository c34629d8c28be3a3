"""Exact headers, by what the page is."""

from __future__ import annotations

import pytest

from tests.unit.web.conftest import HANDLE, OVER, World

CSP = (
    "default-src 'none'; script-src {script}; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors {framed}"
)
WASM = "'self' 'wasm-unsafe-eval'"


@pytest.mark.parametrize(
    ("path", "cookie", "script", "framed"),
    [
        (f"/l/{HANDLE}/studies", "browser-a", WASM, "https://ehr.example"),
        (f"/l/{HANDLE}/who", "browser-a", "'self'", "https://ehr.example"),
        (f"/l/{HANDLE}/image/kestrel/1.2.404", "browser-a", "'self'", "https://ehr.example"),
        ("/", None, "'self'", "'none'"),
        ("/nowhere", None, "'self'", "'none'"),
        (f"/l/{HANDLE}/who", "browser-b", "'self'", "'none'"),
        ("/cb/other", None, "'self'", "https://other.example"),
        ("/cb/unknown", None, "'self'", "'none'"),
        ("/launch?iss=https://other.example/fhir", None, "'self'", "https://other.example"),
        ("/launch?iss=https://evil.example/fhir", None, "'self'", "https://ehr.example https://other.example"),
        (f"/l/{OVER}/who", "browser-a", "'self'", "https://ehr.example https://other.example"),
        ("/static/viewer/assets/list-1a.js", None, WASM, "'none'"),
    ],
)
def test_policy(world: World, path: str, cookie: str | None, script: str, framed: str) -> None:
    response = world.client(cookie).get(path, buffered=True)
    assert response.headers["Content-Security-Policy"] == CSP.format(script=script, framed=framed)
    assert response.headers.get("X-Frame-Options") == ("DENY" if framed == "'none'" else None)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "camera=()" in response.headers["Permissions-Policy"]
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    if "static" not in path:
        assert response.headers["Cache-Control"] == "no-store"


def test_no_hsts_over_plain_http(bundle, keyring, tmp_path) -> None:
    from tests.unit.web.conftest import make_world, settings

    world = make_world(bundle, keyring, tmp_path / "templates", settings(public_url="http://app.localhost:8700", development=True))
    response = world.client().get("/", headers={"Host": "app.localhost:8700"})
    assert response.status_code == 200
    assert "Strict-Transport-Security" not in response.headers


def test_bundle_files_are_kept_and_come_gzipped(world: World) -> None:
    plain = world.client(None).get("/static/viewer/assets/list-1a.js", buffered=True)
    zipped = world.client(None).get("/static/viewer/assets/list-1a.js", headers={"Accept-Encoding": "br, gzip"}, buffered=True)
    assert (plain.data, zipped.data) == (b"let x = 1", b"\x1f\x8bzipped")
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Content-Type"] == plain.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert "immutable" in zipped.headers["Cache-Control"]
    assert "Accept-Encoding" in zipped.headers["Vary"]
    assert world.client(None).get("/static/viewer/assets/x.wasm", buffered=True).headers["Content-Type"] == "application/wasm"


@pytest.mark.parametrize("name", [".vite/manifest.json", "assets/list-1a.js.gz", "../templates/error.html", "%2e%2e/templates/error.html", "nothing.js"])
def test_nothing_else_is_served(world: World, name: str) -> None:
    assert world.client(None).get(f"/static/viewer/{name}").status_code == 404


def test_the_manifest_names_scripts_and_styles(world: World) -> None:
    from smart_app.web.assets import BundleMissing

    asset = world.app.jinja_env.globals["asset"]
    assert asset("src/list/main.ts").js == "/static/viewer/assets/list-1a.js"
    assert asset("src/list/main.ts").css == ("/static/viewer/assets/app.css", "/static/viewer/assets/list.css")
    assert asset("src/list/main.ts").imports == ("/static/viewer/assets/shared.js",), "what it imports, not itself, though they import each other"
    with pytest.raises(BundleMissing):
        asset("src/nowhere.ts")
