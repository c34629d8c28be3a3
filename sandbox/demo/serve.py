"""One server of the demo world in a process of its own: `python -m sandbox.demo.serve PLAN ehr|exchanges|partner|<archive key>`.

Apart, so that an archive's pixels do not share an interpreter with the EHR. The exchanges, little used, share one.
"""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from pathlib import Path

from flask import Flask

from sandbox.archive.app import create_archive
from sandbox.demo import configuration
from sandbox.demo.parent import end_with_parent
from sandbox.demo.plan import Plan
from sandbox.ehr.app import create_ehr
from sandbox.ehr.clients import BACKEND, DemoClient
from sandbox.ehr.options import EhrOptions
from sandbox.exchange.serving import create_exchange
from sandbox.faults import Faults
from sandbox.partner.app import create_partner
from sandbox.serving import serve


def main(arguments: list[str]) -> int:
    plan, name = Plan.read(Path(arguments[0])), arguments[1]
    apps = [(_ehr(plan), plan.ehr_port)] if name == "ehr" else _exchanges(plan) if name == "exchanges" else [_partner(plan) if name == "partner" else _archive(plan, name)]
    # Blocked in every thread and waited for here: a handler that sets an event can come while that event's own lock is held.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    end_with_parent()
    with ExitStack() as running:
        for app, port in apps:
            running.enter_context(serve(app, port=port))
        signal.sigwait(ends)
    return 0


def _ehr(plan: Plan) -> Flask:
    redirect = f"{plan.app}/cb/northgate"
    clients = (
        DemoClient(configuration.CLIENT_ID, (redirect,), auth="private_key_jwt", jwks_uri=f"{plan.app}/jwks.json"),
        DemoClient(
            configuration.BACKEND_ID,
            auth="private_key_jwt",
            jwks=configuration.public_jwks(plan, configuration.BACKEND_KID),
            grants=BACKEND,
        ),
    )
    return create_ehr(
        Path(plan.fixtures),
        plan.ehr,
        clients=clients,
        launch_url=plan.launch_url,
        faults=Faults(),
        options=EhrOptions(takes_writes=True),
        dicomweb={one.key: one.dicomweb for one in plan.archives},
        archives={one.key: (one.name, one.origin) for one in (*plan.archives, *plan.exchanges)},
    )


def _partner(plan: Plan) -> tuple[Flask, int]:
    token = configuration.partner_token(plan).read_text()
    return create_partner(configuration.PARTNER_NAME, faults=Faults(), token=token, portal=plan.send), plan.partner_port


def _archive(plan: Plan, key: str) -> tuple[Flask, int]:
    one = next(found for found in plan.archives if found.key == key)
    return create_archive(Path(one.folder), name=one.name, faults=Faults(), token=one.token, index_of=one.key, for_this_run=True), one.port


def _exchanges(plan: Plan) -> list[tuple[Flask, int]]:
    return [(create_exchange(one.key, Path(one.folder), one.origin, faults=Faults(), secret=one.token), one.port) for one in plan.exchanges]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
