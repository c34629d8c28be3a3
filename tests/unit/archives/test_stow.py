"""STOW-RS: what is said of each object, in every way an archive says it; and against Orthanc, from disk to reading back."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from smart_app.archives.registry import Archives, ConfiguredArchive
from smart_app.archives.stow import Outcome, Stow, Told, ToSend
from smart_app.archives.wado import ArchiveFault
from smart_app.config_archives import Archive
from smart_app.db import Database
from smart_app.errors import Paused
from smart_app.intake.types import ItemState
from smart_app.links.types import Purpose
from smart_app.sealing import Keyring
from tests.unit.archives.scripted import Asked, Say, outbound_to, rows, scripted
from tests.unit.intake.hospital import PATIENT, ROOT, hospital, made
from tests.unit.intake.test_storing import ONE

A, B = f"{ROOT}.1.1.1", f"{ROOT}.1.1.2"


def archive_at(base: str) -> ConfiguredArchive:
    setting = Archive(key="northgate", name="N", dicomweb=base, patient_id_issuer="N", identifier_systems=("urn:n",), stores=True)
    return next(iter(Archives([setting], read_secret=lambda ref: "")))


def named(uid: str, **more: Any) -> dict[str, Any]:
    return {"00081155": {"vr": "UI", "Value": [uid]}, **more}


def reason(code: object) -> dict[str, Any]:
    return {"00081197": {"vr": "US", "Value": [code]}}


def answer(stored: list[Any] | None = None, failed: list[Any] | None = None) -> dict[str, Any]:
    return ({"00081199": {"vr": "SQ", "Value": stored}} if stored else {}) | ({"00081198": {"vr": "SQ", "Value": failed}} if failed else {})


UNKNOWN = Outcome(Told.UNKNOWN)


@pytest.mark.parametrize(
    ("say", "a", "b"),
    [
        (rows(answer([named(A), named(B)])), Outcome(Told.STORED), Outcome(Told.STORED)),
        (rows(answer([named(A)], [named(B, **reason(0xA700))]), status=202), Outcome(Told.STORED), Outcome(Told.FAILED, 0xA700)),
        (rows(answer(failed=[named(A, **reason(0x0122)), named(B, **reason("272"))]), status=409), Outcome(Told.FAILED, 0x0122), Outcome(Told.FAILED, 272)),
        (rows(answer(failed=[named(A)]), status=400), Outcome(Told.FAILED), UNKNOWN),
        (rows(answer([named(A)])), Outcome(Told.STORED), UNKNOWN),
        (rows(answer([named(A), named(B)], [named(B)])), Outcome(Told.STORED), Outcome(Told.FAILED)),
        (rows(answer([named(A, **{"00081196": {"vr": "US", "Value": [0xB000]}}), named(B + "\0")])), Outcome(Told.WARNED, 0xB000), Outcome(Told.STORED)),
        (rows(answer([named("1.2.3")])), UNKNOWN, UNKNOWN),
        (Say(200, b"", {"Content-Type": "application/dicom+json"}), UNKNOWN, UNKNOWN),
        (Say(200, b"<html>stored!</html>", {"Content-Type": "text/html"}), UNKNOWN, UNKNOWN),
        (Say(200, b"[{", {"Content-Type": "application/dicom+json"}), UNKNOWN, UNKNOWN),
        (Say(200, b'{"00081199": {"Value": [null, 7, {"00081155": {"Value": [7]}}]}}', {"Content-Type": "application/dicom+json"}), UNKNOWN, UNKNOWN),
        (Say(200, b"{}", {"Content-Type": "application/dicom+json"}, cut=1), UNKNOWN, UNKNOWN),
    ],
)  # fmt: skip
def test_what_is_said_of_each(say: Say, a: Outcome, b: Outcome, tmp_path: Path) -> None:
    files = [ToSend(uid, tmp_path / uid) for uid in (A, B)]
    for one in files:
        one.path.write_bytes(one.instance.encode() * 3)
    with scripted(lambda asked: say) as server:
        told = Stow(outbound_to(archive_northgate=server.base)).send(archive_at(f"{server.base}/rs"), f"{ROOT}.1", files)
        assert told == {A: a, B: b}
        (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", f"/rs/studies/{ROOT}.1")
    assert A.encode() * 3 in asked.body
    assert asked.body.rstrip().endswith(b"--")


@pytest.mark.parametrize("status", [301, 401, 403, 404, 413, 415, 429, 500, 503])
def test_a_refusal_of_the_whole_is_no_word_on_any_object(status: int, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with scripted(lambda asked: Say(status)) as server, pytest.raises(ArchiveFault):
        Stow(outbound_to(archive_northgate=server.base)).send(archive_at(f"{server.base}/rs"), f"{ROOT}.1", [ToSend(A, tmp_path / "a")])


def test_an_archive_that_is_not_there_leaves_all_unknown(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with scripted(lambda asked: Say(200)) as server:
        stow, archive = Stow(outbound_to(archive_northgate=server.base)), archive_at(f"{server.base}/rs")
    try:
        told = stow.send(archive, f"{ROOT}.1", [ToSend(A, tmp_path / "a")])
    except Paused:
        return
    assert told == {A: UNKNOWN}


def test_a_study_that_is_no_uid_is_never_in_a_path(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="UID"):
        Stow(outbound_to()).send(archive_at("http://127.0.0.1:1/rs"), "1.2/../../3", [])


def test_a_credential_is_renewed_once() -> None:
    asked: list[Asked] = []

    def say(one: Asked) -> Say:
        asked.append(one)
        return Say(401)

    with scripted(say) as server, pytest.raises(ArchiveFault):
        Stow(outbound_to(archive_northgate=server.base)).send(archive_at(f"{server.base}/rs"), f"{ROOT}.1", [])
    assert len(asked) == 1, "a fixed credential is not tried twice"


def test_twenty_workers_five_copies_at_orthanc(database: Database, keyring: Keyring, tmp_path: Path, orthanc_url: str) -> None:
    """G15: the same study five times, twenty workers: one copy there, each object once, its count right."""
    study = f"77.{database.is_sqlite:d}.{id(database)}"
    with hospital(database, keyring, tmp_path, orthanc_url) as here:
        files = [made(study, number) for number in range(1, 6)]
        for copy in range(5):
            here.send(f"u{copy}", files, None, purpose=Purpose.BROUGHT)
        here.work_now()
        for item in here.items.in_state(ItemState.IN_REVIEW):
            here.review.link(ONE, item.id, item.version, PATIENT)
            linked = here.items.get(item.id)
            here.review.confirm(ONE, {linked.id: linked.version})
        for _ in range(6):
            threads = [threading.Thread(target=here.work_now) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            here.clock.forward(seconds=61)
        assert {item.state for item in here.items.in_state(*ItemState)} == {ItemState.STORED}
        archive = here.storing.archive
        assert archive is not None
        assert len(here.storing.back.listed(archive, f"{ROOT}.{study}")) == 5
        assert {one.reason for item in here.items.in_state(*ItemState) for one in here.items.instances(item.id)} == {""}
