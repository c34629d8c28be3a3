"""What of a request has come: pure. A request is given a thread once it is whole, or when its body is too long to be waited for without one."""

from __future__ import annotations

import re
from enum import Enum

MOST_HEAD = 1 << 15
MOST_BODY = 1 << 16
"""Bytes of a body that are waited for without a thread: every form, and most of what pages say."""

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*(?=\r\n)", re.IGNORECASE)
_COMES_LATER = re.compile(rb"\r\n(?:transfer-encoding|expect)[ \t]*:", re.IGNORECASE)


class Come(Enum):
    PART = "part"
    WHOLE = "whole"
    BODY_LATER = "body-later"
    """The head is here; the body is long, of unknown length, or waits to be asked for."""
    TOO_LONG = "too-long"


def looked_at(data: bytes | bytearray) -> Come:
    """What a head says about its own end is only believed to wait or not to wait; the parser reads it again and judges."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return Come.PART if len(data) <= MOST_HEAD else Come.TOO_LONG
    if end > MOST_HEAD:
        return Come.TOO_LONG
    head = bytes(data[: end + 2])
    if _COMES_LATER.search(head):
        return Come.BODY_LATER
    lengths = [int(said) for said in _LENGTH.findall(head)]
    whole = end + 4 + max(lengths, default=0)
    if len(data) >= whole:
        return Come.WHOLE
    return Come.PART if whole <= end + 4 + MOST_BODY else Come.BODY_LATER
