"""The browser bundle: hashed names from Vite's manifest, served precompressed and kept by browsers for a year."""

from __future__ import annotations

import json
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, request, send_from_directory

from smart_app.access import public
from smart_app.web.headers import with_wasm

PREFIX = "/static/viewer/"
ONE_YEAR = 31_536_000
TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".wasm": "application/wasm", ".json": "application/json",
         ".svg": "image/svg+xml", ".woff2": "font/woff2", ".map": "application/json"}  # fmt: skip


class BundleMissing(Exception):
    """The browser bundle was not built, or an entry of it has another name."""


@dataclass(frozen=True)
class Asset:
    """One entry: its script, the scripts that its static imports bring, and the style sheets of all of them."""

    js: str
    css: tuple[str, ...]
    imports: tuple[str, ...] = ()


class Assets:
    """`folder` is Vite's output with `.vite/manifest.json`; the file is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._manifest: dict[str, dict[str, object]] | None = None

    def __call__(self, entry: str) -> Asset:
        """The files of a source entry such as `src/list/main.ts`. :raises BundleMissing:"""
        manifest = self._read()
        if entry not in manifest:
            raise BundleMissing(f"the browser bundle has no entry {entry}; build it with `make viewer`")
        order = _loaded(manifest, entry, [])
        styles = dict.fromkeys(PREFIX + href for name in order for href in _names(manifest[name].get("css")))
        scripts = dict.fromkeys(PREFIX + str(manifest[name]["file"]) for name in order if name != entry)
        return Asset(PREFIX + str(manifest[entry]["file"]), tuple(styles), tuple(scripts))

    def _read(self) -> dict[str, dict[str, object]]:
        if self._manifest is None:
            path = self._folder / ".vite" / "manifest.json"
            try:
                self._manifest = json.loads(path.read_text())
            except OSError:
                raise BundleMissing("the browser bundle is not built; build it with `make viewer`") from None
        assert self._manifest is not None
        return self._manifest


def make_blueprint(folder: Path) -> Blueprint:
    """Serves the bundle's files, gzipped where the browser takes it and a `.gz` lies beside.

    A worker obeys the policy of its own response, so scripts carry the viewer's.
    """
    blueprint = Blueprint("static_files", __name__)

    @blueprint.get(PREFIX + "<path:name>", endpoint="file")
    @public
    @with_wasm
    def file(name: str) -> Response:
        if any(part.startswith(".") for part in name.split("/")) or name.endswith(".gz"):
            abort(404)
        zipped = request.accept_encodings["gzip"] > 0 and (folder / f"{name}.gz").is_file()
        response = send_from_directory(folder, f"{name}.gz" if zipped else name, mimetype=_type_of(name), conditional=True, etag=not zipped)
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = f"public, max-age={ONE_YEAR}, immutable"
        return response

    return blueprint


def _loaded(manifest: dict[str, dict[str, object]], name: str, path: list[str]) -> list[str]:
    """`name` after all that it imports, each once."""
    found: list[str] = []
    for imported in _names(manifest[name].get("imports")):
        if imported not in path:
            found += _loaded(manifest, imported, [*path, name])
    return list(dict.fromkeys([*found, name]))


def _names(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _type_of(name: str) -> str:
    return TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
