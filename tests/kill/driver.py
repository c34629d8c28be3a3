"""Kills a process at one step, starts another as an operator would, and says what must hold: nothing lost, nothing double, nothing stuck."""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import yaml
from pydicom import dcmread
from sqlalchemy import select

from sandbox.mailbox.smtp import Mailserver
from smart_app import config_file
from smart_app.clock import utc_now
from smart_app.image_requests.models import RequestEventRow, RequestRow
from smart_app.image_requests.service import OUTGOING
from smart_app.intake.models import ReceivedInstanceRow, StoredObjectRow
from smart_app.intake.received import Stage
from smart_app.jobs.models import WorkRow
from smart_app.parts import Parts, build
from smart_app.portal.receiving import ABANDONED
from smart_app.spool.models import UploadRow
from smart_app.spool.types import UploadState
from tests.kill import ehr, programs, sending
from tests.kill.effects import Outside
from tests.kill.nursery import ROOT, Nursery
from tests.kill.steps import Step
from tests.kill.stories import STORIES
from tests.kill.story import REAL, Programs, Story
from tests.peers import wait_until
from tests.unit.intake.hospital import PATIENT, ScriptedArchive

LEASE_SECONDS = 1.0
"""The setting `work_lease_seconds` of these runs; 45 by default."""

MADE_BY_CHANGES = frozenset({"dispatch", "tell", "recall", "mirror"})
OURS = frozenset({"dispatch", "tell", "recall", "screen", "store", "tell-offer", "purge"})
"""Kinds that the product's own handlers do in `work`."""


@dataclass(frozen=True)
class Setup:
    name: str
    mail: Mailserver
    archive: ScriptedArchive
    archive_url: str
    programs: Programs
    ehr_url: str
    partner_url: str
    database_url: str | None
    queue_url: str | None
    nursery: Nursery


def configure(folder: Path, setup: Setup, *, threads: int = 2, lease: float = LEASE_SECONDS) -> Path:
    key, config = folder / "sealing-key", folder / "priors.yaml"
    key.write_text(secrets.token_urlsafe(32))
    key.chmod(0o600)
    content = {
        "public_url": "http://app.localhost:8700",
        "development": True,
        "data_dir": "data",
        "sealing_keys": [{"id": "test", "file": "sealing-key"}],
        "ehrs": [ehr.configuration(folder, setup.ehr_url)],
        **programs.configuration(folder, setup.partner_url),
        "frame_cache_bytes": 0,
        "work_lease_seconds": lease,
        "work_threads": threads,
        "portal_url": "http://send.localhost:8702",
        "receiving": {"spare_bytes": 0},
        "intake": {"store_certain": True},
        "archives": [
            {
                "key": "northgate", "name": "Northgate", "dicomweb": setup.archive_url, "patient_id_issuer": "NORTHGATE", "local": True, "stores": True,
                "identifier_systems": ["urn:northgate"], "allow_http": True,
            }
        ],
        "mail": {"host": "127.0.0.1", "port": setup.mail.port, "security": "none", "sender": "images@northgate.example"},
    }
    if setup.database_url:
        content["database_url"] = setup.database_url
    if setup.queue_url:
        content["queue_url"] = setup.queue_url
    config.write_text(yaml.safe_dump(content))
    return config


