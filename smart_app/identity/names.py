"""A person's name as words that can be compared: DICOM PN groups, FHIR HumanName, any script, any order of writing.

Reading only; `likeness` compares. A name that lost its characters on the way (U+FFFD, mojibake) is `damaged`: it can
be compared with nothing, not even with itself (safety.md D7).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from anyascii import anyascii

from smart_app.identity import placeholders

SUFFIXES = {
    "jr": "jr", "junior": "jr", "jnr": "jr", "filho": "jr", "hijo": "jr", "sr": "sr", "senior": "sr", "snr": "sr", "pai": "sr", "ii": "2", "2nd": "2",
    "iii": "3", "3rd": "3", "iv": "4", "4th": "4", "neto": "3", "fils": "jr", "pere": "sr",
}  # fmt: skip
TITLES = frozenset(["dr", "prof", "mr", "mrs", "ms", "miss", "herr", "frau", "hr", "fr", "md", "phd", "dipl", "ing", "sir", "dame", "lady", "rev", "fru", "hon", "mag"])
PARTICLES = frozenset(["al", "el", "ul", "as", "ash", "at", "an", "ad", "ibn", "bin", "ben", "bint", "abu", "o", "de", "da", "do", "dos", "das", "del", "della", "di", "du", "van", "von", "der", "den", "zu", "la", "le", "y", "e", "af", "av", "ter", "ten"])
"""Little words that one desk writes and the next leaves out. Dropped only while another word remains."""
DAMAGE = re.compile("\ufffd|[ÃÂÐÑÅÄ][\u0080-\u00bf]|â€|ï¿½|ã[\u0080-\u00bf]|(?<=\\w)\\?(?=\\w)|\\?\\?|&#?\\w+;|\x1b")
LETTERS = re.compile(r"[^\W\d_]", re.UNICODE)
EXPANDED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe", "ß": "ss", "ñ": "n", "đ": "d", "þ": "th", "ð": "d"})
MAX_WORDS = 12


class State(StrEnum):
    GIVEN = "given"
    ABSENT = "absent"
    PLACEHOLDER = "placeholder"
    DAMAGED = "damaged"


class Script(StrEnum):
    LATIN = "latin"
    ALPHABET = "alphabet"
    """Cyrillic, Greek, Armenian, Georgian: letter for letter."""
    KANA = "kana"
    HAN = "han"
    HANGUL = "hangul"
    ABJAD = "abjad"
    """Arabic, Hebrew: vowels are mostly not written."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Part:
    """Family or given names: `words` folded to plain letters, `also` the same with ae, oe, ue, aa written out."""

    state: State
    words: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    script: Script = Script.LATIN
    whole: str = ""
    """With its particles, in one word: `de la Cruz` is `Delacruz`."""


NOTHING = Part(State.ABSENT)


@dataclass(frozen=True, slots=True)
class PersonName:
    """One name of a person. `structured`: family and given were told apart by its source."""

    family: Part
    given: Part
    suffix: str = ""
    structured: bool = True
    former: bool = False
    """A maiden or old name: worth comparing with, not the one of today."""


@lru_cache(maxsize=65536)
def from_pn(value: str) -> tuple[PersonName, ...]:
    """The names in a DICOM PN (PS3.5 6.2.1): one a component group, `Family^Given^Middle^Prefix^Suffix=…=…`."""
    found = []
    for group in value.split("=")[:3]:
        if not group.strip("^ "):
            continue
        family, given, middle, _prefix, suffix = ([*group.split("^"), "", "", "", ""])[:5]
        if "^" in group:
            found.append(from_parts(family, f"{given} {middle}", suffix))
        elif "," in group:
            family, _, given = group.partition(",")
            found.append(from_parts(family, given))
        else:
            found.append(from_text(group))
    return tuple(found)


@lru_cache(maxsize=65536)
def from_parts(family: str, given: str, suffix: str = "", former: bool = False) -> PersonName:
    """A name whose parts are told apart, as in FHIR HumanName."""
    ending, rest_given = _suffix(given)
    other, rest_family = _suffix(family)
    own = SUFFIXES.get(re.sub(r"[.,\s]", "", suffix).lower(), "")
    return PersonName(read(rest_family), read(rest_given), own or ending or other, True, former)


@lru_cache(maxsize=65536)
def from_text(text: str) -> PersonName:
    """A name in one piece: nobody said which word is the family's."""
    ending, rest = _suffix(text)
    return PersonName(read(rest), NOTHING, ending, False)


@lru_cache(maxsize=65536)
def read(text: str) -> Part:
    """One part of a name, folded."""
    damaged = DAMAGE.search(text) is not None  # before NFKC, which takes mojibake apart
    text = unicodedata.normalize("NFKC", text).strip()
    if not text:
        return NOTHING
    if damaged:
        return Part(State.DAMAGED)
    script = script_of(text)
    if script is None:
        return Part(State.PLACEHOLDER)
    words = _words(text)
    if placeholders.is_newborn(words):
        return Part(State.PLACEHOLDER, words)
    if not words or placeholders.is_name(" ".join(words)):
        return Part(State.PLACEHOLDER)
    also = _words(unicodedata.normalize("NFC", text).lower().translate(EXPANDED)) if script is Script.LATIN else words
    return Part(State.GIVEN, words, also, script, "".join(_all_words(text)))


def latin(text: str) -> str:
    """As it may be written in Latin letters: a help to read it, never to match by."""
    return " ".join(anyascii(text).split())


def script_of(text: str) -> Script | None:
    """The script of its letters; None when there are none. Mixed ones are `other`, but kana beside Han is Japanese, so Han."""
    found: set[Script] = set()
    for letter in LETTERS.findall(text):
        name = "LATIN" if letter.isascii() else unicodedata.name(letter, "")
        found.add(next((script for word, script in _SCRIPTS if name.startswith(word)), Script.OTHER))
    if not found:
        return None
    if found == {Script.HAN, Script.KANA}:
        return Script.HAN
    return found.pop() if len(found) == 1 else Script.OTHER


_SCRIPTS = (
    ("LATIN", Script.LATIN), ("FULLWIDTH LATIN", Script.LATIN), ("CYRILLIC", Script.ALPHABET), ("GREEK", Script.ALPHABET), ("ARMENIAN", Script.ALPHABET),
    ("GEORGIAN", Script.ALPHABET), ("HIRAGANA", Script.KANA), ("KATAKANA", Script.KANA), ("HALFWIDTH KATAKANA", Script.KANA), ("CJK", Script.HAN),
    ("HANGUL", Script.HANGUL), ("ARABIC", Script.ABJAD), ("HEBREW", Script.ABJAD), ("SYRIAC", Script.ABJAD),
)  # fmt: skip


def _all_words(text: str) -> list[str]:
    plain = anyascii(text) if not text.isascii() else text
    plain = re.sub(r"['’`´ʹʺ\"]", "", plain.lower())
    return [word for word in re.split(r"[^a-z0-9]+", plain) if word][:MAX_WORDS]


def _words(text: str) -> tuple[str, ...]:
    words = _all_words(text)
    kept = [word for word in words if word not in TITLES] or words
    return tuple([word for word in kept if word not in PARTICLES] or kept)


def _suffix(text: str) -> tuple[str, str]:
    """(suffix at the end, the rest); a name that is nothing but a suffix is a name."""
    words = text.replace(",", " ").split()
    if len(words) > 1 and words[-1].rstrip(".").lower() in SUFFIXES:
        return SUFFIXES[words[-1].rstrip(".").lower()], " ".join(words[:-1])
    return "", text
