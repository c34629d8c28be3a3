"""A name is read from whatever a desk wrote; what was damaged on the way is said to be, not guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.identity.likeness import part
from smart_app.identity.names import Script, State, from_parts, from_pn, from_text, read, script_of


def test_each_component_group_is_a_name() -> None:
    latin, han, kana = from_pn("Nakamura^Ken=中村^健=なかむら^けん")
    assert (latin.family.words, latin.given.words, latin.family.script) == (("nakamura",), ("ken",), Script.LATIN)
    assert (han.family.script, kana.family.script) == (Script.HAN, Script.KANA)
    assert kana.family.words == ("nakamura",)


@pytest.mark.parametrize("text", ["Marchetti^Rosalind^Jane", "MARCHETTI, Rosalind Jane", "Marchetti^Rosalind Jane^^Dr", "marchetti^ROSALIND^jane=^="])
def test_writing_makes_no_difference(text: str) -> None:
    (name,) = from_pn(text)
    assert (name.family.words, name.given.words) == (("marchetti",), ("rosalind", "jane"))


@pytest.mark.parametrize(("text", "suffix"), [("Smith^John^^^Jr.", "jr"), ("Smith^John Jr", "jr"), ("Smith Sr^John", "sr"), ("Smith, John III", "3"), ("Smith^John^^^II", "2"), ("Smith^John", "")])
def test_suffixes_are_found_wherever_they_stand(text: str, suffix: str) -> None:
    (name,) = from_pn(text)
    assert (name.suffix, name.family.words, name.given.words) == (suffix, ("smith",), ("john",))


def test_a_suffix_alone_is_a_name() -> None:
    assert from_text("Senior").family.words == ("senior",)


@pytest.mark.parametrize("text", ["M\ufffdller", "MÃ¼ller", "M?ller", "????", "Ð˜Ð²Ð°Ð½", "\x1b$B%d%^%@", "M&uuml;ller"])
def test_damage_is_told(text: str) -> None:
    assert read(text).state is State.DAMAGED
    assert from_parts(text, "Anna").family.state is State.DAMAGED


@pytest.mark.parametrize("text", ["Müller", "Ångström", "Ñuñez", "Đặng", "Łukasz", "中村", "Ã"])
def test_foreign_letters_are_no_damage(text: str) -> None:
    assert read(text).state is State.GIVEN


@pytest.mark.parametrize("text", ["DOE", "Unknown", "XXX", "Test", "BABY OF MARTA", "BabyGirl A", "---", "000", "Anonymous", "NN"])
def test_placeholders_are_no_names(text: str) -> None:
    assert read(text).state is State.PLACEHOLDER


@pytest.mark.parametrize(("text", "script"), [("Ann", Script.LATIN), ("Анна", Script.ALPHABET), ("Άννα", Script.ALPHABET), ("アン", Script.KANA), ("安娜", Script.HAN), ("안나", Script.HANGUL),
                                               ("آنا", Script.ABJAD), ("חנה", Script.ABJAD), ("Анnа", Script.OTHER), ("田中さくら", Script.HAN), ("123", None)])  # fmt: skip
def test_scripts(text: str, script: Script | None) -> None:
    assert script_of(text) is script


@given(st.text(max_size=80))
def test_any_text_is_read_and_compared_with_itself_without_a_verdict_of_different(text: str) -> None:
    for name in from_pn(text):
        assert part(name.family, name.family) < 6
        assert part(name.given, name.given) < 6
