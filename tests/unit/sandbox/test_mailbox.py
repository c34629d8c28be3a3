"""The sandbox's mailbox: what is delivered is shown, once, as text with links; nothing in a message runs."""

from __future__ import annotations

import json
import smtplib
import subprocess
import sys
import urllib.request
from email.message import EmailMessage

from sandbox.mailbox.app import create_mailbox
from sandbox.mailbox.smtp import Mailserver
from tests.peers import free_port, stop, wait_until


def deliver(host: str, port: int, *, id: str = "<one@northgate.example>", to: str = "images@harrow.example", text: str = "Open https://send.example/s/abc now") -> None:
    message = EmailMessage()
    message["Message-ID"], message["Subject"], message["From"], message["To"] = id, "Images <asked> for", "images@northgate.example", to
    message.set_content(text)
    message.add_alternative("<p onclick=alert(1)>Hello</p><script>alert(1)</script>", subtype="html")
    with smtplib.SMTP(host, port) as smtp:
        smtp.send_message(message)


def test_a_message_is_shown_once_with_its_link(mailbox: Mailserver) -> None:
    for _ in range(2):
        deliver(mailbox.host, mailbox.port)
    deliver(mailbox.host, mailbox.port, id="<two@northgate.example>", to="rosa@example.org")
    client = create_mailbox(mailbox.inbox).test_client()
    page = client.get("/").text
    assert page.count("Images &lt;asked&gt; for") == 2
    assert "delivered 2 times, shown once" in page
    assert client.get("/?to=rosa@example.org").text.count("Images &lt;asked&gt; for") == 1
    message = client.get("/messages/1")
    assert '<a href="https://send.example/s/abc">https://send.example/s/abc</a> now' in message.text
    assert "default-src 'none'" in message.headers["Content-Security-Policy"]
    html = client.get("/messages/1/html")
    assert html.headers["Content-Security-Policy"].startswith("sandbox ")
    assert "allow-scripts" not in html.headers["Content-Security-Policy"]
    assert client.get("/messages/1/raw").mimetype == "text/plain"
    assert [one["to"] for one in client.get("/messages.json").json] == ["rosa@example.org", "images@harrow.example"]
    assert client.get("/messages/9").status_code == 404
    assert client.post("/clear").status_code == 303
    assert "No message yet" in client.get("/").text


def test_it_runs_as_a_child_and_ends_with_its_parent() -> None:
    smtp, http = free_port(), free_port()
    child = subprocess.Popen([sys.executable, "-m", "sandbox.mailbox", "--smtp", str(smtp), "--http", str(http), "--child"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _get(http, "healthz") == "ok", "the mailbox")
        deliver("127.0.0.1", smtp)
        assert [one["subject"] for one in json.loads(_get(http, "messages.json"))] == ["Images <asked> for"]
        assert child.stdin is not None
        child.stdin.close()
        assert child.wait(10) == 0
    finally:
        stop(child)


def _get(port: int, path: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=5) as response:
            return str(response.read().decode())
    except OSError:
        return ""