def process(story: str, config: Path) -> subprocess.Popen[bytes]:
    """A process of its own from the start; `Nursery` has them sooner."""
    living = subprocess.Popen([sys.executable, "-m", "tests.kill.victim", story, str(config)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
    # We write its log: a disk that is full for it is none for us.
    threading.Thread(target=_keep, args=(living, config.with_name(f"{story}-lives.log")), daemon=True).start()
    return living


def _keep(process: subprocess.Popen[bytes], log: Path) -> None:
    with process.stdout as said, log.open("wb", buffering=0) as out:  # type: ignore[union-attr]  # it is a pipe
        shutil.copyfileobj(said, out, 1)


@contextmanager
def opened(config: Path) -> Iterator[Parts]:
    parts = build(config_file.load(config))
    try:
        yield parts
    finally:
        parts.database.engine.dispose()


def kill_at(step: Step, setup: Setup, folder: Path, *, survivor: str = "", lease: float = LEASE_SECONDS) -> float:
    """Play the story of this step, with a death at it, to its end. Seconds from the death until all was done by the others."""
    story = STORIES[step.scenario]
    story = replace(story, survivor=survivor or story.survivor)
    config = configure(folder, setup, threads=story.threads, lease=lease)
    outside = Outside(folder)
    if story.prepare is not None:
        with opened(config) as parts:
            story.prepare(parts)
    killed = _die(step, story, config, setup)
    with opened(config) as parts:
        story.again(parts)
        up = folder / "up"
        up.unlink(missing_ok=True)
        log = folder / f"{story.survivor}-lives.log"
        living = setup.nursery.start((story.survivor, str(config)), log)
        try:
            wait_until(lambda: (up.exists() and _is_quiet(parts, story)) or living.poll() is not None, "the work to be taken up and done", 60)
            resumed = time.monotonic() - killed[1]
            assert living.poll() is None, log.read_text()
        finally:
            living.send_signal(signal.SIGTERM)
            assert living.wait(30) == 0
        check(parts, story, outside, killed, setup)
        copies = [one.copies for one in setup.mail.inbox.all()]
        assert len(copies) == story.mails, "each letter is there once"
        assert sum(copies) <= story.mails + step.is_in_doubt, "only the one in doubt may have been given twice"
    outside.db.engine.dispose()
    return resumed


def _die(step: Step, story: Story, config: Path, setup: Setup) -> tuple[int, float]:
    seam = step.seam.replace("smart_app.jobs.bell:InProcess", "smart_app.jobs.huey_bell:RedisBell") if setup.queue_url else step.seam
    log = config.with_name(f"{story.role}-dies.log")
    dying = setup.nursery.start(("--at", seam, step.point.value, str(step.nth), story.role, str(config)), log)
    try:
        status = dying.wait(60)
    except TimeoutError:
        dying.send_signal(signal.SIGKILL)
        raise AssertionError(f"{step.name} is never reached: {log.read_text()}") from None
    assert status == -signal.SIGKILL, f"{step.name} is never reached: {log.read_text()}"
    return dying.pid, time.monotonic()


def _is_quiet(parts: Parts, story: Story) -> bool:
    """What is due tomorrow is not waited for, unless by a machine for which it is tomorrow."""
    soon = utc_now() + (timedelta(days=2) if story.survivor == "tomorrow" else timedelta(hours=1))
    with parts.database.reading() as session:
        rows = session.scalars(select(WorkRow)).all()
    came = not story.comes_again or any(row.kind == "tick" for row in rows)
    return came and not any(row.state == "running" or (row.state == "waiting" and row.kind != ABANDONED and (row.due_at is None or row.due_at < soon)) for row in rows)


def check(parts: Parts, story: Story, outside: Outside, killed: tuple[int, float], setup: Setup) -> None:
    """0 lost, 0 double, 0 stuck, by the rows and by what the outside world saw."""
    with parts.database.reading() as session:
        requests = session.scalars(select(RequestRow)).all()
        events = session.scalars(select(RequestEventRow)).all()
        work = session.scalars(select(WorkRow)).all()
    asked = Counter(one.asked.wanted.accession for one in parts.requests.of_patient(PATIENT.issuer, PATIENT.id))
    assert asked == Counter(story.asked), "each was asked for once, whatever became of the answer"
    assert {row.state for row in requests} == story.expected, [one.note for row in requests for one in parts.requests.history(row.id)]
    due = {(kind, f"{event.request}.{event.sequence}") for event in events for kind in OUTGOING.get(event.action, ("mirror",))}
    assert {(row.kind, row.key) for row in work if row.kind in MADE_BY_CHANGES} == due, "each change made its work, and nothing else did"
    assert not [row for row in work if row.state != "done" and row.kind != ABANDONED], "nothing is stuck, and nothing needs a person"
    told = {(row.kind, row.key) for row in work if story.survivor == "ehr" or (row.kind in OURS and story.survivor in REAL)}
    assert outside.effects() == {(row.kind, row.key) for row in work if row.kind != ABANDONED} - told, "each took effect"
    if story.sends:
        _check_received(parts)
    if story.stored:
        _check_stored(parts, setup.archive, story.stored)
    story.proof(parts, setup.programs)
    assert not parts.audit.verify().faults
    _check_runs(outside, killed)


def _check_received(parts: Parts) -> None:
    with parts.database.reading() as session:
        (id,) = session.scalars(select(UploadRow.id)).all()
        (screen,) = session.scalars(select(WorkRow).where(WorkRow.kind == "screen")).all()
    upload = parts.spool.upload(id)
    assert screen.key == id
    assert upload.state is UploadState.FINISHED
    assert {file.name: file.path.read_bytes() for file in upload.files} == sending.FILES, "every byte, and each file once"
    assert {path.name for path in parts.spool.folder(id).iterdir()} == {file.id for file in upload.files}, "and nothing else"


def _check_stored(parts: Parts, archive: ScriptedArchive, files: Mapping[str, bytes]) -> None:
    with parts.database.reading() as session:
        instances = session.scalars(select(ReceivedInstanceRow)).all()
        receipts = session.scalars(select(StoredObjectRow)).all()
    assert sorted(archive.held) == sorted(dcmread(BytesIO(data)).SOPInstanceUID for data in files.values()), "each is there, and nothing else"
    assert {dcmread(BytesIO(data)).PatientID for data in archive.held.values()} == {"40018334"}
    assert [row.state for row in receipts] == ["verified"] * len(files)
    assert {row.state for row in instances} <= {Stage.STORED.value, Stage.THERE.value}
    assert len(instances) == len(files), "each was listed once"
    assert not list((parts.settings.data_dir / "storing").glob("*.dcm")), "nothing of a patient is left behind"


def _check_runs(outside: Outside, killed: tuple[int, float]) -> None:
    """Nobody does what another, who lives, is doing."""
    last: dict[tuple[str, str], float] = {}
    for kind, key, pid, began, ended in outside.runs():
        assert began >= last.get((kind, key), 0.0), f"{kind} {key} was done twice at a time"
        if ended is None:
            assert pid == killed[0], "only the killed left something unfinished"
        last[kind, key] = ended if ended is not None else 0.0


