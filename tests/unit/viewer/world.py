"""One launch, one held study, and the gateway's blueprint in a bare app: what the viewer's tests stand on.

The guard is not part of it (tests/unit/web has its own); database, audit, holdings and sockets are real.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Flask, g

from launch.context import LaunchContext, User
from smart_app.archives.registry import Archives
from smart_app.archives.types import Answer, PatientId, SourceState, StudyRecord
from smart_app.archives.wado import Wado
from smart_app.audit.log import AuditLog
from smart_app.audit.models import AuditRecord
from smart_app.config_archives import Archive
from smart_app.db import Base, Database
from smart_app.fhir.patient import PatientFacts
from smart_app.holdings.store import Holdings
from smart_app.outbound import Lane, Outbound, origin_of
from smart_app.sealing import Keyring
from smart_app.viewer.ahead import Ahead
from smart_app.viewer.asking import Doorman
from smart_app.viewer.catalogue import Catalogue
from smart_app.viewer.checks import Checks
from smart_app.viewer.filling import Filler
from smart_app.viewer.following import Following
from smart_app.viewer.gateway import Gateway
from smart_app.viewer.lanes import Seats
from smart_app.viewer.outline import Outline
from smart_app.viewer.reads import Reads
from smart_app.viewer.rewriting import BulkTokens
from smart_app.viewer.shelf import Shelf
from smart_app.viewer.upstream import Upstream
from smart_app.viewer.views import make_blueprint
from smart_app.viewer.whole import WholeStudies
from smart_app.web.converters import install_converters

HANDLE = "h" * 43
OTHER_HANDLE = "o" * 43
ISSUER = "urn:kestrel"
NOW = datetime(2026, 5, 21, 10, 14, tzinfo=UTC)


def context(handle: str = HANDLE, patient: str = "pat-1") -> LaunchContext:
    user = User("https://ehr.example/fhir", "dr-1", name="Dr Halloran")
    return LaunchContext(handle, "northgate", "https://ehr.example/fhir", user, patient, None, frozenset(), NOW, NOW + timedelta(hours=8))


@dataclass
class World:
    """Everything wired as the factory does it. `client` is Flask's test client of the launch."""

    app: Flask
    db: Database
    holdings: Holdings
    keyring: Keyring
    checks: Checks
    root: str
    shelf: Shelf | None = None

    @property
    def client(self):
        return self.app.test_client()

    def get(self, path: str, accept: str | None = None, **headers: str):
        return self.client.get(self.root + path, buffered=True, headers={**({"Accept": accept} if accept else {}), **headers})

    def events(self, name: str) -> list[AuditRecord]:
        with self.db.reading() as session:
            return list(session.query(AuditRecord).filter_by(event=name).order_by(AuditRecord.sequence))


def archive(base: str, **changes: object) -> Archive:
    given = {
        "key": "kestrel", "name": "Kestrel", "organization": "Kestrel Cancer Centre", "dicomweb": base, "patient_id_issuer": ISSUER,
        "identifier_systems": ("urn:sys",), "allow_http": True, "limits": {"frame": 10, "metadata": 10, "retrieve": 30, "first_byte": 5}, **changes,
    }  # fmt: skip
    return Archive.model_validate(given)


def held(holdings: Holdings, study: str, patient_id: str, handle: str = HANDLE, key: str = "kestrel", issuer: str = ISSUER, **record: object) -> None:
    """Put one study into the launch's list."""
    patient = PatientId(patient_id, issuer)
    known = [old for answer in holdings.answers(handle) if answer.source == key for old in answer.studies]
    found = StudyRecord(study, key, "Kestrel Cancer Centre", key, patient, **{"date": "2026-01-20", "description": "CT chest", "modalities": ("CT",), **record})
    holdings.save_answer(handle, Answer(key, "Kestrel", "Kestrel Cancer Centre", SourceState.OK, (*known, found)))
    holdings.save_patient(handle, PatientFacts("pat-1", "DOE, Jane", "Doe", "Jane", "1961-03-02", "Female", (), "MRN-1", True, None))


def build(folder: Path, settings: list[Archive], *, public_url: str = "http://app.localhost:1", url: str | None = None, keep: int = 0) -> World:
    """`keep`: bytes of images kept in the folder; none by default."""
    db = Database(url or f"sqlite:///{folder / 'priors.sqlite3'}")
    Base.metadata.create_all(db.engine)
    keyring = Keyring({"k1": b"k" * 32})
    lanes = [
        Lane(f"archive:{one.key}", frozenset({origin_of(one.wado_base), origin_of(one.qido_base)}), allow_http=True, allow_loopback=True,
             first_byte=one.limits.first_byte, parallel=one.limits.parallel)
        for one in settings
    ]  # fmt: skip
    outbound = Outbound(lanes, pin_localhost=False)
    audit, holdings = AuditLog(db, keyring, lambda: NOW), Holdings(db, keyring, lambda: NOW)
    archives = Archives(settings, read_secret=lambda ref: "secret")
    wado, reads, tokens = Wado(outbound), Reads(db, audit), BulkTokens(keyring)
    doorman = Doorman(archives, holdings, audit, lambda context: None)
    shelf = Shelf(folder / "frames", keyring.derive("frame cache"), most=keep, seconds=3600) if keep else None
    seats = Seats()
    whole = WholeStudies(wado, shelf, seats, reads, tenant="default")
    upstream = Upstream(wado, whole)
    checks = Checks(upstream, holdings, reads, tokens, public_url=public_url, shelf=shelf)
    catalogue = Catalogue(upstream, reads, checks)
    following = Following(wado, Filler(wado, shelf, seats, tenant="default", elsewhere=whole.has), checks, reads) if shelf else None
    gateway = Gateway(upstream, checks, reads, tokens, following)
    ahead = Ahead(following, lambda handle: True).opened if following else None
    outline = Outline(catalogue, checks, holdings, audit, lambda: NOW, not_for_diagnosis="Not for primary diagnosis on this display", opened=ahead)
    app = Flask(__name__)
    install_converters(app)

    @app.before_request
    def guard() -> None:
        from flask import request

        g.launch = context((request.view_args or {}).get("handle", HANDLE))
        g.tenant, g.roles = "default", frozenset()

    app.register_blueprint(make_blueprint(doorman, catalogue, checks, gateway, outline, reads.note))
    key = settings[0].key
    return World(app, db, holdings, keyring, checks, f"/l/{HANDLE}/dicomweb/{key}", shelf)
