"""The `priors` command: serve, worker, check, audit, db, and what other packages add (`priors.commands` entry points).

A thin entry above the factory. Exit codes: 0 well, 1 something did not answer, 2 wrong configuration or usage.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.metadata import entry_points
from pathlib import Path

from smart_app import config_file
from smart_app.audit.log import Verdict
from smart_app.breakglass.review import Case
from smart_app.config import Settings
from smart_app.config_file import WrongConfiguration

Command = Callable[[Sequence[str]], int]
HOUSEKEEPING_SECONDS = 60
WORKER = "smart_app.serving.worker.Worker"
CONNECTIONS = 600
"""Connections that a web worker holds at most besides those that its threads work for; a process may have 1,024 files open where nobody says more."""


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    added = {point.name: point for point in entry_points(group="priors.commands")}
    if arguments and arguments[0] in added:
        command: Command = added[arguments[0]].load()
        return command(arguments[1:])
    parser = _parser(sorted(added))
    options = parser.parse_args(arguments)
    try:
        settings = config_file.load(options.config)
    except WrongConfiguration as wrong:
        _print_wrong(wrong, as_json=getattr(options, "json", False))
        return 2
    try:
        status = int(options.run(settings, options))
        sys.stdout.flush()
    except WrongConfiguration as wrong:  # what only the database can tell, such as a key that is missing
        _print_wrong(wrong, as_json=getattr(options, "json", False))
        return 2
    except BrokenPipeError:
        # Whoever read our output has seen enough (`priors audit … | head`). Nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def _parser(added: Sequence[str]) -> argparse.ArgumentParser:
    more = f" Also: {', '.join(added)}." if added else ""
    parser = argparse.ArgumentParser(prog="priors", description=f"Priors: every prior study, in the chart.{more}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[Settings, argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--config", type=Path, help="configuration file; otherwise the one PRIORS_CONFIG names")
        sub.set_defaults(run=run)
        return sub

    serve = command("serve", _serve, "Serve Priors with gunicorn.")
    serve.add_argument("--bind", default="127.0.0.1:8700", help="address and port to listen on")
    serve.add_argument("--workers", type=int, default=2)
    serve.add_argument("--threads", type=int, help="threads a worker; otherwise the setting `web_threads`")
    worker = command("worker", _worker, "Work in the background: do what is due, and forget what ended launches held and what was kept long enough.")
    worker.add_argument("--once", action="store_true", help="do what is due, then stop")
    check = command("check", _check, "Check the configuration and ask each EHR, archive and exchange whether it answers.")
    check.add_argument("--json", action="store_true")
    check.add_argument("--study", metavar="UID", help="Study Instance UID of a test study: each archive is asked how it hands out its images")
    audit = command("audit", _audit, "Who saw what, when.")
    asked = audit.add_mutually_exclusive_group(required=True)
    asked.add_argument("--patient", metavar="ID", help="FHIR id of the patient")
    asked.add_argument("--verify", action="store_true", help="prove that no record was altered, removed or added; exit 1 if one was")
    asked.add_argument("--break-glass", action="store_true", help="restricted studies that were opened with a reason")
    audit.add_argument("--json", action="store_true")
    index = command("index", _index, "The index of who holds what, kept between launches.")
    index.add_argument("action", choices=["forget"])
    index.add_argument("--patient", metavar="ID", required=True, help="FHIR id of the patient")
    index.add_argument("--ehr", metavar="KEY", help="only at this EHR; otherwise at all of them")
    marked = command("marks", _marks, "What people measured and wrote on images, for themselves.")
    marked.add_argument("action", choices=["forget"])
    marked.add_argument("--patient", metavar="ID", required=True, help="FHIR id of the patient")
    marked.add_argument("--ehr", metavar="KEY", help="only at this EHR; otherwise at all of them")
    directory = command("facilities", _facilities, "The directory of hospitals that may be asked for images.")
    directory.add_argument("action", choices=["import"])
    directory.add_argument("file", type=Path, help="FHIR Bundle with Organization and Endpoint")
    directory.add_argument("--directory", default="file", help="name of this directory: what vanished from it is told by it (default: %(default)s)")
    directory.add_argument("--may-shrink", action="store_true", help="take it though more than half of its organizations are gone")
    database = command("db", _db, "Bring the database to this version.")
    database.add_argument("action", choices=["upgrade"])
    return parser


def _print_wrong(wrong: WrongConfiguration, *, as_json: bool) -> None:
    if as_json:
        problems = [{"line": item.line, "setting": item.setting, "reason": item.reason, "cure": item.cure} for item in wrong.problems]
        print(json.dumps({"ok": False, "configuration": problems}))  # noqa: T201
    print(wrong, file=sys.stderr)  # noqa: T201


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    """Replaces this process by gunicorn; the settings were loaded only to fail early and in words."""
    if options.config:
        os.environ["PRIORS_CONFIG"] = str(options.config.resolve())
    command = [sys.executable, "-m", "gunicorn", "smart_app.factory:create_app(works=True)", "--worker-class", WORKER, "--bind", options.bind]
    threads = options.threads or settings.web_threads
    os.environ["PRIORS_WEB_THREADS"] = str(threads)  # the workers share them out among pages, lists and images
    command += ["--workers", str(options.workers), "--threads", str(threads + settings.body_threads), "--keep-alive", "30", "--no-control-socket"]
    command += ["--timeout", "60", "--worker-connections", str(CONNECTIONS + threads + settings.body_threads), "--graceful-timeout", "10", "--access-logfile", "/dev/null"]
    os.execv(sys.executable, command)  # noqa: S606  our own interpreter, our own arguments


def _worker(settings: Settings, options: argparse.Namespace) -> int:
    from smart_app import logs
    from smart_app.parts import build
    from smart_app.wiring import work
    from smart_app.wiring.marks import marks_of
    from smart_app.wiring.viewer import open_shelf

    # A pipe, since a handler that set an event could come while that event's own lock is held here.
    told, tell = os.pipe()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(tell, b"."))
    logs.configure()
    parts = build(settings)
    shelf = open_shelf(settings, parts.keyring, serves=False)
    worker = work.worker(parts)
    if options.once:
        parts.ledger.run_due(work.handlers(parts))
    else:
        worker.start()
    while True:
        parts.store.sweep()
        if shelf is not None:
            shelf.sweep()
        # Sweeping tells `holdings` of each launch that ends; this catches what a killed process never told.
        parts.holdings.purge(parts.clock() - timedelta(hours=settings.sessions.absolute_hours))
        parts.index.purge()
        marks_of(parts).purge()
        parts.glass.sweep()
        if options.once:
            return 0
        if select.select([told], [], [], HOUSEKEEPING_SECONDS)[0]:
            worker.stop()
            return 0


def _facilities(settings: Settings, options: argparse.Namespace) -> int:
    from smart_app.image_requests.directory import NotADirectory, told
    from smart_app.image_requests.importing import DirectoryImport
    from smart_app.parts import build

    try:
        content = json.loads(options.file.read_bytes())
        found = told(content, options.directory)
        parts = build(settings)
        importing = DirectoryImport(parts.database, parts.keyring, parts.facilities, parts.clock, tenant=settings.tenant)
        done = importing.take(options.directory, found.facilities, may_shrink=options.may_shrink)
    except (OSError, ValueError, RecursionError) as error:
        print(f"Nothing was changed: the file cannot be read as JSON ({type(error).__name__}).", file=sys.stderr)  # noqa: T201
        return 1
    except NotADirectory as error:
        print(f"Nothing was changed: {error}.", file=sys.stderr)  # noqa: T201
        return 1
    print(f"{done.added} added, {done.changed} changed, {done.gone} gone, {done.same} as before; {found.skipped} could not be told apart or had no name.")  # noqa: T201
    return 0


def _check(settings: Settings, options: argparse.Namespace) -> int:
    from smart_app import check
    from smart_app.parts import build

    parts = build(settings)
    report = check.run(settings, parts.smart.launcher, parts.archives, parts.qido, parts.outbound, options.study, parts.exchanges)
    print(json.dumps(report.as_json()) if options.json else report.as_text())  # noqa: T201
    return 0 if report.ok else 1


def _audit(settings: Settings, options: argparse.Namespace) -> int:
    from smart_app.audit.events import Who
    from smart_app.audit.report import Question
    from smart_app.breakglass.review import Review
    from smart_app.parts import build
    from smart_app.web import new_reference

    parts = build(settings)
    if options.verify:
        return _verified(parts.audit.verify(), options)
    who = Who(settings.tenant, "", getpass.getuser(), "command line", "", "", new_reference("CL", 6))
    if options.break_glass:
        return _review(Review(parts.glass, parts.audit, parts.database).cases(who), options)
    lines = parts.reports.read(Question(settings.tenant, patient=options.patient), who)
    if options.json:
        print(json.dumps([line.as_json() for line in lines]))  # noqa: T201
        return 0
    for line in lines:
        details = " ".join(f"{name}={value}" for name, value in line.details.items())
        outcome = "ok" if line.outcome == 0 else f"outcome {line.outcome}"
        print(f"{line.time:%Y-%m-%d %H:%M:%S}Z  {line.name or line.user or 'nobody':<24}  {line.event:<16}  {outcome:<9}  {details}")  # noqa: T201
    return 0


def _review(cases: Sequence[Case], options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps([case.as_json() for case in cases]))  # noqa: T201
        return 0
    for case in cases:
        print(f"{case.opened}Z  {case.id}  {case.who}  patient {case.patient}  {case.reason}: {case.text}")  # noqa: T201
        print(f"    {case.restricted} restricted, {case.reads} read; {case.how} {case.ended}".rstrip())  # noqa: T201
    return 0


def _verified(verdict: Verdict, options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps({"ok": not verdict.faults, "records": verdict.records, "faults": verdict.faults}))  # noqa: T201
    else:
        for fault in verdict.faults:
            print(fault)  # noqa: T201
        print(f"{verdict.records} records read, {len(verdict.faults)} faults.")  # noqa: T201
    return 1 if verdict.faults else 0


def _index(settings: Settings, options: argparse.Namespace) -> int:
    from smart_app.audit.events import IndexForgotten, Who
    from smart_app.parts import build
    from smart_app.web import new_reference

    parts = build(settings)
    ehrs = [ehr for ehr in settings.ehrs if options.ehr in (None, ehr.key)]
    if not ehrs:
        print(f"No EHR has the key {options.ehr}.", file=sys.stderr)  # noqa: T201
        return 2
    count = sum(parts.index.forget(settings.tenant, ehr.issuer, options.patient) for ehr in ehrs)
    who = Who(settings.tenant, "", getpass.getuser(), "command line", "", "", new_reference("CL", 6))
    parts.audit.record(IndexForgotten(who=who, patient=options.patient, count=count))
    print(f"{count} entries were forgotten. What open launches have already shown stays with them until they end.")  # noqa: T201
    return 0


def _marks(settings: Settings, options: argparse.Namespace) -> int:
    from smart_app.audit.events import Who
    from smart_app.audit.marks_events import MarksForgotten
    from smart_app.parts import build
    from smart_app.web import new_reference
    from smart_app.wiring.marks import marks_of

    ehrs = [ehr for ehr in settings.ehrs if options.ehr in (None, ehr.key)]
    if not ehrs:
        print(f"No EHR has the key {options.ehr}.", file=sys.stderr)  # noqa: T201
        return 2
    parts = build(settings)
    count = sum(marks_of(parts).forget(settings.tenant, ehr.issuer, options.patient) for ehr in ehrs)
    who = Who(settings.tenant, "", getpass.getuser(), "command line", "", "", new_reference("CL", 6))
    parts.audit.record(MarksForgotten(who=who, patient=options.patient, count=count))
    print(f"Marks on {count} studies were forgotten. Reports that were written to an archive stay there.")  # noqa: T201
    return 0


def _db(settings: Settings, options: argparse.Namespace) -> int:
    from smart_app import migrations
    from smart_app.parts import open_database

    print(f"The database is at version {migrations.upgrade(open_database(settings))}.")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
