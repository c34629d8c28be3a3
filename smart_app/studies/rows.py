"""What the list shows, ready to print: the border between the fold (`listing`, `merge`) and the templates.

Every word a person reads about a study or a source is decided when these are built, not in a template.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowSource:
    key: str
    name: str
    organization: str


@dataclass(frozen=True)
class RowCopy:
    """The same study as its row's, held under another Study Instance UID. It can be opened like any study."""

    uid: str
    archive: str
    hospital: str
    count: str


@dataclass(frozen=True)
class RowRequest:
    """A request for a row's images, as the list tells it."""

    id: str
    state: str
    """`Requested`, `Opened`, `Declined`…"""
    mark: str
    tone: str
    last: str
    """`Opened by Harrow Vale 09:24`"""
    needed: str
    """`Needed 10:30`, `Overdue 08:30`, or empty."""
    needed_tone: str
    done: int
    """Steps of `steps` that it has come; `steps` 0: it ended otherwise."""
    steps: int


@dataclass(frozen=True)
class StudyRow:
    """One row a Study Instance UID, with all its sources folded in."""

    uid: str
    archive: str | None
    """Archive key to open it from; None: it cannot be fetched, and `note` says why."""
    sort: str
    """Descending text order is newest first; unknown dates sort last."""
    date: str
    """`21 May 2026`, `May 2026`, `2026` or `Unknown date`."""
    iso_date: str
    """For the date filter: `2026-05-21` or empty."""
    when: str
    """`today 08:52`, `4 months`, `1 y 8 m` or empty."""
    modality: str
    """The one shown in the box: `CT`; `PT` for PET-CT."""
    modalities: tuple[str, ...]
    title: str
    hospital: str
    """Organization names, joined, local first."""
    regions: tuple[str, ...]
    """Plain region words: `Head`, `Chest`; empty when unknown."""
    count: str
    """`4 series, 184 images`, `63 of 120 images`, `Count unknown`."""
    count_state: str
    """`whole` | `part` | `unknown`."""
    report: str
    """`Report`, `Preliminary`, `Final`, `Final, amended`, `Retracted`, `No report`, or empty when reports could not be read."""
    sources: tuple[RowSource, ...]
    note: str = ""
    urgent: bool = False
    kind: str = "study"
    """`study`; `known`: the chart speaks of it and no source that answered has it; `requested`: and it was asked for; `ordered`: an order still to be done."""
    relevance: str = ""
    """Why it matters now, in words: `Same region, CT, 4 months before`. Empty when there is nothing to say."""
    request: str = ""
    """Path, below the launch, of the request for its images, already filled in; empty: none is offered."""
    sites: tuple[str, ...] = ()
    """Finer than `regions`: what studies are compared by. Not shown."""
    side: str = ""
    """`L`, `R`, `B` where its sites have sides and one is named."""
    relevance_key: str = ""
    """Ascending text order is most relevant first; empty: not relevant, comes after. Never shown."""
    copies: tuple[RowCopy, ...] = ()
    same_as: str = ""
    """With copies: the sentence that says so."""
    accession: str = ""
    """For a request: the number by which whoever has it finds it."""
    missing: tuple[str, ...] = ()
    """What is known not to be here, a sentence each: `Series 4, Lung 1.0 mm: not here.`"""
    as_of: str = ""
    """From before this launch, and not confirmed yet: `as of 10:42`, `as of 21 May; Kestrel did not answer now`."""
    asked: tuple[RowRequest, ...] = ()
    """Requests for its images that are open, or came to nothing lately."""


@dataclass(frozen=True)
class MatchRow:
    """A record that may be this patient's: how much it holds and when, and nothing else of it."""

    id: str
    """Names the comparison page; means nothing in another launch's patient."""
    title: str
    """`Possible match, Lakeside`"""
    count: str
    """`2 studies`, `Count unknown`."""
    years: str
    """`2023 to 2025` or empty."""
    sentence: str
    state: str
    """`Not confirmed`, `Waits for a second person`."""


@dataclass(frozen=True)
class SourceChip:
    """One source in the strip: `state` picks mark and colour, `word` is what it says."""

    key: str
    name: str
    state: str
    """A SourceState value."""
    word: str
    """`4`, `none`, `no answer`, `100, more exist`, `refused`, `no identifier for this archive`…"""
    retryable: bool
    title: str = ""
    """Fault sentence: what happened. Empty when it answered in full."""
    action: str = ""
    """What to do next, and whose side it is on."""
    reference: str = ""
    asked: str = ""
    answered: str = ""
    last: str = ""
    """`It last answered today 07:40.`; empty when it answered now, or never as far as is known."""
    desk: tuple[tuple[str, str], ...] = ()
    """(label, value) lines for a help desk. They hold nothing of the patient."""


@dataclass(frozen=True)
class Strip:
    """The one honest sentence over the list (design.md section 7, earned words)."""

    tone: str
    """`asking` | `some` | `all` | `ask` (a person must confirm) | `partial` | `failed`."""
    headline: str
    """`May be incomplete.`"""
    detail: str
    """`3 of 5 sources answered.`"""
    none_found: bool
    """True only when every source answered in full, nothing is waiting, there is no row, and the chart was read in full."""
    chips: tuple[SourceChip, ...]
    chart_unread: bool = False
    """No source holds a study, but orders, reports or letters of the chart could not all be read: it may name one."""
    earlier: str = ""
    """`From earlier: as of 10:42.` while remembered rows stand and sources are being asked."""
