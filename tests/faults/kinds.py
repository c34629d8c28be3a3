"""The fault kinds, and for each the word of what must come of it, at each kind of question. Written from what a reader needs, not from a run.

A word that begins with `-` is no cell: it says why the fault makes no sense there. What a word means is in `meanings`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults import wire
from tests.unit.viewer.fake import SERIES, instance

OPS = ("studies", "series", "instances", "metadata", "frame", "rendered", "stream", "token")
NOT_JSON = "-pixels are no JSON"
NOT_PARTS = "-only parts have boundaries"
NO_NAMES = "-neither a frame nor a picture names anybody: only an instance that was judged is asked for"
NOT_DICOM = "-a token is no DICOM"
NO_PAGES = "-it has no pages"
BIG = "-pixels may be large: their own limit is two gigabytes"


@dataclass(frozen=True)
class Kind:
    level: str
    name: str
    act: wire.Act | None
    words: tuple[str, ...]
    """One an operation, in the order of OPS."""
    place: str = "plain"
    """`plain`, or an archive behind TLS: `self-signed`, `no-tls`."""
    down: bool = False


def all_of(word: str, token: str) -> tuple[str, ...]:
    return (*[word] * 7, token)


def of(studies: str, lists: str, metadata: str, frame: str, rendered: str, stream: str, token: str) -> tuple[str, ...]:
    return (studies, lists, lists, metadata, frame, rendered, stream, token)


UNREACHABLE = all_of("unreachable", "token-silent")
FAILED = all_of("failed", "token-faulty")
OVERLOADED = all_of("overloaded", "token-faulty")
REFUSED = all_of("refused", "token-refused")

TCP = (
    Kind("tcp", "refused", None, UNREACHABLE, down=True),
    Kind("tcp", "reset", wire.reset, UNREACHABLE),
    Kind("tcp", "reset in the body", wire.reset_in_body, all_of("cut", "token-silent")),
    Kind("tcp", "closed in the body", wire.cut_in_body, all_of("cut", "token-silent")),
    Kind("tcp", "silent", wire.silent, all_of("timeout", "token-silent")),
    Kind("tcp", "drip", wire.drip, all_of("timeout", "timeout")),
    Kind("tcp", "head, then silence", wire.head_then_silence, all_of("timeout", "token-silent")),
    Kind("tcp", "closed without a word", wire.half_close, UNREACHABLE),
    Kind("tcp", "garbage for HTTP", wire.garbage, UNREACHABLE),
    Kind("tcp", "self-signed certificate", None, UNREACHABLE, place="self-signed"),
    Kind("tcp", "garbage for TLS", None, UNREACHABLE, place="no-tls"),
)

HTTP = (
    Kind("http", "301", wire.status(301, Location="/elsewhere"), all_of("redirected", "token-faulty")),
    Kind("http", "302 to another host", wire.status(302, Location="https://pacs.evil.example/"), of("sent-away", *["redirected"] * 5, "token-faulty")),
    Kind("http", "400", wire.status(400), of("failed", "failed", "failed", "cannot-send", "cannot-send", "cannot-send", "token-refused")),
    Kind("http", "401", wire.status(401), REFUSED),
    Kind("http", "403", wire.status(403), REFUSED),
    Kind("http", "404", wire.status(404), of("failed", *["not-there"] * 5, "token-faulty")),
    Kind("http", "406", wire.status(406), of("failed", "failed", "failed", "cannot-send", "cannot-send", "cannot-send", "token-faulty")),
    Kind("http", "408", wire.status(408), FAILED),
    Kind("http", "413", wire.status(413), of("too-large", *["failed"] * 5, "token-faulty")),
    Kind("http", "429", wire.status(429), OVERLOADED),
    Kind("http", "500", wire.status(500), FAILED),
    Kind("http", "502", wire.status(502), FAILED),
    Kind("http", "503", wire.status(503), OVERLOADED),
    Kind("http", "503, again at once", wire.status(503, Retry_After="0"), OVERLOADED),
    Kind("http", "503, again next year", wire.status(503, Retry_After="31536000"), OVERLOADED),
    Kind("http", "504", wire.status(504), FAILED),
    Kind("http", "206", wire.changed(status=206), of("more", "part", "part", "part", "failed", "part", "-a token is whole or none")),
    Kind("http", "Warning 299", wire.with_header(Warning='299 x "there are more"'),
         of("more", "part", "part", *["-a Warning is a search's word for more rows"] * 3, "-a token is whole or none")),
    Kind("http", "another type", wire.changed(type="text/plain"), of("whole", *["wrong-content"] * 5, "whole")),
    Kind("http", "sign-in page", wire.status(200, b"<!doctype html><title>Sign in</title>", Content_Type="text/html"), of("not-a-list", *["wrong-content"] * 5, "token-faulty")),
    Kind("http", "empty body", wire.changed(body=b""), of("not-a-list", "wrong-content", "wrong-content", "damaged", "wrong-content", "damaged", "token-faulty")),
    Kind("http", "gzip bomb", wire.bomb, of("too-large", "too-large", "too-large", BIG, "too-large", BIG, "token-faulty")),
    Kind("http", "huge body", wire.huge, of("too-large", "too-large", "too-large", BIG, "too-large", BIG, "token-faulty")),
    Kind("http", "bottomless JSON", wire.changed(body=b"[" * 200_000), of("not-a-list", "wrong-content", "wrong-content", NOT_JSON, NOT_JSON, NOT_JSON, "token-faulty")),
    Kind("http", "JSON, but no list", wire.changed(body=b'{"error":"busy"}'), of("not-a-list", "wrong-content", "wrong-content", NOT_JSON, NOT_JSON, NOT_JSON, "token-refused")),
)  # fmt: skip


def each(change: Callable[[dict[str, Any]], dict[str, Any]]) -> wire.Act:
    return wire.rows(lambda rows: [change(row) for row in rows])


def without(*tags: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda row: {name: value for name, value in row.items() if name not in tags}


def spoilt(row: dict[str, Any]) -> dict[str, Any]:
    """Null, wrong and bare where nothing depends on it."""
    return row | {"00080020": None, "00080030": {"vr": "TM", "Value": [None]}, "00081030": "bare", "00201208": {"vr": "IS", "Value": ["two"]}, "00080060": {"vr": "CS", "Value": "CT"}}


def by_op(lists: wire.Act, stream: wire.Act) -> wire.Act:
    return lambda sock, said: (stream if said.op == "stream" else lists)(sock, said)


OTHER_PATIENT = by_op(each(lambda row: row | {"00100020": wire.tag("LO", wire.OTHER_PATIENT)}), wire.objects(instance(1, patient=wire.OTHER_PATIENT)))
OTHER_STUDY = by_op(each(lambda row: row | {"0020000D": wire.tag("UI", wire.OTHER_STUDY)}), wire.objects(instance(1, study=wire.OTHER_STUDY)))
OTHER_SERIES = by_op(each(lambda row: row | {"0020000E": wire.tag("UI", f"{SERIES}.7")}), wire.objects(instance(1, series=f"{SERIES}.7")))
def nameless() -> Any:
    """Without its UIDs, although the file's own head has one."""
    made = instance(1)
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        delattr(made, name)
    return made


