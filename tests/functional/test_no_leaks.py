"""After a whole journey, good and bad, nothing secret or personal lies in a log line, a URL, an error page or the raw database (G21).

Canaries are the real ones: tokens the EHR issued, codes, states, cookies, the launch handle, name, birth date and number.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from sandbox.ehr import store as ehr_store
from smart_app import logs
from tests.town import Jar, Seen, Town, events

PATIENT = "marchetti"
PERSONAL = ("MARCHETTI", "Rosalind", "1951-08-09", "9 Aug 1951", "40771953", "KC-20931", "SB-118204")


@dataclass
class Watched(Jar):
    """A jar that remembers every URL it asked for."""

    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)

    def send(self, method: str, url: str, **rest: object) -> Seen:
        self.urls.append(url)
        return super().send(method, url, **rest)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Journey:
    jar: Watched
    handle: str
    secrets: frozenset[str]
    log: str
    errors: tuple[Seen, ...]
    everywhere: str
    """All answers that were not about this patient."""


@pytest.fixture(scope="module")
def journey(town: Town) -> Iterator[Journey]:
    issued: set[str] = set()
    original = ehr_store.Store.add_token

    def remember(self: ehr_store.Store, token: ehr_store.Token) -> None:
        issued.update(value for value in (token.access_token, token.refresh_token) if value)
        original(self, token)

    buffer = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ehr_store.Store, "add_token", remember)
        logs.configure(stream=buffer)
        yield _travel(town, issued, buffer)
    logs.configure()


def _travel(town: Town, issued: set[str], buffer: io.StringIO) -> Journey:
    jar = Watched()
    handle = jar.launch(town, PATIENT)
    base = f"{town.plan.app}/l/{handle}"
    town.archive_faults["stbrannoc"].add("search-studies", "status", status=500, text=PERSONAL[0])
    rows = [row for name, data in events(jar.get(f"{base}/studies/stream")) if name == "rows" for row in data["rows"]]
    study = next(row["uid"] for row in rows if 'data-archive="northgate"' in row["html"])
    gateway = f"{base}/dicomweb/northgate/studies/{study}"
    series = jar.get(f"{gateway}/series").json()[0]["0020000E"]["Value"][0]
    assert jar.get(f"{gateway}/series/{series}", Accept='multipart/related; type="application/dicom"').status == 200
    town.archive_faults["northgate"].add("metadata", "garbage", times=1)
    errors = (
        jar.get(f"{gateway}/series/{series}1/metadata"),
        jar.get(f"{base}/dicomweb/northgate/studies/1.2.3"),
        jar.get(f"{town.plan.app}/launch?iss=https://evil.example/{PERSONAL[0]}&launch=x"),
        jar.get(f"{town.plan.app}/cb/northgate?state=forged-{PERSONAL[4]}&code=forged"),
        Jar().get(f"{base}/studies"),
        jar.get(f"{town.plan.app}/nothing/{PERSONAL[1]}"),
        jar.send("POST", f"{base}/end"),
    )
    town.heal()
    passing = re.findall(r"[?&](?:code|state|launch|code_challenge|nonce)=([^&]{16,})", " ".join(jar.urls))
    cookies = [value for values in jar.cookies.values() for value in values.values() if len(value) > 16]
    secrets = frozenset({*issued, *passing, *cookies})
    assert len(issued) >= 1, "the journey must have used a token"
    assert len(secrets) >= 5
    return Journey(jar, handle, secrets, buffer.getvalue(), errors, "".join(seen.text for seen in errors))


def test_the_log_is_busy_and_silent_about_people(journey: Journey) -> None:
    assert journey.log.count('"event": "request"') > 10, "the log must have seen the journey"
    for canary in (*PERSONAL, *journey.secrets, journey.handle, "forged-", "evil.example"):
        assert canary not in journey.log


def test_no_url_of_ours_holds_a_person_or_a_token(journey: Journey, town: Town) -> None:
    ours = [url for url in journey.jar.urls if url.startswith(f"{town.plan.app}/l/")]
    assert len(ours) > 4
    for url in ours:
        assert not [canary for canary in (*PERSONAL, *journey.secrets) if canary in url], url


def test_errors_say_what_to_do_and_nothing_else(journey: Journey) -> None:
    for seen in journey.errors:
        assert 400 <= seen.status < 600
        assert "Traceback" not in seen.text
        assert not [canary for canary in (*PERSONAL[2:], *journey.secrets) if canary in seen.text], seen.url


def test_the_raw_database_holds_nothing_readable(journey: Journey, town: Town) -> None:
    files = [path for path in town.plan.path("data").iterdir() if path.is_file()]
    assert files
    raw = b"".join(path.read_bytes() for path in files)
    assert len(raw) > 50_000
    # The handle names the launch's row; without the browser's cookie, of which only a digest is kept, it opens nothing.
    for canary in (*PERSONAL, *journey.secrets):
        assert canary.encode() not in raw, "found unsealed in the database"


def test_the_data_folder_is_private(town: Town) -> None:
    assert town.plan.path("data").stat().st_mode & 0o077 == 0
