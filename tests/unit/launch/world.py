"""Everything a launch test needs, wired as the product wires it: sims, outbound client, SQL store, launcher."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from launch.assembly import SmartLaunch, assemble
from launch.authorize import Binding
from launch.context import LaunchContext
from launch.issuers import ClientAuth, Issuer, IssuerDirectory
from launch.service import Opened
from smart_app.db import Base, Database
from smart_app.outbound import Lane, Outbound, origin_of
from smart_app.sealing import Keyring
from smart_app.session_store import SqlSessionStore
from tests.unit.launch.ehr_sim import EhrSim, MovingClock, running

SCOPES = ("openid", "fhirUser", "online_access", "patient/Patient.rs", "patient/ImagingStudy.rs")


def issuer_at(sim: EhrSim, **changes: Any) -> Issuer:
    plain = Issuer(
        key=sim.key,
        name=sim.key.title(),
        issuer=sim.fhir,
        client_id="priors",
        auth=ClientAuth.PUBLIC,
        redirect_uri=f"https://priors.test/cb/{sim.key}",
        frame_ancestors=(sim.origin,),
        scopes=SCOPES,
    )
    return replace(plain, **changes)


def outbound_to(*sims: EhrSim) -> Outbound:
    lanes = [Lane(f"ehr:{sim.key}", frozenset({origin_of(sim.origin)}), allow_http=True, allow_loopback=True) for sim in sims]
    return Outbound(lanes, pin_localhost=False)


def store_in(folder: Path, clock: MovingClock, **more: Any) -> SqlSessionStore:
    db = Database(f"sqlite:///{folder / 'launch.sqlite3'}")
    Base.metadata.create_all(db.engine)
    return SqlSessionStore(db, Keyring({"test": secrets.token_bytes(32)}), clock, idle=timedelta(minutes=15), **more)


@dataclass
class World:
    """One browser before two EHRs."""

    clock: MovingClock
    ehr: EhrSim
    other: EhrSim
    store: SqlSessionStore
    folder: Path
    smart: SmartLaunch
    outbound: Outbound
    cookies: dict[str, str]

    def registered(self, **changes: Any) -> World:
        """The same world, the first EHR registered differently."""
        directory = IssuerDirectory([issuer_at(self.ehr, **changes), issuer_at(self.other)])
        self.smart = assemble(directory, self.store, self.outbound, self.clock, lifetime=timedelta(hours=8))
        return self

    def begin(self, sim: EhrSim | None = None) -> str:
        binding = Binding.new()
        self.cookies[binding.name] = binding.value
        return self.smart.launcher.begin((sim or self.ehr).fhir, "launch-token", binding)

    def begin_sign_in(self, *, wants_patient: bool) -> str:
        binding = Binding.new()
        self.cookies[binding.name] = binding.value
        return self.smart.launcher.begin_sign_in(self.ehr.key, binding, wants_patient=wants_patient)

    def complete(self, params: dict[str, str], key: str | None = None, cookies: dict[str, str] | None = None) -> Opened:
        return self.smart.launcher.complete(key or self.ehr.key, params, self.cookies if cookies is None else cookies)

    def launch(self, **more: str) -> Opened:
        return self.complete(self.ehr.authorize(self.begin(), **more))

    def opened(self) -> tuple[LaunchContext, str]:
        """A launch bound to a browser: its context and the cookie's value."""
        opened = self.launch()
        return opened.context, self.store.open_launch(None, opened.context, opened.tokens)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    clock = MovingClock()
    with ExitStack() as stack:
        ehr = stack.enter_context(running(clock, "northgate"))
        other = stack.enter_context(running(clock, "kestrel"))
        store = store_in(folder, clock)
        stack.callback(store._db.engine.dispose)
        outbound = outbound_to(ehr, other)
        yield World(clock, ehr, other, store, folder, None, outbound, {}).registered()  # type: ignore[arg-type]
