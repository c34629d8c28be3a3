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
    """One entry: its script, and the style sheets it and its static imports bring."""

    js: str
    css: tuple[str, ...]


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
        return Asset(PREFIX + str(manifest[entry]["file"]), tuple(self._styles(manifest, entry, set())))

    def _styles(self, manifest: dict[str, dict[str, object]], name: str, seen: set[str]) -> list[str]:
        if name in seen:
            return []
        seen.add(name)
        found: list[str] = []
        for imported in _names(manifest[name].get("imports")):
            found += self._styles(manifest, imported, seen)
        found += [PREFIX + href for href in _names(manifest[name].get("css"))]
        return list(dict.fromkeys(found))

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


def _names(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _type_of(name: str) -> str:
    return TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
