"""QIDO against a scripted archive on a real socket: every fault ends in the right state, no foreign row gets through."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from smart_app.archives.qido import Qido
from smart_app.archives.registry import Archives, LaunchToken
from smart_app.archives.types import Answer, PatientId, SourceState
from smart_app.config_archives import Archive
from tests.unit.archives.scripted import DICOM_JSON, Asked, Say, Scripted, outbound_to, rows, scripted

MINE = PatientId("K-77", "KESTREL")
UID = "2.25.100"


def study(number: int = 1, patient: str | None = "K-77", issuer: str | None = "KESTREL", **extra: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "0020000D": {"vr": "UI", "Value": [f"{UID}.{number}"]},
        "00080020": {"vr": "DA", "Value": ["20260112"]},
        "00080061": {"vr": "CS", "Value": ["MR"]},
        "00081030": {"vr": "LO", "Value": ["MRI brain"]},
        "00201208": {"vr": "IS", "Value": [318]},
    }
    if patient is not None:
        row["00100020"] = {"vr": "LO", "Value": [patient]}
    if issuer is not None:
        row["00100021"] = {"vr": "LO", "Value": [issuer]}
    return row | extra


def ask(server: Scripted, *, ids: tuple[PatientId, ...] = (MINE,), deadline: float = 5, launch: LaunchToken | None = None, tell: Any = None, **settings: Any) -> Answer:
    archive = Archive(
        key="kestrel", name="Kestrel", dicomweb=f"{server.base}/dicom-web", patient_id_issuer="KESTREL", identifier_systems=("urn:kestrel",), **settings
    )
    (configured,) = Archives([archive], read_secret=lambda ref: "s3cret")
    qido = Qido(outbound_to(archive_kestrel=server.base), lambda: datetime(2026, 5, 21, tzinfo=UTC))
    return qido.studies(configured, ids, launch, deadline, tell)


def paged(server: Scripted) -> list[Asked]:
    """Requests for pages, without the one that goes ahead to prove the end."""
    return [asked for asked in server.asked if asked.one("offset") != "1"]


def once(*datasets: Any) -> Any:
    """An archive that answers its first page and has no second."""
    return lambda asked: rows(*datasets) if asked.one("offset") == "0" else Say(204)


def test_reads_a_study_and_asks_only_with_the_identifier() -> None:
    with scripted(once(study())) as server:
        answer = ask(server)
    (record,) = answer.studies
    assert answer.state is SourceState.OK
    assert (record.uid, record.date, record.modalities, record.image_count) == (f"{UID}.1", "2026-01-12", ("MR",), 318)
    assert record.patient_id == MINE
    assert server.asked[0].path == "/dicom-web/studies"
    assert server.asked[0].query["PatientID"] == ["K-77"]
    assert "00100021" in server.asked[0].query["includefield"]


@pytest.mark.parametrize("nothing", [Say(204), rows()])
def test_none_is_only_none_when_the_archive_said_so(nothing: Say) -> None:
    with scripted(lambda asked: nothing) as server:
        assert ask(server).state is SourceState.EMPTY


@pytest.mark.parametrize(
    ("say", "state"),
    [
        (Say(200, b""), SourceState.FAILED),
        (Say(200, b"<html><form action=login>", {"Content-Type": "text/html"}), SourceState.FAILED),
        (Say(200, b'{"error": "no"}', {"Content-Type": DICOM_JSON}), SourceState.FAILED),
        (Say(200, b"[" * 100_000, {"Content-Type": DICOM_JSON}), SourceState.FAILED),
        (Say(200, b"[" + b"9" * 6000 + b"]", {"Content-Type": DICOM_JSON}), SourceState.FAILED),
        (Say(404), SourceState.FAILED),
        (Say(500, b"boom"), SourceState.FAILED),
        (Say(429), SourceState.FAILED),
        (Say(503, headers={"Retry-After": "86400"}), SourceState.FAILED),
        (Say(401), SourceState.REFUSED),
        (Say(403), SourceState.REFUSED),
        (Say(413), SourceState.TOO_LARGE),
        (Say(302, headers={"Location": "https://login.evil.example/x?token=1"}), SourceState.NOT_APPROVED),
        (Say(302, headers={"Location": "/login"}), SourceState.FAILED),
        (Say(302, headers={"Location": "http://[::1/"}), SourceState.NOT_APPROVED),
        (Say(200, b"[{}, ", {"Content-Type": DICOM_JSON}, announce=900), SourceState.FAILED),
        (Say(200, b"[" + b" " * 9000 + b"]", {"Content-Type": DICOM_JSON}), SourceState.TOO_LARGE),
    ],
)
def test_each_fault_has_its_state_and_is_never_none(say: Say, state: SourceState) -> None:
    with scripted(lambda asked: say) as server:
        answer = ask(server, limits={"search_bytes": 8000} if len(say.body) > 8000 and say.body.endswith(b" ]") else {})
    assert answer.state is state
    assert answer.studies == ()
    assert answer.fault_code


def test_a_redirect_elsewhere_is_named_by_origin_and_not_followed() -> None:
    with scripted(lambda asked: rows(study())) as other, scripted(lambda asked: Say(307, headers={"Location": f"{other.base}/x?secret=1"})) as server:
        answer = ask(server)
    assert answer.not_approved == (other.base,)
    assert other.asked == []


@pytest.mark.parametrize("say", [Say(hang=20), Say(body=b"[" + b" " * 500 + b"]", headers={"Content-Type": DICOM_JSON}, drip=0.05)])
def test_hang_and_drip_end_at_the_total_deadline(say: Say) -> None:
    with scripted(lambda asked: say) as server:
        begun = time.monotonic()
        answer = ask(server, deadline=0.5)
    assert answer.state is SourceState.TIMEOUT
    assert time.monotonic() - begun < 2


def test_a_refused_connection_fails() -> None:
    with scripted(lambda asked: Say()) as server:
        pass
    assert ask(server).state is SourceState.FAILED


@pytest.mark.parametrize(
    "foreign",
    [
        study(2, patient="K-78"),
        study(2, patient="k-77"),
        study(2, patient="K-77", issuer="NORTHGATE"),
        study(2, patient=None),
        study(2, patient=""),
        study(2, **{"00100020": {"vr": "LO", "Value": ["K-77", "K-78"]}}),
        study(2, **{"00100020": {"vr": "LO", "Value": [None]}}),
        study(2, **{"00100020": {"vr": "LO", "Value": [{"Alphabetic": "K-77"}]}}),
        study(2, **{"00100021": {"vr": "LO", "Value": [7.5]}}),
    ],
)
def test_a_row_of_another_patient_is_withheld_and_the_good_one_stays(foreign: dict[str, Any]) -> None:
    with scripted(once(study(1), foreign)) as server:
        answer = ask(server)
    assert [record.uid for record in answer.studies] == [f"{UID}.1"]
    assert answer.withheld == 1
    assert answer.withheld_studies == (f"{UID}.2",)
    assert answer.state is SourceState.PARTIAL


def test_one_study_under_two_patients_belongs_to_nobody() -> None:
    with scripted(once(study(1), study(1, patient="K-78"), study(1))) as server:
        answer = ask(server)
    assert answer.studies == ()
    assert answer.withheld == 1


@pytest.mark.parametrize("absent", [study(1, issuer=None), study(1, issuer=""), study(1, **{"00100021": {"vr": "LO"}}), study(1, patient="K-77 ")])
def test_a_row_without_issuer_has_the_archives(absent: dict[str, Any]) -> None:
    with scripted(once(absent)) as server:
        assert ask(server).studies[0].patient_id == MINE


def test_a_numeric_patient_id_is_compared_as_text() -> None:
    with scripted(once(study(1, **{"00100020": {"vr": "LO", "Value": [40771953]}}))) as server:
        assert len(ask(server, ids=(PatientId("40771953", "KESTREL"),)).studies) == 1


def test_pages_are_followed_until_one_is_empty() -> None:
    def answer(asked: Asked) -> Say:
        offset = int(asked.one("offset") or 0)
        return rows(*(study(number) for number in range(offset, min(offset + 12, 30)))) if offset < 30 else Say(204)

    with scripted(answer) as server:
        found = ask(server)
    assert found.state is SourceState.OK
    assert len(found.studies) == 30
    assert len(paged(server)) == 4


@pytest.mark.parametrize(("size", "state"), [(2, SourceState.OK), (5, SourceState.PARTIAL), (9, SourceState.OK)])
def test_an_ignored_offset_ends_and_a_full_page_may_hide_more(size: int, state: SourceState) -> None:
    with scripted(lambda asked: rows(*(study(number) for number in range(size)))) as server:
        answer = ask(server, limits={"page_size": 5})
    assert len(paged(server)) == 2
    assert (answer.state, answer.more_exist) == (state, state is SourceState.PARTIAL)


def test_endless_paging_stops_at_the_row_cap() -> None:
    def answer(asked: Asked) -> Say:
        offset = int(asked.one("offset") or 0)
        return rows(*(study(number) for number in range(offset, offset + 10)))

    with scripted(answer) as server:
        found = ask(server, limits={"page_size": 10, "max_rows": 50})
    assert found.more_exist
    assert found.state is SourceState.PARTIAL
    assert len(found.studies) == 50
    assert len(paged(server)) == 5


@pytest.mark.parametrize("say", [rows(study(), status=206), rows(study(), Warning='299 x "capped"'), Say(204, headers={"Warning": '299 x "capped"'})])
def test_206_and_warning_say_more_exist(say: Say) -> None:
    with scripted(lambda asked: say if asked.one("offset") == "0" else Say(204)) as server:
        answer = ask(server)
    assert answer.state is SourceState.PARTIAL
    assert answer.more_exist


def test_a_fault_on_the_second_page_keeps_the_first_and_says_so() -> None:
    with scripted(lambda asked: rows(study()) if asked.one("offset") == "0" else Say(500)) as server:
        answer = ask(server)
    assert len(answer.studies) == 1
    assert answer.state is SourceState.PARTIAL
    assert answer.fault_code == "failed"


def test_bad_fields_cost_themselves_only() -> None:
    odd = study(
        1,
        **{
            "00080020": {"vr": "DA", "Value": ["20261399"]},
            "00080030": {"vr": "TM", "Value": ["996161"]},
            "00080061": {"vr": "CS", "Value": ["ZZ", None, "sr"]},
            "00081030": {"vr": "LO", "Value": [{"Alphabetic": ["x"]}]},
            "00201208": {"vr": "IS", "Value": ["318"]},
            "00201206": {"vr": "IS", "InlineBinary": "AAAA"},
            "00080050": None,
        },
    )
    with scripted(once(odd, None, "text", study(2, **{"0020000D": {"vr": "UI", "Value": ["../../x"]}}))) as server:
        answer = ask(server)
    (record,) = answer.studies
    assert (record.date, record.time, record.modalities, record.description, record.image_count) == (None, None, ("ZZ", "SR"), None, 318)
    assert set(record.faults) == {"date", "time", "description"}
    assert answer.unreadable == 3
    assert answer.state is SourceState.PARTIAL


def test_a_strange_character_set_still_lists() -> None:
    body = json.dumps([study(1, **{"00081030": {"vr": "LO", "Value": ["Sch\u00e4del"]}})], ensure_ascii=False)
    latin = Say(200, body.encode("latin-1"), {"Content-Type": f"{DICOM_JSON}; charset=iso-8859-1"})
    unnamed = Say(200, body.encode("latin-1"), {"Content-Type": DICOM_JSON})
    for say, description in ((latin, "Schädel"), (unnamed, "Sch�del")):
        with scripted(lambda asked, say=say: say if asked.one("offset") == "0" else Say(204)) as server:
            (record,) = ask(server).studies
        assert record.description == description
        assert record.faults == (("description",) if "�" in description else ())


def test_half_a_character_still_lists() -> None:
    with scripted(once(study(1, **{"00081030": {"vr": "LO", "Value": ["head \ud800"]}}))) as server:
        (record,) = ask(server).studies
    assert record.description == "head \ufffd"
    assert record.faults == ("description",)


def test_busy_archive_is_asked_again_when_it_says_when() -> None:
    answers = iter([Say(503, headers={"Retry-After": "0"}), rows(study())])
    with scripted(lambda asked: next(answers) if asked.one("offset") == "0" else Say(204)) as server:
        assert ask(server).state is SourceState.OK
    assert len(paged(server)) == 2


def test_every_identifier_of_the_namespace_is_asked() -> None:
    old = PatientId("K-12", "KESTREL")

    def answer(asked: Asked) -> Say:
        number = 1 if asked.one("PatientID") == "K-77" else 2
        return rows(study(number, patient=asked.one("PatientID"))) if asked.one("offset") == "0" else Say(204)

    with scripted(answer) as server:
        found = ask(server, ids=(MINE, old))
    assert {record.patient_id for record in found.studies} == {MINE, old}
    assert found.state is SourceState.OK


def test_an_archive_that_refuses_a_field_is_asked_for_the_patients_alone() -> None:
    def answer(asked: Asked) -> Say:
        if "00180015" in asked.query["includefield"]:
            return Say(400)
        return rows(study(issuer="OTHER"), study(2)) if asked.one("offset") == "0" else Say(204)

    with scripted(answer) as server:
        found = ask(server)
    assert [record.uid for record in found.studies] == [f"{UID}.2"]
    assert found.withheld == 1


@pytest.mark.parametrize("value", ["K*", "K?7", "a\\b", "x\n", "", "9" * 65, "7\ufffd"])
def test_a_wildcard_is_never_sent(value: str) -> None:
    with scripted(lambda asked: rows(study())) as server:
        answer = ask(server, ids=(PatientId(value, "KESTREL"),))
    assert server.asked == []
    assert answer.state is SourceState.NO_IDENTIFIER


def test_a_foreign_retrieve_address_is_named_and_not_called() -> None:
    with scripted(once(study(1, **{"00081190": {"vr": "UR", "Value": ["http://10.0.0.9/wado/x?secret=1"]}}))) as server:
        answer = ask(server)
    assert answer.state is SourceState.OK
    assert "http://10.0.0.9" in answer.notes[0]
    assert "secret" not in answer.notes[0]


class Tokens:
    def __init__(self) -> None:
        self.now = "t1"

    def access_token(self) -> str:
        return self.now

    def refreshed(self, rejected: str) -> str:
        self.now = "t2" if rejected == "t1" else rejected
        return self.now


@pytest.mark.parametrize(("ehr", "sent"), [("northgate", ["Bearer t1", "Bearer t2"]), ("other", [None])])
def test_the_ehr_token_goes_to_the_ehrs_own_archive_only(ehr: str, sent: list[str | None]) -> None:
    def answer(asked: Asked) -> Say:
        if asked.headers.get("authorization") != "Bearer t2":
            return Say(401)
        return rows(study()) if asked.one("offset") == "0" else Say(204)

    with scripted(answer) as server:
        found = ask(server, launch=LaunchToken(ehr, Tokens()), credential={"kind": "ehr-token", "ehr": "northgate"})
    assert list(dict.fromkeys(asked.headers.get("authorization") for asked in server.asked)) == sent
    assert found.state is (SourceState.OK if ehr == "northgate" else SourceState.REFUSED)


def test_series_of_the_study_only() -> None:
    def series(uid: str, study_uid: str, number: Any) -> dict[str, Any]:
        return {
            "0020000D": {"vr": "UI", "Value": [study_uid]}, "0020000E": {"vr": "UI", "Value": [uid]},
            "00200011": {"vr": "IS", "Value": [number]}, "00080060": {"vr": "CS", "Value": ["CT"]},
        }  # fmt: skip

    page = [series("1.2", UID, "2"), series("1.1", UID, 1), series("1.9", "2.25.999", 1), series("x/y", UID, 3)]
    with scripted(lambda asked: rows(*page) if asked.one("offset") == "0" else Say(204)) as server:
        archive = Archive(key="kestrel", name="K", dicomweb=server.base, patient_id_issuer="K", identifier_systems=("k",))
        (configured,) = Archives([archive], read_secret=lambda ref: "")
        found = Qido(outbound_to(archive_kestrel=server.base), lambda: datetime.now(UTC)).series(configured, UID, None, 5)
    assert [(record.uid, record.number) for record in found] == [("1.1", 1), ("1.2", 2)]


def test_what_is_read_is_told_before_its_end_is_proven() -> None:
    proof = threading.Event()

    def answer(asked: Asked) -> Say:
        if asked.one("offset") == "0":
            return rows(study(1), study(2))
        proof.wait(5)
        return rows(study(2)) if asked.one("offset") == "1" else Say(204)

    told: list[Answer] = []
    with scripted(answer) as server:
        final = ask(server, tell=lambda one: (told.append(one), proof.set()))
    assert [(one.state, len(one.studies)) for one in told] == [(SourceState.ASKING, 2)]
    assert (final.state, len(final.studies), len(paged(server))) == (SourceState.OK, 2, 1), "one round trip: the proof went with the question"


@pytest.mark.parametrize("cap", [1, 2, 3, 4])
@pytest.mark.parametrize("held", [0, 1, 2, 3, 4, 5, 7])
def test_no_hidden_cap_is_taken_for_the_end(cap: int, held: int) -> None:
    def answer(asked: Asked) -> Say:
        offset = int(asked.one("offset") or 0)
        return rows(*(study(number) for number in range(offset, min(offset + cap, held))))

    with scripted(answer) as server:
        found = ask(server)
    assert (found.state.answered_in_full, len(found.studies)) == (True, held)


def test_an_archive_that_ignores_the_offset_proves_nothing_ahead() -> None:
    with scripted(lambda asked: rows(study(1), study(2))) as server:
        found = ask(server)
    assert len(found.studies) == 2
    assert [asked.one("offset") for asked in paged(server)] == ["0", "2"]


def test_a_study_that_its_proof_gives_to_another_patient_is_nobodys() -> None:
    other = study(2) | {"00100020": {"vr": "LO", "Value": ["SOMEBODY"]}}
    with scripted(lambda asked: rows(study(1), study(2)) if asked.one("offset") == "0" else rows(other) if asked.one("offset") == "2" else Say(500)) as server:
        found = ask(server)
    assert [record.uid for record in found.studies] == [f"{UID}.1"]
    assert found.withheld == 1
