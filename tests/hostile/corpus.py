"""All named hostile files. Every failing input that is found becomes one more of them; none is ever taken out."""

from __future__ import annotations

from functools import lru_cache

from tests.hostile import corpus_dicom, corpus_found, corpus_media, corpus_zips
from tests.hostile.cases import Case


@lru_cache(maxsize=1)
def everything() -> tuple[Case, ...]:
    return (*corpus_dicom.everything(), *corpus_zips.everything(), *corpus_media.everything(), *corpus_found.everything())


@lru_cache(maxsize=1)
def _by_name() -> dict[str, Case]:
    return {one.name: one for one in everything()}


def named(name: str) -> Case:
    return _by_name()[name]
