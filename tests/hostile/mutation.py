"""Seeded damage: the same number always makes the same input, so that a failing one can be made again and join the corpus."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence

SPECIAL = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
WORDS = (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0", b"\xfe\xff\x0d\xe0", b"\xff\xff\xff\xff", b"SQ\0\0", b"UN\0\0", b"OB\0\0", b"\xe0\x7f\x10\0", b"DICM", b"PK\3\4", b"%PDF-", b"\xff\xd8\xff", b"\x1b$B", b"\0" * 16)


def mutated(seeds: Sequence[bytes], number: int) -> bytes:
    """The `number`th damaged input."""
    chance = random.Random(number)
    content = bytearray(seeds[number % len(seeds)])
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        content = _once(content, chance, seeds)
    return bytes(content)


def _once(content: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> bytearray:
    if not content:
        return content
    # Heads matter most: half of the damage goes into the first kilobyte.
    at = chance.randrange(min(len(content), 1024 if chance.random() < 0.5 else len(content)))
    way = chance.randrange(8)
    if way == 0:
        content[at] ^= 1 << chance.randrange(8)
    elif way == 1:
        content[at] = chance.randrange(256)
    elif way == 2:
        word = struct.pack(chance.choice("<>") + "I", chance.choice(SPECIAL))[: chance.choice((2, 4))]
        content[at : at + len(word)] = word
    elif way == 3:
        del content[at : at + chance.choice((1, 2, 8, 64, 1024))]
    elif way == 4:
        content[at:at] = content[at : at + chance.choice((1, 4, 16, 256))]
    elif way == 5:
        content[at:at] = chance.choice(WORDS)
    elif way == 6:
        del content[at:]
    else:
        other = chance.choice(seeds)
        begin = chance.randrange(max(len(other), 1))
        content[at : at + 64] = other[begin : begin + chance.choice((4, 64, 512))]
    return content
