"""Security headers of every response, by what the page is. The CSP is the one proved with the viewer (performance.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import Response

View = TypeVar("View", bound=Callable[..., Any])

PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation", "gyroscope", "hid", "magnetometer",
        "microphone", "midi", "payment", "publickey-credentials-get", "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
    )
)  # fmt: skip
HSTS = "max-age=31536000; includeSubDomains"


def with_wasm(view: View) -> View:
    """Mark a page that may open the viewer: its decoders are WebAssembly."""
    view.with_wasm = True  # type: ignore[attr-defined]
    return view


def policy(ancestors: Iterable[str], *, wasm: bool) -> str:
    """The Content-Security-Policy. `ancestors` are the origins that may frame this very page."""
    framed = " ".join(ancestors) or "'none'"
    script = "'self' 'wasm-unsafe-eval'" if wasm else "'self'"
    return (
        f"default-src 'none'; script-src {script}; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        f"connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors {framed}"
    )


def protect(response: Response, *, ancestors: tuple[str, ...], wasm: bool, phi: bool, https: bool, camera: bool = False) -> None:
    """Set the headers. `phi`: never kept by any cache. `camera`: a page that takes photos. Headers a view has set on purpose stay."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", policy(ancestors, wasm=wasm))
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers["Permissions-Policy"] = PERMISSIONS.replace("camera=()", "camera=(self)") if camera else PERMISSIONS
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if phi:
        headers["Cache-Control"] = "no-store"
    if not ancestors:
        # It cannot list several origins, so framed pages go without; frame-ancestors speaks for them.
        headers["X-Frame-Options"] = "DENY"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if https:
        headers["Strict-Transport-Security"] = HSTS
