"""Names compare fairly: the same name in another writing agrees, another child's name does not, and what cannot be compared is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.identity.likeness import AGREES, DOUBTS, Likeness, compare, near, slips, sound
from smart_app.identity.names import from_parts, from_pn

ALIKE = [
    ("Müller^Jörg", "Mueller^Joerg"), ("Müller^Jörg", "MULLER^JORG"), ("Mueller^Joerg", "Muller^Jorg"), ("Østergård^Åse", "Oestergaard^Aase"), ("Weiß^Ute", "Weiss^Ute"),
    ("Щербаков^Сергей", "Shcherbakov^Sergei"), ("Иванов^Юрий", "Ivanov^Iouri"), ("Παπαδόπουλος^Γιώργος", "Papadopoulos^Giorgos"), ("Haddad^Mohamed", "Haddad^Muhammad"),
    ("Nakamura^Ken=中村^健", "NAKAMURA^KEN"), ("中村^健", "Nakamura^Ken=中村^健"), ("ナカムラ^ケン", "なかむら^けん"), ("おおの^けん", "Ono^Ken"), ("なかむら^けん", "Nakamura^Ken"),
    ("王^小明", "Wang^Xiaoming"), ("王^小明", "Xiaoming^Wang"), ("陳^美玲", "陈^美玲"), ("Marchetti^Rosalind", "Rosalind^Marchetti"), ("Marchetti^Rosalind^Jane", "MARCHETTI ROSALIND"),
    ("Marchetti^Rosalind^Jane", "Rosalind Marchetti"), ("O'Brien^Séan", "OBrien^Sean"), ("de la Cruz^Ana", "Delacruz^Ana"), ("Al-Haddad^Omar", "Haddad^Umar"), ("Adeyemi-Holt^Tobias", "Holt^Tobias"),
    ("García López^Ana", "Garcia^Ana"), ("Wang^Xiao-Ming", "Wang^Xiao Ming"), ("Marchetti^Rosalind^Jane", "Marchetti^Jane"), ("Nguyễn^Thị Hoa", "Nguyen^Thi Hoa"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_the_same_name_in_another_writing_agrees(one: str, other: str) -> None:
    for verdict in (compare(from_pn(one), from_pn(other)), compare(from_pn(other), from_pn(one))):
        assert (verdict.family in AGREES, verdict.given in AGREES) == (True, True)


@pytest.mark.parametrize(("one", "other"), [
    ("Smith^Tim", "Smith^Tom"), ("Smith^Jan", "Smith^Jana"), ("Smith^Jan", "Smith^Ian"), ("Lee^Ken", "Lee^Kenji"), ("Haddad^Mahmoud", "Haddad^Muhammad"), ("Roy^Jean Paul", "Roy^Jean Pierre"),
    ("Smith^Robert^J", "Smith^Robert^M"), ("Fernandes^Maria Isabel", "Fernandes^Maria Isabella"), ("Park^Ian Isabel", "Park^Tom I"), ("Smith^BabyGirl A", "Smith^BabyGirl B"),
    ("Smith^Baby Boy", "Smith^Baby Girl"), ("Novák^Pavel=Novák", "Novák^Luca=Novák"), ("Иванов^Сергей", "Ivanov^Andrei"), ("王^小明", "王^小红"),
])  # fmt: skip
def test_another_childs_name_is_doubted(one: str, other: str) -> None:
    for verdict in (compare(from_pn(one), from_pn(other)), compare(from_pn(other), from_pn(one))):
        assert verdict.given in DOUBTS


@pytest.mark.parametrize(("one", "other", "expected"), [
    ("中村^健", "Nakamura^Ken", Likeness.UNREADABLE), ("中村^健", "なかむら^けん", Likeness.UNREADABLE), ("김^철수", "Kim^Chulsoo", Likeness.UNREADABLE), ("حداد^عمر", "Haddad^Pierre", Likeness.UNREADABLE),
    ("حداد^محمد", "Haddad^Muhammad", Likeness.COMPATIBLE), ("Smith^J", "Smith^John", Likeness.COMPATIBLE), ("Smith^J\ufffdrg", "Smith^J\ufffdrg", Likeness.UNREADABLE),
    ("Smith^BABY OF", "Smith^Anna", Likeness.PLACEHOLDER), ("Smith^Unknown", "Smith^Unknown", Likeness.PLACEHOLDER), ("Smith", "Smith^Anna", Likeness.ABSENT),
])  # fmt: skip
def test_what_cannot_be_compared_speaks_neither_for_nor_against(one: str, other: str, expected: Likeness) -> None:
    assert compare(from_pn(one), from_pn(other)).given is compare(from_pn(other), from_pn(one)).given is expected
    assert expected not in AGREES | DOUBTS


def test_a_former_name_agrees_and_says_so() -> None:
    chart = (from_parts("Okafor", "Sunita"), from_parts("Parekh", "Sunita", "", True))
    verdict = compare(chart, from_pn("PAREKH^SUNITA"))
    assert (verdict.family, verdict.given, verdict.note) == (Likeness.VARIANT, Likeness.SAME, "a former name")


@pytest.mark.parametrize(("one", "other", "conflict"), [("^^^Jr", "^^^Sr", True), ("^^^II", "^^^III", True), ("^^^Jr", "^^^JUNIOR", False), ("^^^Jr", "", False)])
def test_a_suffix_that_differs_is_a_conflict(one: str, other: str, conflict: bool) -> None:
    assert compare(from_pn(f"Smith^John{one}"), from_pn(f"Smith^John{other}")).suffix_conflict is conflict


def test_nothing_is_compared_with_nothing() -> None:
    assert compare((), from_pn("Smith^John")).given is Likeness.ABSENT


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_slips_are_a_distance(one: str, other: str) -> None:
    assert slips(one, other) == slips(other, one)
    assert (slips(one, other) == 0) is (one == other)
    assert slips(one, other) <= max(len(one), len(other))


@pytest.mark.parametrize(("one", "other", "close"), [("maria", "mraia", True), ("maria", "marai", True), ("tim", "tom", True), ("al", "el", False), ("isabella", "isabell", True), ("anna", "emma", False)])
def test_near(one: str, other: str, close: bool) -> None:
    assert near(one, other) is close


def test_sounds_keep_vowels_apart() -> None:
    assert sound("jan") != sound("jana")
    assert sound("jan") != sound("ian")
    assert sound("sergei") == sound("sergey")
