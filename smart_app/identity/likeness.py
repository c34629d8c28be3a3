"""How like two names are, in words a person can check: the same, written otherwise, close, different, or not comparable.

Only what both sides could have written is compared: an ideographic group with an alphabetic one only where a fixed
reading gives equality, never to say "different". Close spelling is doubt, not agreement: twins are named like that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from smart_app.identity.names import Part, PersonName, Script, State


class Likeness(IntEnum):
    """Best first."""

    SAME = 0
    VARIANT = 1
    """The same name written otherwise: transliterated, in other order, a former name, one of several given names."""
    COMPATIBLE = 2
    """Nothing speaks against it, nothing for it: an initial, a consonant skeleton."""
    ABSENT = 3
    PLACEHOLDER = 4
    UNREADABLE = 5
    """Damaged, or of scripts that cannot be compared."""
    CLOSE = 6
    DIFFERENT = 7


AGREES = frozenset({Likeness.SAME, Likeness.VARIANT})
DOUBTS = frozenset({Likeness.CLOSE, Likeness.DIFFERENT})


@dataclass(frozen=True, slots=True)
class NameVerdict:
    """Two people's names side by side. `note` holds a few fixed words."""

    family: Likeness
    given: Likeness
    suffix_conflict: bool = False
    note: str = ""
    ours: PersonName | None = None
    theirs: PersonName | None = None


def compare(ours: tuple[PersonName, ...], theirs: tuple[PersonName, ...]) -> NameVerdict:
    """The best of all pairs. A suffix that differs on any pair of today's names stays a conflict."""
    best = NameVerdict(Likeness.ABSENT, Likeness.ABSENT)
    rank = (True, True, 99)
    for one in ours:
        for other in theirs:
            verdict = _pair(one, other)
            its = _rank(verdict)
            if its < rank:
                best, rank = verdict, its
    suffixes = {name.suffix for name in ours if name.suffix}, {name.suffix for name in theirs if name.suffix}
    if suffixes[0] and suffixes[1] and not suffixes[0] & suffixes[1]:
        return NameVerdict(best.family, best.given, True, best.note, best.ours, best.theirs)
    return best


def _rank(verdict: NameVerdict) -> tuple[bool, bool, int]:
    # What could be compared outranks what could not, also where it came out badly: an empty or unreadable group hides no difference.
    return (not _told(verdict.given), not _told(verdict.family), 4 * int(verdict.given) + int(verdict.family))


def _told(level: Likeness) -> bool:
    return level in AGREES or level in DOUBTS


def _pair(ours: PersonName, theirs: PersonName) -> NameVerdict:
    if not (ours.structured and theirs.structured):
        return _unstructured(ours, theirs)
    family, given = part(ours.family, theirs.family), part(ours.given, theirs.given)
    note = ""
    if family in DOUBTS or given in DOUBTS or (family is given is Likeness.UNREADABLE and Script.HAN in (ours.family.script, theirs.family.script)):
        crossed = part(ours.family, theirs.given), part(ours.given, theirs.family)
        if all(level in AGREES for level in crossed):
            family = given = Likeness.VARIANT
            note = "order swapped"
    if family in AGREES and (ours.former or theirs.former):
        family, note = Likeness.VARIANT, "a former name"
    if family is Likeness.DIFFERENT and _shares_word(ours.family, theirs.family):
        family, note = Likeness.VARIANT, "part of a double name"
    return NameVerdict(family, given, False, note, ours, theirs)


def _unstructured(ours: PersonName, theirs: PersonName) -> NameVerdict:
    """At least one side is in one piece: its words are tried as family first, family last."""
    if not ours.structured and not theirs.structured:
        one, other = ours.family, theirs.family
        level = part(one, other)
        if level in DOUBTS and one.state is other.state is State.GIVEN and sorted(one.words) == sorted(other.words):
            level = Likeness.VARIANT
        single = min(len(one.words), len(other.words)) < 2 and State.DAMAGED not in (one.state, other.state)
        return NameVerdict(level, Likeness.ABSENT if single else level, False, "in one piece", ours, theirs)
    whole, parted = (ours, theirs) if theirs.structured else (theirs, ours)
    words = whole.family
    if words.state is not State.GIVEN or len(words.words) < 2:
        level = part(words, parted.family)
        return NameVerdict(level, Likeness.ABSENT if words.state is State.GIVEN else level, False, "in one piece", ours, theirs)
    found = [
        (part(_slice(words, *family), parted.family), part(_slice(words, *given), parted.given))
        for at in range(1, min(len(words.words), 4))
        for family, given in (((0, at), (at, None)), ((at, None), (0, at)))
    ]
    family, given = min(found, key=lambda pair: 4 * int(pair[1]) + int(pair[0]))
    return NameVerdict(family, given, False, "in one piece", ours, theirs)


