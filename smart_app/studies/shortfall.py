"""Which series of a listed study are not here: the holder's own series list against everybody else's. Pure.

Without the holder's list only its counts speak: a series is named from them only if no other reading of the counts is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

from smart_app.archives.completeness import Counted, Lack, counted, lacking, sentences
from smart_app.archives.types import Answer, SeriesRecord, StudyRecord
from smart_app.sources.base import CHART, owner

Lists = Mapping[tuple[str, str], tuple[SeriesRecord, ...]]
MOST_SERIES, MOST_LOST = 24, 3
"""Beyond these the counts of a study can be read in too many ways to look for the one."""
BY_COUNTS = "By the counts: "


def series_lists(answers: Iterable[Answer]) -> Lists:
    """(archive, Study Instance UID) -> what that archive lists, where it was asked."""
    found: dict[tuple[str, str], tuple[SeriesRecord, ...]] = {}
    for answer in answers:
        for one in answer.series:
            key = (owner(answer.source), one.study_uid)
            found[key] = (*found.get(key, ()), one)
    return found


def missing_of(records: Sequence[StudyRecord], opened: StudyRecord | None, lists: Lists) -> tuple[str, ...]:
    """What is missing where the study opens from, a sentence each; empty when nothing is, or nobody can tell."""
    if opened is None or opened.source.startswith(CHART):
        return ()
    claims = [counted(record.series) for record in records if record is not opened and record.series]
    listed = lists.get((opened.source, opened.uid)) or opened.series
    here = counted(listed)
    if here:
        if not _is_whole(here, opened):
            return ()
        return sentences(lacking(here, claims), here)
    lost = next((found for claim in claims if (found := _by_counts(opened, claim))), ())
    return (BY_COUNTS + " ".join(sentences(lost)),) if lost else ()


def _is_whole(here: Sequence[Counted], opened: StudyRecord) -> bool:
    """A list that an archive cut short proves no absence: it must have as many series as the archive says the study has."""
    if opened.series_count is not None:
        return len(here) >= opened.series_count
    counts = [one.count for one in here]
    return opened.image_count is not None and None not in counts and sum(count or 0 for count in counts) >= opened.image_count


def _by_counts(opened: StudyRecord, claim: Sequence[Counted]) -> tuple[Lack, ...]:
    """Whole series that must be missing for both of the holder's counts to be right, if only one choice of them is possible."""
    counts = [one.count for one in claim]
    images, series = opened.image_count, opened.series_count
    if images is None or series is None or None in counts or not 0 < len(claim) - series <= MOST_LOST or len(claim) > MOST_SERIES:
        return ()
    short = sum(count or 0 for count in counts) - images
    choices = [chosen for chosen in combinations(claim, len(claim) - series) if sum(one.count or 0 for one in chosen) == short]
    return tuple(Lack(one, 0, one.count) for one in choices[0]) if len(choices) == 1 else ()
