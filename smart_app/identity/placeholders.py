"""Values that stand where nothing is known: DOE, UNKNOWN, 1900-01-01, 000. Never evidence, for or against, in any field.

A huge group of strangers shares each of them (safety.md P8).
"""

from __future__ import annotations

import re
from functools import lru_cache

NAMES = frozenset(
    ["doe", "unknown", "unk", "unbekannt", "inconnu", "desconocido", "desconhecido", "sconosciuto", "onbekend", "okand", "ukjent", "neznamy", "unidentified", "unnamed", "noname", "anonymous", "anonym", "anonymized", "anonymised", "anon", "test", "testing", "tester", "testpatient", "patient", "pat", "trauma", "dummy", "demo", "xx", "xxx", "xxxx", "xxxxx", "nn", "na", "none", "null", "nil", "mustermann", "musterfrau", "notgiven", "notstated", "notknown", "nofirstname", "nolastname", "nogivenname", "nofamilyname", "nosurname", "deleted", "removed", "withheld"]
)
"""Whole names, folded, without spaces."""
NEWBORN = frozenset(["baby", "babyboy", "babygirl", "bb", "bg", "babyof", "boyof", "girlof", "newborn", "newbornboy", "newborngirl", "nb", "infant", "neonate", "twin", "twins", "triplet", "sauga", "neugeborenes", "bebe"])
"""A name given on the first day, replaced on the second."""
DATES = frozenset(
    ["0001-01-01", "1000-01-01", "1111-11-11", "1753-01-01", "1800-01-01", "1801-01-01", "1850-01-01", "1858-11-17", "1899-12-30", "1899-12-31", "1900-01-01", "1900-12-31", "1901-01-01", "1910-10-10", "1911-11-11", "2099-12-31", "2222-02-22", "2999-12-31", "3000-01-01", "9999-12-31", "9999-09-09"]
)
WORDS = re.compile(r"(unk(nown)?|none|null|nil|n/?a|not ?(known|given|stated)|test.*|temp|tbd|x+|\?+|-+|\.+|anon(ymous|ymi[sz]ed)?)", re.IGNORECASE)
RUNS = frozenset({"123456789", "12345678", "1234567", "123456", "1234567890", "0123456789", "987654321", "87654321"})


def is_name(folded: str) -> bool:
    """Whether a folded name part, or a whole name, is a stand-in."""
    word = folded.replace(" ", "")
    return word in NAMES or (len(word) > 1 and len(set(word)) == 1)


def is_newborn(words: tuple[str, ...]) -> bool:
    """`Baby`, `BabyGirl A`, `Baby of Marta`: whoever was born that day."""
    return bool(words) and (words[0] in NEWBORN or "".join(words[:2]) in NEWBORN)


def is_birth_date(iso: str) -> bool:
    """Whether a date stands for an unknown one; also one before anybody who is imaged was born."""
    return iso in DATES or iso[:4] < "1860" or iso[:4] > "2200"


@lru_cache(maxsize=65536)
def is_identifier(value: str) -> bool:
    """`000`, `999999`, `123456`, `UNKNOWN`: what a form was given so that it would close."""
    plain = re.sub(r"[\s./_-]", "", value)
    if not plain or WORDS.fullmatch(value.strip()) is not None:
        return True
    digits = re.sub(r"\D", "", plain)
    if not digits:
        return is_name(plain.lower())
    return len(digits) == len(plain) and ((len(set(digits)) == 1 and (digits[0] == "0" or len(digits) > 3)) or digits in RUNS)


def is_telephone(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    return not digits or len(set(digits)) == 1 or digits in RUNS


def is_address(value: str) -> bool:
    return WORDS.fullmatch(value.strip()) is not None or is_name(re.sub(r"[^a-z]", "", value.lower())) or "no fixed" in value.lower()