def _slice(whole: Part, start: int, stop: int | None) -> Part:
    return Part(whole.state, whole.words[start:stop], whole.also[start:stop], whole.script, "".join(whole.words[start:stop]))


def _shares_word(one: Part, other: Part) -> bool:
    """`Adeyemi-Holt` and `Holt`: a whole word of a double name is the other name, or both hold it."""
    shared = set(one.words) & set(other.words)
    return any(len(word) > 2 for word in shared)


@lru_cache(maxsize=262144)
def part(ours: Part, theirs: Part) -> Likeness:
    """Family with family, or given with given."""
    states = (ours.state, theirs.state)
    if State.ABSENT in states:
        return Likeness.ABSENT
    if State.DAMAGED in states:
        return Likeness.UNREADABLE
    if State.PLACEHOLDER in states:
        both = ours.state is theirs.state and ours.words and theirs.words
        return Likeness.DIFFERENT if both and _marks(ours.words) != _marks(theirs.words) else Likeness.PLACEHOLDER
    if ours.script is theirs.script:
        return _one_script(ours, theirs)
    return _two_scripts(ours, theirs)


def _marks(words: tuple[str, ...]) -> frozenset[str]:
    """`A` of `BabyGirl A`, the sex of `Baby boy`: what tells two newborns of one mother apart."""
    marks = {word for word in words if len(word) == 1 or word.isdigit()}
    return frozenset(marks | {sex for sex in ("boy", "girl") if any(sex in word for word in words)})


def _one_script(ours: Part, theirs: Part) -> Likeness:
    one, other = ours.words, theirs.words
    joined = {"".join(one), "".join(ours.also), ours.whole}, {"".join(other), "".join(theirs.also), theirs.whole}
    if (joined[0] & joined[1]) - {""}:
        return Likeness.SAME
    if ours.script is Script.ABJAD or ours.script is Script.OTHER:
        return _words_alike(one, other, exact=True)
    return _words_alike(one, other)


def _words_alike(one: tuple[str, ...], other: tuple[str, ...], *, exact: bool = False) -> Likeness:
    short, long = (one, other) if len(one) <= len(other) else (other, one)
    if not exact and [sound(word) for word in one] == [sound(word) for word in other]:
        return Likeness.VARIANT
    levels = [min(_word(word, candidate) for candidate in long) for word in short]
    if all(level is Likeness.SAME for level in levels) and len(set(short)) == len(short):
        if all(len(word) == 1 for word in short):
            return Likeness.COMPATIBLE
        return Likeness.VARIANT if len(short) < len(long) or short[0] != long[0] else Likeness.SAME
    # The first given name decides, a second one that contradicts is doubt: Jean Paul is not Jean Pierre.
    first = _word(one[0], other[0])
    rest = [_word(a, b) for a, b in zip(one[1:], other[1:], strict=False)]
    if first in AGREES:
        return Likeness.CLOSE if any(level in DOUBTS for level in rest) else Likeness.COMPATIBLE if Likeness.COMPATIBLE in rest else Likeness.VARIANT
    if first is Likeness.COMPATIBLE:
        return Likeness.CLOSE if any(level in DOUBTS for level in rest) else Likeness.COMPATIBLE
    whole = ("".join(one), "".join(other))
    return Likeness.CLOSE if first is Likeness.CLOSE or near(*whole) else Likeness.DIFFERENT


def _word(one: str, other: str) -> Likeness:
    if one == other:
        return Likeness.SAME
    if len(one) == 1 or len(other) == 1:
        return Likeness.COMPATIBLE if one[0] == other[0] else Likeness.DIFFERENT
    if sound(one) == sound(other):
        return Likeness.VARIANT
    return Likeness.CLOSE if near(one, other) else Likeness.DIFFERENT


