"""Every way to fail, at every question, at one archive of five and at all of them: the right state and the right sentence.

One command: `make faults`. A cell names itself: `tcp silent / metadata / 1 of 5`. What is expected stands in `kinds` and
`meanings`, by what a reader must be told; nothing there is taken from a run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from launch.assembly import assemble
from smart_app.archives.fanout import Fanout, Question
from smart_app.archives.qido import Qido
from smart_app.archives.registry import Archives, ConfiguredArchive
from smart_app.archives.types import PatientId
from smart_app.clock import utc_now
from smart_app.config_archives import Archive, Credential
from smart_app.errors import AppError
from smart_app.outbound import Outbound
from smart_app.outbound.breaker import Breaker
from smart_app.sources.base import Named
from smart_app.studies.strip import strip_of
from tests.faults import wire
from tests.faults.kinds import KINDS, OPS, Kind
from tests.faults.meanings import GIVEN, SHOWN
from tests.unit.outbound.test_tls import Authority
from tests.unit.viewer import world
from tests.unit.viewer.fake import SERIES, STUDY

NAMES = ("Alder", "Birch", "Cedar", "Damson", "Elder")
LIMITS = {"connect": 0.5, "first_byte": 0.6, "search": 0.85, "metadata": 0.85, "frame": 0.85, "retrieve": 0.85, "search_bytes": 1_000_000,
          "metadata_bytes": 1_000_000, "max_rows": 60, "page_size": 20, "parallel": 16}  # fmt: skip
ACCEPT = {
    "frame": 'multipart/related; type="application/octet-stream"; transfer-syntax=*', "stream": 'multipart/related; type="application/dicom"; transfer-syntax=*',
    "rendered": "image/jpeg",
}  # fmt: skip
PATHS = {
    "series": f"/{STUDY}/series", "instances": f"/{STUDY}/series/{SERIES}/instances", "metadata": f"/{STUDY}/series/{SERIES}/metadata",
    "frame": f"/{STUDY}/series/{SERIES}/instances/{SERIES}.1/frames/1", "rendered": f"/{STUDY}/series/{SERIES}/instances/{SERIES}.1/rendered",
    "stream": f"/{STUDY}/series/{SERIES}",
}  # fmt: skip
CELLS = [(kind, op, count) for kind in KINDS for op, word in zip(OPS, kind.words, strict=True) if not word.startswith("-") for count in (1, 5)]


def named(kind: Kind, op: str, count: int) -> str:
    return f"{kind.level} {kind.name} / {op} / {count} of 5"


@dataclass
class Town:
    """Five archives in each place, and Priors' parts in front of them."""

    servers: dict[str, list[wire.Archive]]
    made: world.World
    settings: dict[str, list[Archive]]
    outbound: Outbound

    def fail(self, kind: Kind, op: str, count: int) -> list[tuple[str, int]]:
        """Make the last `count` archives fail; returns (place, number) of all five as they are now."""
        self.made.checks._answers.clear()  # what was judged a moment ago is not asked for again
        self.outbound._breakers = {key: Breaker() for key in self.outbound._breakers}  # as after a quiet minute
        places = [("plain", at) if at < 5 - count else (kind.place, at) for at in range(5)]
        for place, at in places:
            server = self.servers[place][at]
            server.act, server.failing = (kind.act, op) if at >= 5 - count else (None, "")
            if kind.down and at >= 5 - count:
                server.down()
        return places

    def heal(self, kind: Kind, places: list[tuple[str, int]], count: int) -> None:
        for place, at in places:
            if kind.down and at >= 5 - count:
                self.servers[place][at].up()
            self.servers[place][at].act = None


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("faults")
    tls = Authority(folder).server(own=True)
    servers = {"plain": [wire.Archive() for _ in NAMES], "self-signed": [wire.Archive("https", tls) for _ in NAMES], "no-tls": [wire.Archive("https") for _ in NAMES]}
    settings = [
        world.archive(server.base, key=f"{place}-{at}", name=NAMES[at], organization="", limits=LIMITS)
        for place, group in servers.items() for at, server in enumerate(group)
    ]  # fmt: skip
    made = world.build(folder, settings)
    for one in settings:
        world.held(made.holdings, STUDY, wire.PATIENT, key=one.key)
        made.holdings.check(world.HANDLE, one.key, STUDY, SERIES, frozenset({f"{SERIES}.1", f"{SERIES}.2"}))
    outbound = made.checks._upstream._wado._outbound
    assert isinstance(outbound, Outbound)
    yield Town(servers, made, {place: [one for one in settings if one.key.startswith(place)] for place in servers}, outbound)
    for group in servers.values():
        for server in group:
            server.down()


