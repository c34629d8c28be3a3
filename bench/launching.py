"""Opens Priors from the demo chart without a browser: follows the redirects, keeps the cookies, reads the list stream."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from bench.study import PATIENT, LoadStudy
from bench.wire import Failed, Place
from sandbox.demo.plan import Plan

REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Launched:
    """A live launch whose list has been loaded. Times are seconds from asking for the list stream."""

    app: str
    handle: str
    cookies: Mapping[str, str]
    seen: Mapping[str, float]
    """study UID -> when its row came."""
    done: float

    @property
    def headers(self) -> dict[str, str]:
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}

    def page(self, load: LoadStudy) -> str:
        """What opens the viewer on this study."""
        return f"{self.app}/l/{self.handle}/studies/{load.study}"

    def gateway(self, load: LoadStudy) -> Place:
        return Place(f"{self.app}/l/{self.handle}/dicomweb/{load.archive}", self.headers)


def launched(plan: Plan) -> Launched:
    """A launch of the bench's patient, its list read to the end."""
    jar: dict[str, dict[str, str]] = {}
    url = f"{plan.ehr}/launch/{PATIENT}?user=dr-halloran"
    for _ in range(12):
        answer = _get(url, jar)
        answer.read()
        if answer.status not in REDIRECTS:
            break
        url = urljoin(url, answer.headers["Location"])
    if answer.status != 200:
        raise Failed(f"the launch ended with {answer.status}")
    handle = urlsplit(url).path.split("/")[2]
    seen, done = _list(f"{plan.app}/l/{handle}/studies/stream", jar)
    return Launched(plan.app, handle, jar["app.localhost"], seen, done)


def _list(url: str, jar: dict[str, dict[str, str]]) -> tuple[dict[str, float], float]:
    begun = time.perf_counter()
    answer, event = _get(url, jar), ""
    seen: dict[str, float] = {}
    for line in answer:
        now = time.perf_counter() - begun
        if line.startswith(b"event: "):
            event = line[7:].strip().decode()
        elif line.startswith(b"data: ") and event == "rows":
            for row in json.loads(line[6:])["rows"]:
                seen.setdefault(row["uid"], now)
        elif line.startswith(b"data: ") and event == "done":
            return seen, now
    raise Failed("the list stream ended without its end")


def _get(url: str, jar: dict[str, dict[str, str]]) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    cookies = jar.setdefault(parts.hostname or "", {})
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=60)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    connection.request("GET", path, headers={"Host": parts.netloc, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())})
    answer = connection.getresponse()
    for line in answer.headers.get_all("Set-Cookie") or ():
        name, _, value = line.partition(";")[0].partition("=")
        if value and "max-age=0" not in line.lower().replace(" ", ""):
            cookies[name.strip()] = value
        else:
            cookies.pop(name.strip(), None)
    return answer