def _two_scripts(ours: Part, theirs: Part) -> Likeness:
    scripts = {ours.script, theirs.script}
    if Script.OTHER in scripts or (Script.HAN in scripts and scripts & {Script.KANA, Script.HANGUL, Script.ABJAD}):
        return Likeness.UNREADABLE
    if Script.ABJAD in scripts:
        return Likeness.COMPATIBLE if skeleton("".join(ours.words)) == skeleton("".join(theirs.words)) else Likeness.UNREADABLE
    joined = "".join(ours.words), "".join(theirs.words)
    same = joined[0] == joined[1] or [sound(word) for word in ours.words] == [sound(word) for word in theirs.words]
    if scripts == {Script.KANA, Script.LATIN}:
        same = same or _short(joined[0]) == _short(joined[1])
    if scripts & {Script.HAN, Script.HANGUL, Script.KANA} and scripts != {Script.KANA, Script.LATIN}:
        return Likeness.VARIANT if same else Likeness.UNREADABLE
    return Likeness.VARIANT if same else _words_alike(ours.words, theirs.words)


_SOUNDS = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (r"^[jy]", "Y"), (r"shch|schtsch|chtch|szcz", "5c"), (r"tsch|tch", "c"), (r"sch|sh|sz", "5"), (r"(?<=.)ch|cz|^ch", "c"), (r"dzh|dj", "j"), (r"zh", "j"), (r"kh", "h"), (r"ph", "f"),
        (r"th", "t"), (r"ks", "x"), (r"ck|q|c(?=[aourlnkt]|$)", "k"), (r"ts|tz|c(?=[eiy])", "z"), (r"w", "v"), (r"ff", "f"),
        (r"ae", "a"), (r"oe", "o"), (r"ou|oo|ue|oy(?=[^aeiou])", "u"), (r"oh(?=[^aeiou]|$)", "o"), (r"ee", "i"), (r"(?<=[aeou])[yj]", "i"),
        (r"[yj]", "i"), (r"ii+", "i"), (r"(.)\1+", r"\1"),
    )
)  # fmt: skip
_VARIANTS = {
    name: group.split()[0]
    for group in (
        "mohamed mohammed muhammad mohammad muhammed mohamad mohamet", "ahmed ahmad", "hussein husain hussain husayn hossein hosein", "hassan hasan", "yusuf yousef youssef yousuf yusef",
        "omar umar", "khaled khalid", "fatima fatimah fatma", "aisha ayesha aysha", "ibrahim ebrahim", "mustafa mostafa moustafa", "abdullah abdallah abdulla", "said saeed saeid",
        "giorgos georgios yorgos", "dimitris dimitrios", "yannis giannis ioannis", "sergei sergey serghei sergej", "yuri yuriy iouri juri yury", "alexey aleksei alexei aleksey",
    )
    for name in group.split()
}  # fmt: skip
"""Romanisations of one name that no rule of letters brings together."""


@lru_cache(maxsize=65536)
def sound(word: str) -> str:
    """What romanisations of one name have in common. Vowels stay: Jan is not Jana."""
    if word in _VARIANTS:
        return _VARIANTS[word]
    for pattern, put in _SOUNDS:
        word = pattern.sub(put, word)
    return word


def _short(word: str) -> str:
    """Japanese long vowels are written oo, ou, oh or not at all."""
    return re.sub(r"(?:oo|ou|oh(?![aeiou]))", "o", word.replace("uu", "u"))


@lru_cache(maxsize=65536)
def skeleton(word: str) -> str:
    """Consonants, and long vowels as far as Latin writing shows them."""
    word = re.sub(r"kh", "x", re.sub(r"ou|oo|uu", "w", re.sub(r"ee|ii", "y", word)))
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiou`']", "", word))


@lru_cache(maxsize=262144)
def near(one: str, other: str) -> bool:
    """Whether one slip of a finger (two in a long name) makes one of the other: a letter more, less, other, or two swapped."""
    longest = max(len(one), len(other))
    allowed = 0 if longest < 3 else 1 if longest < 8 else 2
    return abs(len(one) - len(other)) <= allowed and slips(one, other) <= allowed


def slips(one: str, other: str) -> int:
    """Optimal string alignment distance."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        earlier, before, row = before, row, [i, *[0] * len(other)]
        for j, b in enumerate(other, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                row[j] = min(row[j], earlier[j - 2] + 1)
    return row[len(other)]


def unique(names: Iterable[PersonName]) -> tuple[PersonName, ...]:
    return tuple(dict.fromkeys(names))
