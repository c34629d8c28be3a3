"""The demo archive's DICOMweb service: QIDO-RS, WADO-RS and STOW-RS under `/dicom-web`, over one folder.

Names of its endpoints, for faults: search-studies, search-series, search-instances, metadata, retrieve-study, retrieve-series,
retrieve-instance, frames, rendered, thumbnail, bulkdata, store.
"""

from __future__ import annotations

import base64
import hmac
import json
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, request
from pydicom.uid import UID
from werkzeug.exceptions import HTTPException, NotFound

from sandbox import patient_index
from sandbox.archive import metadata, pixels, query, retrieve
from sandbox.archive.index import Index, Instance
from sandbox.archive.store import store
from sandbox.archive.wrong import spoil_rows, swap
from sandbox.faults import Faults, current_fault, install

ROOT = "/dicom-web"
DICOM_JSON = "application/dicom+json"


@dataclass(frozen=True)
class Access:
    """What a caller must present. Empty: nothing."""

    token: str | None = None
    user: str | None = None
    password: str | None = None

    def allows(self, header: str) -> bool:
        wanted = []
        if self.token:
            wanted.append(f"Bearer {self.token}")
        if self.user:
            wanted.append("Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode())
        return not wanted or any(hmac.compare_digest(header.encode(), one.encode()) for one in wanted)


def create_archive(
    folder: Path, *, name: str, faults: Faults, token: str | None = None, basic: tuple[str, str] | None = None, cap: int | None = None, index_of: str | None = None,
    for_this_run: bool = False,
) -> Flask:
    """A WSGI application over `folder`. `cap`: rows it answers at most, with a Warning when there are more.

    `for_this_run`: what is stored is forgotten when it stops, as the folder is shared by runs. `index_of`: key of the archive whose hospital's patient index this server answers for as well, under `/fhir`.
    """
    app = Flask(f"archive-{name}", static_folder=None)
    if index_of is not None:
        app.register_blueprint(patient_index.make_blueprint(patient_index.records_at(index_of)))
    service = _Service(Index(folder), name, cap, for_this_run)
    access = Access(token, *(basic or (None, None)))
    install(app, faults, lambda: request.endpoint if request.endpoint not in ("about", "sandbox_arrivals") else None)

    @app.before_request
    def _authorize() -> Response | None:
        if request.endpoint in ("about", "sandbox_faults", "sandbox_arrivals") or access.allows(request.headers.get("Authorization", "")):
            return None
        return Response("sign in", 401, headers={"WWW-Authenticate": "Bearer" if access.token else 'Basic realm="archive"'})

    @app.errorhandler(pixels.CannotDecode)
    def _undecodable(fault: Exception) -> Response:
        return Response(f"cannot be transcoded: {fault}\n", 406, mimetype="text/plain")

    @app.errorhandler(HTTPException)
    def _plain(fault: HTTPException) -> Response:
        return Response(f"{fault.name}\n", fault.code or 500, mimetype="text/plain")

    study = f"{ROOT}/studies/<study>"
    series, instance = f"{study}/series/<series>", f"{study}/series/<series>/instances/<uid>"

    def route(rule: str, endpoint: str, view: Any, method: str = "GET", **defaults: Any) -> None:
        app.add_url_rule(rule, endpoint, view, methods=[method], defaults=defaults or None)

    route("/", "about", service.about)
    route(f"{ROOT}/studies", "search-studies", service.search, level="studies")
    route(f"{ROOT}/series", "search-series", service.search, level="series")
    route(f"{study}/series", "search-series", service.search, level="series")
    route(f"{ROOT}/instances", "search-instances", service.search, level="instances")
    route(f"{study}/instances", "search-instances", service.search, level="instances")
    route(f"{series}/instances", "search-instances", service.search, level="instances")
    for rule, endpoint in ((study, "retrieve-study"), (series, "retrieve-series"), (instance, "retrieve-instance")):
        route(rule, endpoint, service.retrieve)
        route(f"{rule}/metadata", "metadata", service.metadata)
        route(f"{rule}/rendered", "rendered", service.rendered)
        route(f"{rule}/thumbnail", "thumbnail", service.rendered, small=True)
    route(f"{instance}/frames/<frames>", "frames", service.frames)
    route(f"{instance}/frames/<frames>/rendered", "rendered", service.rendered)
    route(f"{instance}/frames/<frames>/thumbnail", "thumbnail", service.rendered, small=True)
    route(f"{instance}/bulkdata/<name>", "bulkdata", service.bulkdata)
    route(f"{ROOT}/studies", "store", service.store, "POST")
    route(study, "store", service.store, "POST")
    route("/_sandbox/arrivals", "sandbox_arrivals", service.arrive, "POST")
    return app


class _Service:
    """The routes. Each answers from the index and the files; nothing is kept between calls but what `arrive` was sent."""

    def __init__(self, index: Index, name: str, cap: int | None, for_this_run: bool) -> None:
        self._index, self._name, self._cap, self._for_this_run = index, name, cap, for_this_run
        self._passing: Path | None = None

    @staticmethod
    def _base() -> str:
        return request.host_url.rstrip("/") + ROOT

    def about(self) -> Response:
        return Response(f"{self._name}: {len(self._index)} objects, DICOMweb at {ROOT}\n", mimetype="text/plain")

    def _found(self, study: str, series: str | None = None, uid: str | None = None) -> list[Instance]:
        found = self._index.find(study, series, uid)
        if not found:
            raise _not_found()
        return swap(found, self._index) if current_fault("swapped-instance") else found

    def search(self, level: str, study: str | None = None, series: str | None = None) -> Response:
        filters = [(key, value) for key, value in request.args.items(multi=True) if key not in query.NOT_KEYS]
        if current_fault("ignore-filters"):
            filters = []
        if study:
            filters.append(("StudyInstanceUID", study))
        if series:
            filters.append(("SeriesInstanceUID", series))
        rows = query.search(self._index, level, filters, base=self._base())
        fault = current_fault()
        try:
            wanted = {} if fault and fault.kind == "repeated-pages" else request.args.to_dict()
            cap = fault.bytes if fault and fault.kind == "cap" else self._cap
            answer, more = query.page(rows, wanted, cap)
        except ValueError:
            return Response("limit and offset are whole numbers\n", 400, mimetype="text/plain")
        if fault:
            answer = spoil_rows(fault, answer)
        if not answer:
            return Response(status=204)
        told = Response(json.dumps(answer), 206 if fault and fault.kind == "partial" else 200, mimetype=DICOM_JSON)
        if more:
            told.headers["Warning"] = f'299 {self._name}: "There are more results"'
        return told

    def metadata(self, study: str, series: str | None = None, uid: str | None = None) -> Response:
        found, base = self._found(study, series, uid), self._base()

        def lines() -> Iterator[bytes]:
            yield b"["
            for place, one in enumerate(found):
                yield (b"," if place else b"") + json.dumps(metadata.describe(one, base)).encode()
            yield b"]"

        return Response(lines(), mimetype=DICOM_JSON)

    def retrieve(self, study: str, series: str | None = None, uid: str | None = None) -> Response:
        found = self._found(study, series, uid)
        wanted = next(
            (one for one in retrieve.accepted(request.headers.get("Accept")) if retrieve.suits(one.media, "application/dicom")), None
        )
        if wanted is None or wanted.syntax not in ("", "*", retrieve.PLAIN, *{one.syntax for one in found}):
            return Response("application/dicom only\n", 406, mimetype="text/plain")

        # without a transfer syntax the standard means explicit little endian; `*/*` takes what there is
        plain = wanted.syntax == retrieve.PLAIN or (not wanted.syntax and wanted.media == "application/dicom")
        if plain and any(UID(one.syntax).is_private for one in found):
            raise pixels.CannotDecode("unknown transfer syntax")
        base = self._base()

        def part(one: Instance) -> retrieve.Part:
            body: Path | bytes = one.path
            if plain and one.syntax != retrieve.PLAIN:
                body = pixels.plain_object(one.path, one.syntax)
            syntax = retrieve.PLAIN if isinstance(body, bytes) else one.syntax
            here = f"{base}/studies/{one.study}/series/{one.series}/instances/{one.uid}"
            return retrieve.Part(f"application/dicom; transfer-syntax={syntax}", body, here)

        if not wanted.multipart and wanted.media == "application/dicom" and len(found) == 1:
            only = part(found[0])
            return Response(only.blocks(), mimetype=only.content_type, headers={"Content-Length": str(only.length)})
        return _multipart("application/dicom", [part(found[0])] if len(found) == 1 else None, (part(one) for one in found))

    def frames(self, study: str, series: str, uid: str, frames: str) -> Response:
        one = self._found(study, series, uid)[0]
        ds = pixels.read(one.path)
        try:
            numbers = [int(number) for number in frames.split(",")]
            stored = [pixels.stored_frame(ds, one.syntax, number) for number in numbers]
        except (ValueError, IndexError):
            raise _not_found() from None
        kind, _, _ = stored[0][1].partition(";")
        for wanted in retrieve.accepted(request.headers.get("Accept")):
            as_stored = wanted.syntax in ("*", one.syntax) or (wanted.media in ("*/*", "image/*", kind) and not wanted.syntax)
            if as_stored and (retrieve.suits(wanted.media, kind) or wanted.media == "application/octet-stream"):
                parts = [retrieve.Part(media, body) for body, media in stored]
            elif retrieve.suits(wanted.media, "application/octet-stream") and wanted.syntax in ("", retrieve.PLAIN):
                media = f"application/octet-stream; transfer-syntax={retrieve.PLAIN}"
                parts = [retrieve.Part(media, pixels.plain_frame(ds, one.syntax, number)) for number in numbers]
            else:
                continue
            if wanted.multipart or wanted.media == "*/*" or len(parts) > 1:
                return _multipart(parts[0].content_type.partition(";")[0], parts, iter(parts))
            return Response(parts[0].blocks(), content_type=parts[0].content_type, headers={"Content-Length": str(parts[0].length)})
        return Response("no such representation\n", 406, mimetype="text/plain")

    def rendered(self, study: str, series: str | None = None, uid: str | None = None, frames: str = "1", small: bool = False) -> Response:
        found = [one for one in self._found(study, series, uid) if one.header.get("Rows")]
        if not found:
            raise pixels.CannotDecode("nothing to draw")
        one = found[len(found) // 2]
        try:
            window = _numbers(request.args.get("window"), 2)
            viewport = _numbers(request.args.get("viewport"), 2) or ((128.0, 128.0) if small else None)
            quality = min(100, max(1, int(request.args.get("quality") or 85)))
            body = pixels.rendered(
                pixels.read(one.path), one.syntax, int(frames.split(",")[0]), quality=quality,
                window=(window[0], max(window[1], 1.0)) if window else None, viewport=(int(viewport[0]), int(viewport[1])) if viewport else None,
            )  # fmt: skip
        except (ValueError, IndexError):
            return Response("window=centre,width,function viewport=width,height quality=1..100\n", 400, mimetype="text/plain")
        return Response(body, mimetype="image/jpeg")

    def bulkdata(self, study: str, series: str, uid: str, name: str) -> Response:
        body = metadata.bulk(self._found(study, series, uid)[0], name)
        if body is None:
            raise _not_found()
        wanted = retrieve.accepted(request.headers.get("Accept"))
        if wanted and not wanted[0].multipart and wanted[0].media == "application/octet-stream":
            return Response(body, mimetype="application/octet-stream")
        parts = [retrieve.Part("application/octet-stream", body)]
        return _multipart("application/octet-stream", parts, iter(parts))

    def arrive(self) -> Response:
        """Objects that are here for this run only: the folder is shared by all runs, and by the tests."""
        return self.store(passing=True)

    def _for_now(self) -> Path:
        if self._passing is None:
            self._passing = Path(tempfile.mkdtemp(prefix="priors-arrivals-"))
            weakref.finalize(self, shutil.rmtree, self._passing, ignore_errors=True)
        return self._passing

    def store(self, study: str | None = None, passing: bool = False) -> Response:
        folder = self._for_now() if passing or self._for_this_run else None
        try:
            parts = retrieve.read_parts(request.headers.get("Content-Type", ""), request.get_data())
        except ValueError as fault:
            return Response(f"{fault}\n", 400, mimetype="text/plain")
        if any(kind and not kind.startswith("application/dicom") for kind, _ in parts):
            return Response("application/dicom parts only\n", 415, mimetype="text/plain")
        answer, status = store(self._index, [body for _, body in parts], self._base(), study, folder)
        return Response(json.dumps(answer.to_json_dict(suppress_invalid_tags=True)), status, mimetype=DICOM_JSON)


def _multipart(kind: str, known: list[retrieve.Part] | None, parts: Iterator[retrieve.Part]) -> Response:
    body = retrieve.Multipart(kind)
    headers = {"Content-Length": str(body.length(known))} if known else {}
    return Response(body.stream(iter(known) if known else parts), content_type=body.content_type, headers=headers)


def _not_found() -> HTTPException:
    return NotFound()


def _numbers(text: str | None, count: int) -> list[float] | None:
    return [float(one) for one in text.split(",")[:count]] if text else None