NAMELESS = by_op(each(without("0020000D", "0020000E", "00080018")), wire.objects(nameless()))


def cut_parts(sock: Any, said: wire.Said) -> None:
    """No end, although the length says that it is all."""
    wire.changed(body=said.body[: len(said.body) // 4])(sock, said)


def wrong_boundary(sock: Any, said: wire.Said) -> None:
    wire.changed(type=said.type.replace("fake-boundary", "another"))(sock, said)


def garbled(sock: Any, said: wire.Said) -> None:
    body = said.body.replace(b'"CT chest"', b'"Sch\xe4del \xff\xfe"').replace(b'"CT"', b'"CT"')
    wire.changed(body=body)(sock, said)


DICOM = (
    Kind("dicom", "parts cut short", cut_parts, of(NOT_PARTS, NOT_PARTS, NOT_PARTS, "damaged", NOT_PARTS, "broken", NOT_DICOM)),
    Kind("dicom", "another boundary", wrong_boundary, of(NOT_PARTS, NOT_PARTS, NOT_PARTS, "damaged", NOT_PARTS, "damaged", NOT_DICOM)),
    Kind("dicom", "another patient's", OTHER_PATIENT, of("withheld", "kept-back", "kept-back", NO_NAMES, NO_NAMES, "withheld", NOT_DICOM)),
    Kind("dicom", "another study's", OTHER_STUDY, ("-studies are what is asked for", "kept-back", "kept-back", "kept-back", NO_NAMES, NO_NAMES, "withheld", NOT_DICOM)),
    Kind("dicom", "another series'", OTHER_SERIES, ("-studies have no series here", "-a series list may name any series of the study", "kept-back", "kept-back", NO_NAMES, NO_NAMES, "withheld", NOT_DICOM)),
    Kind("dicom", "nulls and wrong forms", each(spoilt), of("whole", "whole", "whole", NOT_JSON, NOT_JSON, NOT_JSON, NOT_DICOM)),
    Kind("dicom", "no UIDs", NAMELESS, of("unreadable", "part", "kept-back", NO_NAMES, NO_NAMES, "withheld", NOT_DICOM)),
    Kind("dicom", "broken characters", garbled, of("whole", "whole", "whole", NOT_JSON, NOT_JSON, NOT_JSON, NOT_DICOM)),
    Kind("dicom", "endless pages", wire.endless, of("many", "part", NO_PAGES, NO_PAGES, NO_PAGES, NO_PAGES, NOT_DICOM)),
    Kind("dicom", "one page again and again", wire.repeated, of("whole", "whole", NO_PAGES, NO_PAGES, NO_PAGES, NO_PAGES, NOT_DICOM)),
)  # fmt: skip

KINDS = (*TCP, *HTTP, *DICOM)