def with_token(settings: Archive, outbound: Outbound) -> ConfiguredArchive:
    """The archive with a token to be had first, at the same server."""
    none: Any = None
    broker = assemble([], none, outbound, utc_now, lifetime=none).broker  # type: ignore[arg-type]
    url = f"{settings.dicomweb}/token"
    changed = settings.model_copy(update={"credential": Credential(kind="oauth", token_url=url, client_id="c")})
    tokens = broker.credentials_provider(f"archive:{settings.key}", url, "c", secret="s")
    return next(iter(Archives([changed], read_secret=str, oauth=lambda archive: tokens)))


@pytest.mark.parametrize(("kind", "op", "count"), CELLS, ids=[named(*cell) for cell in CELLS])
def test_cell(town: Town, kind: Kind, op: str, count: int) -> None:
    word = kind.words[OPS.index(op)]
    places = town.fail(kind, op, count)
    try:
        if op in ("studies", "token"):
            listed(town, places, op, count, word)
        else:
            given(town, places, op, count, word)
    finally:
        town.heal(kind, places, count)


def listed(town: Town, places: list[tuple[str, int]], op: str, count: int, word: str) -> None:
    """The list over five archives."""
    qido = Qido(town.outbound, lambda: datetime.now(UTC))
    questions, sources = [], []
    for place, at in places:
        settings = town.settings[place][at]
        archive = with_token(settings, town.outbound) if op == "token" else next(iter(Archives([settings], read_secret=str)))
        patient = [PatientId(wire.PATIENT, archive.issuer)]
        questions.append(Question(archive.key, archive.name, archive.organization, lambda seconds, a=archive, p=patient: qido.studies(a, p, None, seconds)))
        sources.append(Named(archive.key, archive.name, archive.organization))
    answers = {answer.source: answer for answer in Fanout(utc_now).ask(questions, LIMITS["search"])}
    strip = strip_of(sources, answers, frozenset(), sum(len(answer.studies) for answer in answers.values()))
    chips = {chip.key: chip for chip in strip.chips}
    state, sentence = SHOWN[word]
    for at, source in enumerate(sources):
        fails = at >= 5 - count
        expected = (state, sentence.format(name=source.name)) if fails else ("ok", "")
        assert (chips[source.key].state, chips[source.key].title) == expected, source.name
    shown = state in ("ok", "partial")
    assert strip.tone == ("all" if state == "ok" else "partial" if count == 1 or shown else "failed")
    assert strip.none_found is False
    assert ("All" in strip.headline) == (state == "ok"), "'All' is said when it is true, and never else"
    left = 5 if word in ("more", "many", "whole") else 5 - count
    assert len({answer.source for answer in answers.values() if answer.studies}) == left, "one that fails takes nothing from the others"


def given(town: Town, places: list[tuple[str, int]], op: str, count: int, word: str) -> None:
    """Five viewers, each of a study at another archive, at the same time."""
    with ThreadPoolExecutor(5) as pool:
        found = list(pool.map(lambda place: _asked(town, f"{place[0]}-{place[1]}", op), places))
    status, code, sentence = GIVEN[word]
    for at, answer in enumerate(found):
        name = NAMES[at]
        assert answer == ((status, code, sentence.format(name=name)) if at >= 5 - count else (200, "", "")), name


def _asked(town: Town, key: str, op: str) -> tuple[int, str, str]:
    accept = ACCEPT.get(op, "application/dicom+json")
    try:
        answer = town.made.client.get(f"/l/{world.HANDLE}/dicomweb/{key}/studies{PATHS[op]}", headers={"Accept": accept}, buffered=True)
    except AppError as error:
        return 0, error.fault.code, error.fault.title
    if answer.status_code >= 400:
        error = answer.get_json()["error"]
        return answer.status_code, error["code"], error["title"]
    return 206 if answer.headers.get("Warning") else answer.status_code, "withheld" if answer.headers.get("X-Priors-Withheld") else "", ""


def test_the_matrix_is_as_large_as_it_must_be() -> None:
    levels = {level: sum(kind.level == level for kind in KINDS) for level in ("tcp", "http", "dicom")}
    assert levels["tcp"] >= 8
    assert levels["http"] >= 14
    assert levels["dicom"] >= 8
    assert len({named(*cell) for cell in CELLS}) == len(CELLS) >= 480
    assert threading.active_count() < 200


def test_what_is_no_cell_says_why() -> None:
    assert [f"{kind.name}: {word}" for kind in KINDS for word in kind.words if word.startswith("-") and len(word) < 12] == []
