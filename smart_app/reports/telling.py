"""Reports of one study -> what is said of them: newest first, each with its mark, what is superseded, and when 'no report' may be said. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smart_app.fhir.written import Written
from smart_app.reports.blocks import Block, of_text
from smart_app.reports.forms import named
from smart_app.reports.markup import blocks_of
from smart_app.reports.types import Paper, Shown, Told
from smart_app.studies import dates
from smart_app.studies.merge import REPORT_RANK, REPORT_WORDS
from smart_app.studies.reported import Bond

EARLY = frozenset({"registered", "partial", "preliminary"})
LATER = frozenset({"final", "amended", "corrected", "appended"})
GONE = frozenset({"entered-in-error", "cancelled"})
SAID = {
    "preliminary": "Not final: it may still change.", "partial": "Not final, and not all of it is written.", "registered": "It is being written.",
    "amended": "Changed after it was final.", "corrected": "Corrected after it was final.", "appended": "Something was added after it was final.",
    "entered-in-error": "Taken back as entered in error. Its text is not shown here.", "cancelled": "Cancelled. Its text is not shown here.",
    "superseded": "The chart has a newer version of this document.",
}  # fmt: skip
NONE = "No report. The chart answered in full and has none for this study."
NONE_SURE = "No report names this study. The chart answered in full."
NOT_ALL = "The EHR did not give all its reports, so one may be missing here."
WITHHELD = "{} withheld: {} another patient. The image desk was told."
NO_WORDS = "The chart gives this report no text here."

Bound = tuple[Written, Bond]
NameOf = Callable[[Written, int], str]
"""The opaque name of a report's nth document."""


def told(found: Sequence[Bound], *, whole: bool, withheld: int, notes: Sequence[str], name_of: NameOf) -> Told:
    """:param whole: every report of the chart was read. :param notes: what else could not be read, a sentence each."""
    ordered = sorted(found, key=_newest, reverse=True)
    sure = [one for one, how in ordered if how.sure and one.kind == "report"]
    words = {REPORT_WORDS.get(one.status, "Report") for one in sure}
    is_all = whole and not withheld
    mark = next((word for word in REPORT_RANK if word in words), "No report" if is_all else "")
    said = () if is_all else (NOT_ALL,) if not whole else ()
    hidden = (WITHHELD.format(f"{withheld} report{' was' if withheld == 1 else 's were'}", "it names" if withheld == 1 else "they name"),) if withheld else ()
    sentence = "" if sure or not is_all else NONE_SURE if found else NONE
    shown = tuple(_shown(one, how, _superseded(one, [other for other, _ in ordered]), name_of) for one, how in ordered)
    return Told("whole" if is_all else "part", mark, sentence, shown, withheld, (*said, *hidden, *notes))


def unread(sentence: str) -> Told:
    return Told("unread", "", sentence, ())


def _newest(bound: Bound) -> tuple[bool, str, str, str]:
    one, how = bound
    return how.sure, one.issued or one.done or "", one.issued_time or "", one.reference


def _superseded(one: Written, all_of: Sequence[Written]) -> str:
    newer = next((other for other in all_of if one.reference in other.replaces), None)
    if newer is None and one.status in EARLY:
        # An early report of the same examination is done with once a final one of it is there.
        when = (one.issued or "", one.issued_time or "")
        newer = next(
            (other for other in all_of if other.kind == "report" and other.status in LATER and other.title == one.title and (other.issued or "", other.issued_time or "") >= when), None
        )
    if newer is None:
        return ""
    day = _moment(newer)
    return f"Superseded by the {REPORT_WORDS.get(newer.status, 'report').lower()} report{f' of {day}' if day else ''}."


def _shown(one: Written, how: Bond, superseded: str, name_of: NameOf) -> Shown:
    mark = REPORT_WORDS.get(one.status, "Report")
    gone = one.status in GONE
    who = ", ".join(part for part in (one.author, one.organization if one.organization != one.author else "") if part)
    moment = _moment(one)
    verb = "Signed" if one.status in LATER and one.author else "Written"
    papers = () if gone else tuple(
        Paper(name_of(one, at), each.title or named(each.type), named(each.type)) for at, each in enumerate(one.attached) if each.data is not None or each.url
    )  # fmt: skip
    return Shown(
        mark=mark, tone="bad" if gone else "warn" if one.status in EARLY or one.status == "superseded" or superseded else "plain", said=SAID.get(one.status, ""),
        title=one.title or "Report", date=dates.in_words(one.done or one.issued) if one.done or one.issued else "",
        signed=f"{verb} {', '.join(part for part in (who, moment) if part)}." if who or moment else "", sure=how.sure, why=how.why, superseded=superseded,
        blocks=() if gone else _words(one, bool(papers)), papers=papers,
    )  # fmt: skip


def _moment(one: Written) -> str:
    return " ".join(part for part in (dates.in_words(one.issued), one.issued_time) if part) if one.issued else ""


def _words(one: Written, has_papers: bool) -> tuple[Block, ...]:
    """The narrative, and the conclusion where the narrative does not say it already."""
    narrative = blocks_of(one.narrative) if one.narrative else ()
    said = " ".join(" ".join((block.text, *block.items, *(cell for row in block.rows for cell in row))) for block in narrative)
    conclusion = of_text(one.conclusion) if one.conclusion.strip() else ()
    if " ".join(one.conclusion.split()) in " ".join(said.split()):
        conclusion = ()
    found = (*narrative, *((Block("heading", "Conclusion"),) if narrative and conclusion else ()), *conclusion)
    return found if found or has_papers else (Block("note", NO_WORDS),)
