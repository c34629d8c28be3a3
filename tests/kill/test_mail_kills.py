"""J8, by a process that dies: kill -9 at each step of sending, and one message is in the mailbox; none is lost, none is told of twice."""

from __future__ import annotations

import random
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select, update

from sandbox.mailbox.smtp import Mailserver
from smart_app.dispatch.models import FollowUpRow, MessageRow
from smart_app.image_requests.models import RequestEventRow
from smart_app.image_requests.types import NewRequest, Route, RouteKind, Urgency, Wanted
from smart_app.image_requests.workflow import Act, Deed
from smart_app.jobs.models import WorkRow
from smart_app.parts import Parts
from tests.kill.driver import Setup, configure, opened, process
from tests.kill.steps import COMMIT, COMMITTED, ENTER, LEAVE, Step, _all
from tests.kill.stories import PATIENT, STAFF
from tests.kill.test_kills import SEED
from tests.peers import wait_until

OUTBOX, DISPATCH, FOLLOW_UP = "smart_app.dispatch.outbox:Outbox", "smart_app.dispatch.sending:Dispatch", "smart_app.dispatch.followup:FollowUp"
ASKING: tuple[Step, ...] = (
    *_all("mail", f"{DISPATCH}.link_for", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("mail", f"{OUTBOX}._prepared", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("mail", "smart_app.dispatch.transport:Post.hand_over", ENTER, LEAVE),
    *_all("mail", f"{OUTBOX}._handing", ENTER, COMMIT, COMMITTED, LEAVE),
    *_all("mail", "smtplib:SMTP.data", ENTER, LEAVE),
    *_all("mail", f"{OUTBOX}.send", ENTER, LEAVE),
    *_all("mail", f"{OUTBOX}.send", COMMIT, COMMITTED, nth=3),
    *_all("mail", f"{DISPATCH}.dispatch", ENTER, LEAVE),
)
"""`send` commits three times: prepared, handed over, accepted."""
REMINDING: tuple[Step, ...] = (
    *_all("mail", f"{FOLLOW_UP}.sweep", ENTER, LEAVE),
    *_all("mail", f"{FOLLOW_UP}._follow", COMMIT, COMMITTED, LEAVE),
    *_all("mail", f"{FOLLOW_UP}._take", ENTER, LEAVE),
    *_all("mail", f"{DISPATCH}._remind", ENTER, LEAVE),
)
TO = "rosa@example.org"


def play(step: Step, setup: Setup, folder: Path, server: Mailserver) -> None:
    config = configure(folder, setup)
    content = yaml.safe_load(config.read_text())
    mail = {"host": server.host, "port": server.port, "security": "none", "sender": "images@northgate.example"}
    config.write_text(yaml.safe_dump(content | {"portal_url": "http://send.localhost:8700", "mail": mail}))
    with opened(config) as parts:
        for number in range(2):
            parts.requests.create(NewRequest(PATIENT, Wanted(f"CT {number}", "CT", accession=f"KV-{number}"), Route(RouteKind.PATIENT, TO), None, Urgency.EMERGENCY), STAFF)
        reminds = step in REMINDING
        if reminds:
            _work(parts, config)
            _pass(parts, timedelta(minutes=16))
        dying = process("mail", config, step, setup.queue_url is not None)
        dying.wait(60)
        assert dying.returncode == -signal.SIGKILL, (folder / "mail-dies.log").read_text()
        _work(parts, config, reminders=2 if reminds else 0)
        _check(parts, server, reminds)


def _work(parts: Parts, config: Path, reminders: int = 0) -> None:
    living = process("mail", config)
    try:
        wait_until(lambda: living.poll() is not None or _is_done(parts, 2 + reminders), "the mail to be out", 60)
        assert living.poll() is None, (config.parent / "mail-lives.log").read_text()
    finally:
        living.send_signal(signal.SIGTERM)
        assert living.wait(30) == 0


def _is_done(parts: Parts, messages: int) -> bool:
    with parts.database.reading() as session:
        waiting = session.scalars(select(WorkRow.key).where(WorkRow.state.in_(("waiting", "running")), WorkRow.kind == "dispatch")).all()
        return not waiting and len(session.scalars(select(MessageRow.key).where(MessageRow.state == "accepted")).all()) == messages


def _pass(parts: Parts, span: timedelta) -> None:
    """As if it had been asked so long ago."""
    then = datetime.now(UTC) - span
    with parts.database.transaction() as session:
        session.execute(update(RequestEventRow).where(RequestEventRow.action == Act.SEND.value).values(at=then))
        session.connection().exec_driver_sql(f"UPDATE image_requests SET created_at = '{then:%Y-%m-%d %H:%M:%S}'" + ("" if parts.database.is_sqlite else "::timestamp at time zone 'UTC'"))


def _check(parts: Parts, server: Mailserver, reminds: bool) -> None:
    shown = [(one.to, str(one.message["Subject"]).partition(":")[0]) for one in server.inbox.all()]
    assert sorted(shown) == [(TO, "Images asked for")] * 2 + [(TO, "Reminder")] * 2 * reminds, "a mailbox shows each once"
    assert sum(one.copies for one in server.inbox.all()) <= len(shown) + 1, "only what was in doubt was given again"
    for request in parts.requests.of_patient(PATIENT.issuer, PATIENT.id):
        told = [one.note for one in parts.requests.history(request.id) if one.action == Deed.TELL.value]
        assert told.count("E-mail handed over to their mail server. It names no patient.") == 1
        assert told.count("Reminder handed over to their mail server.") == request.reminded == reminds
        links = parts.links.of_request(request.id)
        assert len([link for link in links if not link.ended]) == 1
        texts = [one.text for one in server.inbox.all() if request.id in str(one.message["Subject"])]
        assert all(parts.links.address(links[0]) in text for text in texts), "the link that was sent is the one that lives"
    with parts.database.reading() as session:
        assert len(session.scalars(select(FollowUpRow).where(FollowUpRow.step == "remind")).all()) == 2 * reminds
    assert not parts.audit.verify().faults


@pytest.mark.parametrize("step", random.Random(SEED).sample([*ASKING, *REMINDING], 1), ids=lambda step: step.name)
def test_some_steps_of_sending(step: Step, setup: Setup, tmp_path: Path, mailbox: Mailserver) -> None:
    play(step, setup, tmp_path, mailbox)


@pytest.mark.campaign
@pytest.mark.parametrize("step", [*ASKING, *REMINDING], ids=lambda step: step.name)
def test_each_step_of_sending(step: Step, setup: Setup, tmp_path: Path, mailbox: Mailserver) -> None:
    play(step, setup, tmp_path, mailbox)
