"""The streaming multipart reader: exact at every cut and every chunking, and hard to fool."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smart_app.archives.multipart import (
    MultipartFault,
    PartReader,
    PartWriter,
    boundary_of,
    media_type,
)

BOUNDARY = b"b-1"
BODIES = (b"", b"\r\n", b"alpha\r\n--b-1x", b"\r\n--b-", bytes(range(256)) * 5, b"\r\n--b-1-tail", b"--b-1--")


def wire(bodies=BODIES, *, lengths=True, headers=b"Content-Type: application/octet-stream\r\n", boundary=BOUNDARY):
    out = b""
    for body in bodies:
        length = b"Content-Length: %d\r\n" % len(body) if lengths else b""
        out += b"\r\n--" + boundary + b"\r\n" + headers + length + b"\r\n" + body
    return out[2:] + b"\r\n--" + boundary + b"--\r\n"


def read(data, step=None, boundary=BOUNDARY, **options):
    chunks = [data] if step is None else [data[at : at + step] for at in range(0, len(data), step)]
    return [b"".join(part.chunks) for part in PartReader(chunks, boundary, **options)]


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("step", [None, 1, 2, 3, 7, 64])
def test_parts_come_back_bit_for_bit_whatever_the_chunks(lengths, step):
    assert read(wire(lengths=lengths), step) == list(BODIES)


@pytest.mark.parametrize("lengths", [True, False])
def test_cut_at_every_offset_is_never_a_clean_end(lengths):
    data = wire(lengths=lengths)
    whole = data.rindex(b"--") + 2
    for at in range(whole):
        with pytest.raises(MultipartFault):
            read(data[:at], 97)
    for at in range(whole, len(data) + 1):
        assert read(data[:at], 97) == list(BODIES)


@settings(max_examples=150, deadline=None)
@given(
    bodies=st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"Z", b"\r\n--b-1")), min_size=1, max_size=5),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=20),
    lengths=st.booleans(),
)
def test_any_chunking_gives_the_same_parts(bodies, cuts, lengths):
    # A body may hold text that only begins like a delimiter; a true delimiter line cannot be in a body without lengths.
    bodies = [re.sub(rb"\r\n--b-1(--|[ \t]*\r\n|[ \t]*$)", b"\r\n--b_1", body) for body in bodies]
    bodies = [body + b"." for body in bodies]
    bodies = [re.sub(rb"\r\n--b-1(--|[ \t]*\r\n)", b"\r\n--b_1", body) for body in bodies]
    data = wire(bodies, lengths=lengths)
    chunks, at, turn = [], 0, 0
    while at < len(data):
        chunks.append(data[at : at + cuts[turn % len(cuts)]])
        at += cuts[turn % len(cuts)]
        turn += 1
    got = [b"".join(part.chunks) for part in PartReader(chunks, BOUNDARY)]
    assert got == bodies


def test_skipped_part_leads_to_the_next():
    heads = []
    for part in PartReader([wire((b"x" * 1000, b"y" * 10))], BOUNDARY):
        heads.append(part.length)
    assert heads == [1000, 10]


def test_padding_preamble_and_epilogue_are_allowed():
    data = b"hello\r\n--b-1 \t\r\nA: b\r\n\r\nbody\r\n--b-1--  \r\nbye"
    assert read(data, 3) == [b"body"]


def test_part_without_headers():
    assert read(b"--b-1\r\n\r\nbody\r\n--b-1--", 1) == [b"body"]


def test_folded_header_is_one_value():
    (part,) = list(PartReader([b"--b-1\r\nContent-Type: image/jls;\r\n transfer-syntax=1.2\r\n\r\nx\r\n--b-1--"], BOUNDARY))
    assert part.headers["content-type"] == "image/jls; transfer-syntax=1.2"


def _sub(old, new, count=1):
    return lambda data: data.replace(old, new, count)


GOOD = wire((b"first body", b"second body"))
MUTATIONS = {
    "empty": lambda d: b"",
    "html login page": lambda d: b"<!doctype html><title>Sign in</title>",
    "json": lambda d: b'{"error": "x"}',
    "no close delimiter": lambda d: d[: d.rindex(b"\r\n--b-1--")],
    "close delimiter of another boundary": _sub(b"--b-1--", b"--b-2--"),
    "other boundary throughout": lambda d: d.replace(b"b-1", b"b-9"),
    "boundary in another case": lambda d: d.replace(b"--b-1", b"--B-1"),
    "boundary with a tail": lambda d: d.replace(b"--b-1\r", b"--b-1x\r"),
    "boundary with one dash": lambda d: d.replace(b"--b-1", b"-b-1"),
    "length too short": _sub(b"Content-Length: 10", b"Content-Length: 9"),
    "length too long": _sub(b"Content-Length: 10", b"Content-Length: 11"),
    "length far too long": _sub(b"Content-Length: 10", b"Content-Length: 1000000"),
    "length zero": _sub(b"Content-Length: 10", b"Content-Length: 0"),
    "length negative": _sub(b"Content-Length: 10", b"Content-Length: -10"),
    "length with plus": _sub(b"Content-Length: 10", b"Content-Length: +10"),
    "length in hex": _sub(b"Content-Length: 10", b"Content-Length: 0xa"),
    "length with unit": _sub(b"Content-Length: 10", b"Content-Length: 10 bytes"),
    "length empty": _sub(b"Content-Length: 10", b"Content-Length: "),
    "length as a list": _sub(b"Content-Length: 10", b"Content-Length: 10, 10"),
    "length absurd": _sub(b"Content-Length: 10", b"Content-Length: 99999999999999999999"),
    "two lengths": _sub(b"Content-Length: 10", b"Content-Length: 10\r\nContent-Length: 11"),
    "length over the cap": _sub(b"Content-Length: 10", b"Content-Length: 5000"),
    "two types": _sub(b"Content-Type: ", b"Content-Type: text/html\r\nContent-Type: "),
    "header without colon": _sub(b"Content-Type: ", b"Content-Type "),
    "header name with space": _sub(b"Content-Type: ", b"Content Type: "),
    "header name empty": _sub(b"Content-Type: ", b": "),
    "header name in another script": _sub(b"Content-Type: ", b"Cont\xebnt: "),
    "header block never ends": lambda d: b"--b-1\r\n" + b"A: b\r\n" * 5000,
    "header line endless": lambda d: b"--b-1\r\nA: " + b"a" * 70000,
    "bare line feeds": lambda d: d.replace(b"\r\n", b"\n"),
    "bare carriage returns": lambda d: d.replace(b"\r\n", b"\r"),
    "base64": _sub(b"Content-Type: ", b"Content-Transfer-Encoding: base64\r\nContent-Type: "),
    "quoted-printable": _sub(b"Content-Type: ", b"Content-Transfer-Encoding: quoted-printable\r\nContent-Type: "),
    "preamble without end": lambda d: b"x" * 200_000 + d,
    "body bytes lost": _sub(b"first body", b"first"),
    "body bytes added": _sub(b"first body", b"first body and more"),
    "no parts": lambda d: b"--b-1--",
    "break lost before a delimiter": _sub(b"first body\r\n--", b"first body--"),
    "cut in the last delimiter": lambda d: d.rstrip()[:-1],
    "padding endless": lambda d: b"--b-1" + b" " * 100 + d[5:],
    "nul bytes in front of the delimiter": _sub(b"first body\r\n", b"first body\0\r\n"),
    "close delimiter at once, then parts lost": lambda d: d[: d.index(b"second")],
}


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("step", [None, 1, 13])
def test_mutated_body_is_a_fault(name, step):
    mutated = MUTATIONS[name](GOOD)
    assert mutated != GOOD
    with pytest.raises(MultipartFault):
        read(mutated, step, max_part=4000)


def test_there_are_forty_mutations():
    assert len(MUTATIONS) >= 40


def test_part_over_the_cap_without_a_length():
    with pytest.raises(MultipartFault, match="too large"):
        read(wire((b"x" * 5000,), lengths=False), 100, max_part=4000)


def test_memory_stays_at_a_chunk():
    def endless():
        yield b"--b-1\r\n\r\n"
        for _ in range(2000):
            yield b"x" * 10_000
        yield b"\r\n--b-1--"

    reader = PartReader(endless(), BOUNDARY)
    largest = total = 0
    for part in reader:
        for chunk in part.chunks:
            total += len(chunk)
            largest = max(largest, len(chunk), len(reader._buffer))
    assert total == 20_000_000
    assert largest < 21_000


def test_fault_text_holds_no_bytes_of_the_body():
    with pytest.raises(MultipartFault) as caught:
        read(GOOD.replace(b"Content-Type: ", b"DOE^JOHN "))
    assert "DOE" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary=abc', b"abc"),
        ('multipart/related;boundary="a b:c";type=application/dicom', b"a b:c"),
        ("Multipart/Related; TYPE=\"application/octet-stream; transfer-syntax=*\"; Boundary=x-1", b"x-1"),
        ("multipart/related; boundary=----=_Part_1_2.3; type=x", b"----=_Part_1_2.3"),
        ("multipart/related; boundary=" + "a" * 81, b"a" * 81),
    ],
)
def test_boundary_is_read(text, boundary):
    assert boundary_of(media_type(text)) == boundary


@pytest.mark.parametrize(
    "text",
    ["", "text/html", "multipart/related", "multipart/related; boundary=", 'multipart/related; boundary="a\r\nb"', "multipart/mixed; boundary=a",
     "multipart/related; boundary=" + "a" * 201, 'multipart/related; boundary="ends "', "multipart/related; boundary=é"],
)  # fmt: skip
def test_unusable_content_type_is_a_fault(text):
    with pytest.raises(MultipartFault):
        boundary_of(media_type(text))


def test_what_the_writer_writes_the_reader_reads():
    writer = PartWriter()
    data = b"".join(writer.head({"Content-Type": "application/dicom", "Content-Length": str(len(b))}) + b for b in BODIES) + writer.tail()
    kind = media_type(writer.content_type("application/dicom"))
    assert kind.params["type"] == "application/dicom"
    assert read(data, 11, boundary_of(kind)) == list(BODIES)
