"""An answer of the gateway before it is put into HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass(frozen=True)
class Sent:
    """What goes to the client. `length` is known when the answer is whole. Close `body` if it is not read to its end.

    With `file`, the body is that file to its end, and the server may let the kernel send it.
    """

    type: str
    body: Iterator[bytes] = field(repr=False, default=iter(()))
    length: int | None = None
    status: int = 200
    instance: str | None = None
    file: BinaryIO | None = field(repr=False, default=None)
