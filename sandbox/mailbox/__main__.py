"""A mailbox in a process of its own: `python -m sandbox.mailbox --smtp 8725 --http 8726`. Ends with the process that started it
if given `--child`."""

from __future__ import annotations

import argparse
import signal

from sandbox.demo.parent import end_with_parent
from sandbox.mailbox.app import create_mailbox
from sandbox.mailbox.smtp import Mailserver
from sandbox.serving import serve


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="sandbox.mailbox", description="A mail server that keeps what it is given, and a page to read it.")
    parser.add_argument("--smtp", type=int, default=8725)
    parser.add_argument("--http", type=int, default=8726)
    parser.add_argument("--child", action="store_true", help="end when standard input closes")
    options = parser.parse_args(arguments)
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    if options.child:
        end_with_parent()
    with Mailserver(options.smtp) as server, serve(create_mailbox(server.inbox), port=options.http) as page:
        print(f"Mailbox: {page.url} (SMTP {server.host}:{server.port})", flush=True)
        signal.sigwait(ends)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
