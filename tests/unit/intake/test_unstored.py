"""Why images are not stored, in words; never the fixed word itself."""

from __future__ import annotations

from smart_app.archives.types import Said
from smart_app.intake.received import Instance, Source, Stage
from smart_app.intake.types import Header
from smart_app.intake.unstored import REASONS, why_not


def image(stage: Stage, reason: str) -> Instance:
    return Instance("d", "s", "u", 1, stage, reason, Source(Header("1", "1.1", "1.1.1", "c", "t", Said(None, None, None), None), "/x", "f", ""))


def test_the_most_frequent_reason_comes_first_and_each_once() -> None:
    images = [image(Stage.FAILED, "changed"), image(Stage.CONFLICT, "taken-out"), image(Stage.CONFLICT, "taken-out"), image(Stage.FAILED, "refused-A700"), image(Stage.STORED, "")]
    words = why_not(images)
    assert words.startswith(REASONS["taken-out"])
    assert words.count("taken out of view") == 1
    assert "the archive refused it (A700)" in words
    assert why_not([image(Stage.THERE, "")]) == ""


def test_every_fixed_word_has_its_sentence() -> None:
    for word, sentence in REASONS.items():
        assert why_not([image(Stage.FAILED, word)]) == sentence
