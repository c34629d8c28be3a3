"""Modalities and what is said of them."""

import pytest

from smart_app.viewer.kinds import IMAGES, OTHER, kind_of


@pytest.mark.parametrize("modality", sorted(IMAGES))
def test_images_need_no_excuse(modality):
    assert kind_of(modality).kind == "images"
    assert kind_of(modality).sentence == ""


@pytest.mark.parametrize("modality", ["DOC", "PR", "SEG", "RTSTRUCT", "RTPLAN", "RTDOSE", "M3D", "SM", "REG", "AU"])
def test_the_rest_is_named_in_a_plain_sentence(modality):
    kind = kind_of(modality)
    assert kind.kind == "document"
    assert kind.word
    assert kind.sentence.endswith(".")


@pytest.mark.parametrize("modality", ["ECG", "SR", "KO"])
def test_what_is_read_here_needs_a_word_and_no_excuse(modality):
    kind = kind_of(modality)
    assert (kind.kind, bool(kind.word), kind.sentence) == ("paper", True, "")


def test_nothing_is_both():
    assert not IMAGES & OTHER.keys()


def test_unknown_is_tried_and_said_to_be_unknown():
    assert (kind_of("ZZ").kind, kind_of("ZZ").word) == ("images", "Unknown kind (ZZ)")
    assert kind_of(None).word == "Kind not given"
