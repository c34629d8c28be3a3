"""`priors demo`: makes the pictures, writes the configuration, starts everything, says where to look, stops everything.

Standard output carries the one line that a script reads; progress goes to standard error.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.demo import configuration
from sandbox.demo.children import ChildFailed, Children
from sandbox.demo.plan import ArchivePlan, Plan, PortTaken, choose_port, fixtures_folder
from sandbox.world import ARCHIVES, EXCHANGES, PATIENTS

INTERRUPTED = 130


def command(argv: Sequence[str]) -> int:
    """Run the demo until Ctrl-C. 0: stopped after it was ready; 1: something failed; 2: wrong usage; 130: stopped before."""
    options = _parser().parse_args(argv)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, _interrupt)
    ready = False
    try:
        plan = _prepare(options)
        children = Children(plan.path("logs"))
        try:
            _start(plan, children, options)
            ready = True
            _announce(plan, options)
            children.watch()
        finally:
            _say("Stopping.")
            children.stop()
    except KeyboardInterrupt:
        return 0 if ready else INTERRUPTED
    except ModuleNotFoundError as error:
        _say(f"The demo draws its images with libraries that are not installed here ({error.name}). Install them with: pip install 'priors[demo]'")
        return 1
    except (PortTaken, ChildFailed, OSError) as error:
        _say(str(error))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="priors demo", description="A demo hospital and Priors in its chart, on this machine only. Stop it with Ctrl-C."
    )
    parser.add_argument(
        "--port", type=int, help="port of Priors; the EHR, the archives, the exchanges, the partner hospital and the mailbox take the next nine (default: the first free from 8700)"
    )
    parser.add_argument(
        "--home", type=Path, default=_default_home(), help="folder for pictures, keys and the database (default: %(default)s)"
    )
    parser.add_argument("--workers", type=int, default=2, help="gunicorn workers (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help="few and small pictures: ready sooner, for tests")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--json", action="store_true", help="print one line of JSON when ready, instead of the address")
    parser.add_argument("--reload", action="store_true", help="restart Priors when its code changes")
    return parser


def _default_home() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "priors-demo"


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _prepare(options: argparse.Namespace) -> Plan:
    from sandbox import discs, images  # their libraries are large: not before the options are known to be right

    port = choose_port(options.port)
    home = options.home.expanduser().resolve()
    folder = home / f"port-{port}"
    for one in (home, folder, folder / "data"):
        one.mkdir(mode=0o700, parents=True, exist_ok=True)
    _say("Looking at the demo's images (the first time they are drawn, which takes a while).")
    folders = images.build(home / ("images-small" if options.small else "images"), progress=_say, small=options.small)
    plan = Plan(str(home), str(folder), str(fixtures_folder()), port, tuple(_archives(port, folders)), tuple(_exchanges(port, folders)))
    plan.save()
    configuration.write(plan)
    discs.make(plan.path("discs"), small=options.small)
    return plan


def _archives(port: int, folders: Mapping[str, Path]) -> list[ArchivePlan]:
    """Open to anyone on this machine, so that a script can compare what Priors shows with what an archive holds."""
    return [
        ArchivePlan(
            one.key,
            one.name,
            one.organization,
            port + 2 + place,
            str(folders[one.key]),
            None,
        )
        for place, one in enumerate(ARCHIVES)
    ]


def _exchanges(port: int, folders: Mapping[str, Path]) -> list[ArchivePlan]:
    first = port + 2 + len(ARCHIVES)
    return [
        ArchivePlan(one.key, one.name, one.organization, first + place, str(folders[one.key]), secrets.token_urlsafe(16) if one.key == "larkmoor" else None)
        for place, one in enumerate(EXCHANGES)
    ]


def _start(plan: Plan, children: Children, options: argparse.Namespace) -> None:
    """Start all, then wait for all: Priors asks nobody anything before its first launch."""
    file, config = str(plan.path("plan.json")), {"PRIORS_CONFIG": str(plan.path("priors.yaml"))}
    _say("Starting the demo EHR, three archives, two exchanges, a partner hospital, a mailbox and Priors.")
    servers = [("ehr", plan.ehr_port, "ehr.localhost", "/healthz"), *((one.key, one.port, "127.0.0.1", "/") for one in plan.archives)]
    servers += [("exchanges", one.port, "127.0.0.1", "/") for one in plan.exchanges[-1:]]
    servers.append(("partner", plan.partner_port, "ferrybank.localhost", "/healthz"))
    started = [
        (children.start(name, [sys.executable, "-m", "sandbox.demo.serve", file, name]), port, path, host)
        for name, port, host, path in servers
    ]
    mailbox = ["-m", "sandbox.mailbox", "--child", "--smtp", str(plan.smtp_port), "--http", str(plan.mail_page_port)]
    started.append((children.start("mailbox", [sys.executable, *mailbox]), plan.mail_page_port, "/healthz", "mail.localhost"))
    upgrade = [sys.executable, "-m", "smart_app.cli", "db", "upgrade"]
    upgraded = subprocess.run(upgrade, env={**os.environ, **config}, capture_output=True, text=True, check=False)
    if upgraded.returncode != 0:
        raise ChildFailed(f"The database could not be prepared:\n{upgraded.stdout}{upgraded.stderr}")
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:sandbox.demo.gunicorn_settings", "--bind", f"127.0.0.1:{plan.port}"]
    gunicorn += ["--workers", str(options.workers), "--no-control-socket", *(["--reload"] if options.reload else [])]
    priors = children.start("priors", [*gunicorn, "smart_app.factory:create_app(works=True)"], config)
    for child, port, path, host in [*started, (priors, plan.port, "/readyz", "app.localhost")]:
        children.wait_ready(child, port, path, host)


def _announce(plan: Plan, options: argparse.Namespace) -> None:
    if options.json:
        print(json.dumps(summary(plan)), flush=True)
    else:
        print(f"Open {plan.ehr}/", flush=True)
        _say(f"Mailbox of everybody: {plan.mailbox}/  Discs to drop: {plan.path('discs')}")
        _say(f"Desk of {configuration.PARTNER_NAME}, which is asked by FHIR Task: {plan.partner}/")
        _say("Press Ctrl-C to stop.")
    if not options.no_browser and not options.json and _has_display():
        threading.Thread(target=webbrowser.open, args=(f"{plan.ehr}/",), daemon=True).start()


def summary(plan: Plan) -> dict[str, object]:
    """What `--json` prints: where everything is, and how to launch each patient."""
    return {
        "app": plan.app,
        "ehr": plan.ehr,
        "send": plan.send,
        "mailbox": plan.mailbox,
        "partner": plan.partner,
        "discs": str(plan.path("discs")),
        "archives": [{"key": one.key, "name": one.name, "dicomweb": one.dicomweb} for one in plan.archives],
        "patients": [{"id": one.id, "name": one.name, "story": one.story, "launch": f"{plan.ehr}/launch/{one.id}"} for one in PATIENTS],
    }


def _has_display() -> bool:
    """Whether a browser window can open; a text browser would take over the terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
