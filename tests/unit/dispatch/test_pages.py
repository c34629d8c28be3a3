"""Instructions in plain words: one set of lists for mail, paper and the senders' pages, at the reading level of a twelve-year-old."""

from __future__ import annotations

import re

import pytest
from jinja2 import UndefinedError

from smart_app.dispatch.letters import Steps
from smart_app.dispatch.pages import WAYS, instructions
from tests.unit.dispatch.correspondence import PAGES
from tests.unit.dispatch.test_letters import ALL

GRADE = 6.0
HARD = ("dicom", "upload", "browser window", "archive", "pacs", "protocol", "retrieve", "transmit", "authenticate", "click here", "successfully", "oops", "please wait", "error")


@pytest.mark.parametrize("way", WAYS)
def test_instructions_are_easy_to_read(way: str) -> None:
    (one,) = instructions(PAGES, way)
    assert grade(" ".join(one.steps)) <= GRADE
    for step in one.steps:
        assert not [word for word in HARD if word in step.casefold()]
        assert max(len(sentence.split()) for sentence in re.split(r"[.!?]", step)) <= 22


def test_what_patients_are_written_is_easy_to_read_too() -> None:
    letter = ALL["ask the patient"]
    text = " ".join(part for part in letter.parts if isinstance(part, str))
    assert grade(text) <= GRADE
    assert len([part for part in letter.parts if isinstance(part, Steps)]) == 3


def test_the_senders_pages_can_show_them() -> None:
    page = PAGES.from_string("{% from 'dispatch/_instructions.html' import instructions %}{{ instructions('disc', 2) }}").render()
    (one,) = instructions(PAGES, "disc")
    assert page.count("<li>") == len(one.steps)
    assert f"<h2>{one.title}</h2>" in page


def test_a_wrong_name_in_a_template_is_a_fault() -> None:
    with pytest.raises(UndefinedError):
        PAGES.from_string("{{ letter.subject }}").render()


def test_the_measure_tells_plain_words_from_others() -> None:
    assert grade("The cat sat on the mat. It was fat.") < 2
    assert grade("Subsequently, the aforementioned radiological examination necessitates electronic transmission.") > 15


def grade(text: str) -> float:
    """Flesch-Kincaid grade: the school year that can read it."""
    sentences = [one for one in re.split(r"[.!?:]+", text) if one.strip()]
    words = re.findall(r"[A-Za-z']+", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word: str) -> int:
    word = word.casefold().removesuffix("es").removesuffix("ed") if len(word) > 4 else word.casefold()
    groups = re.findall(r"[aeiouy]+", word)
    silent = word.endswith("e") and not word.endswith("le") and len(groups) > 1
    return max(1, len(groups) - silent)
