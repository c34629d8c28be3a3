"""Where everything of one demo run is: ports, addresses, folders. Written down once, read by every child process."""

from __future__ import annotations

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.world import ARCHIVES, EXCHANGES

DEFAULT_PORT = 8700
LAST_TRIED = 9700
WIDTH = 5 + len(ARCHIVES) + len(EXCHANGES)
"""Ports of one run: Priors, the EHR, then each archive and each exchange, the partner hospital, the mailbox's page and its mail server."""
DICOMWEB = "/dicom-web"


class PortTaken(Exception):
    """Somebody else listens there; the text says what to do."""


@dataclass(frozen=True)
class ArchivePlan:
    key: str
    name: str
    organization: str
    port: int
    folder: str
    token: str | None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def dicomweb(self) -> str:
        return self.origin + DICOMWEB

    @property
    def fhir(self) -> str:
        return f"{self.origin}/fhir"


@dataclass(frozen=True)
class Plan:
    """One run. `home` keeps pictures for all runs; `folder` is this port's own (keys, configuration, database, logs)."""

    home: str
    folder: str
    fixtures: str
    port: int
    archives: tuple[ArchivePlan, ...]
    exchanges: tuple[ArchivePlan, ...] = ()
    """`token` is the OAuth client secret there, where one is wanted."""

    @property
    def app(self) -> str:
        return f"http://app.localhost:{self.port}"

    @property
    def send(self) -> str:
        """Where outside senders come: another host name, the same server."""
        return f"http://send.localhost:{self.port}"

    @property
    def partner_port(self) -> int:
        return self.port + WIDTH - 3

    @property
    def partner(self) -> str:
        """The hospital that is asked by FHIR Task: its desk's page."""
        return f"http://ferrybank.localhost:{self.partner_port}"

    @property
    def mail_page_port(self) -> int:
        return self.port + WIDTH - 2

    @property
    def smtp_port(self) -> int:
        return self.port + WIDTH - 1

    @property
    def mailbox(self) -> str:
        return f"http://mail.localhost:{self.mail_page_port}"

    @property
    def ehr_port(self) -> int:
        return self.port + 1

    @property
    def ehr(self) -> str:
        return f"http://ehr.localhost:{self.ehr_port}"

    @property
    def fhir(self) -> str:
        return f"{self.ehr}/fhir"

    @property
    def launch_url(self) -> str:
        return f"{self.app}/launch"

    def path(self, *parts: str) -> Path:
        return Path(self.folder, *parts)

    def save(self) -> Path:
        file = self.path("plan.json")
        file.write_text(json.dumps(asdict(self)))
        file.chmod(0o600)
        return file

    @classmethod
    def read(cls, file: Path) -> Plan:
        content = json.loads(file.read_text())
        lists = {name: tuple(ArchivePlan(**one) for one in content[name]) for name in ("archives", "exchanges")}
        return cls(**{**content, **lists})


def choose_port(wanted: int | None, among: range = range(DEFAULT_PORT, LAST_TRIED, 10)) -> int:
    """The first port of a free row of ports, `wanted` or one `among`. :raises PortTaken: none is free, or one of those asked for is taken."""
    if wanted is not None:
        taken = [port for port in range(wanted, wanted + WIDTH) if not _is_free(port)]
        if taken:
            listed = ", ".join(map(str, taken))
            raise PortTaken(
                f"Port {listed} is in use on this machine. The demo needs {wanted} to {wanted + WIDTH - 1}: choose others with --port."
            )
        return wanted
    for first in among:
        if all(_is_free(port) for port in range(first, first + WIDTH)):
            return first
    raise PortTaken(f"No free row of {WIDTH} ports between {among.start} and {among.stop}: choose one with --port.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def fixtures_folder() -> Path:
    """`fhir_fixtures/`: beside `sandbox` in a checkout, inside it in an installed wheel."""
    package = Path(__file__).resolve().parents[1]
    inside = package / "fhir_fixtures"
    return inside if inside.is_dir() else package.parent / "fhir_fixtures"
