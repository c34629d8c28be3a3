"""The honest strip: what was asked, who answered, what that does and does not tell. Pure (design.md section 7, earned words).

'All n answered' and 'No imaging found' are earned: one source that failed, was cut short, withheld a row, or could not
be asked takes both away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from smart_app.archives.types import Answer, SourceState
from smart_app.sources.base import CHART, Named
from smart_app.studies.rows import SourceChip, Strip

ANSWERED = frozenset({SourceState.OK, SourceState.EMPTY, SourceState.PARTIAL})
RETRYABLE = frozenset({SourceState.TIMEOUT, SourceState.FAILED, SourceState.REFUSED, SourceState.TOO_LARGE})
MISSING = "Studies kept only there are not in this list."
WORDS = {
    SourceState.TIMEOUT: "no answer", SourceState.FAILED: "failed", SourceState.REFUSED: "refused", SourceState.TOO_LARGE: "too large",
    SourceState.NOT_APPROVED: "not approved", SourceState.NO_IDENTIFIER: "no identifier for this archive", SourceState.ASKING: "asking",
    SourceState.EMPTY: "none",
}  # fmt: skip
WHAT = {
    "unreachable": "{name} could not be reached.",
    "overloaded": "{name} asked us to come back later.",
    "not-a-list": "{name} sent something that is not a list of studies.",
    "cut": "{name}'s answer broke off before the end.",
    "busy": "Too many questions to {name} are already waiting.",
    "unexpected": "Priors could not make sense of {name}'s answer.",
    "session-ended": "The EHR ended this session, so {name} was not asked.",
    "patient-unread": "{name} was not asked, because the patient's record could not be read from the EHR.",
    "redirected": "{name} sent us on to another address, and nothing was asked there.",
    "unusable-identifier": "{name} was not asked: the chart's identifier for it cannot be used in a search.",
    "retired-identifier": "{name} was not asked: the chart holds only a retired identifier for it.",
    "not-discovered": "{name} was not asked: neither the chart nor a search for the patient gave an identifier for it.",
    "token-silent": "{name} was not asked: the service that lets us in did not answer.",
    "token-refused": "{name} was not asked: the service that lets us in refused us.",
    "token-faulty": "{name} was not asked: the service that lets us in answered with a fault.",
    "paused": "{name} did not answer several times, so it was not asked now.",
    "lost": "Priors lost its question to {name} before there was an answer.",
    "missing": "{name} does not offer its list of studies.",
    "scope": "The EHR did not allow Priors to read its list of studies.",
}
CODES = {"unreachable": "no answer", "patient-unread": "not asked", "paused": "paused"}
"""Codes with a word of their own in the strip."""
OUR_SIDE = frozenset({"busy", "lost", "unexpected", "patient-unread"})


def is_whole(answer: Answer) -> bool:
    """Whether this answer is all that its source could ever say: the ground of every earned word."""
    return (
        answer.state.answered_in_full
        and not answer.withheld
        and not answer.candidates
        and not answer.unreadable
        and not answer.more_exist
        and not answer.not_approved
        and answer.fault_code is None
    )


def only_waits(answer: Answer) -> bool:
    """Whether nothing but a possible match keeps this answer from being whole."""
    return bool(answer.candidates) and is_whole(replace(answer, candidates=()))


def to_confirm(answers: Iterable[Answer]) -> str:
    """`2 to confirm`; empty when nothing waits for a person."""
    count = sum(len(answer.candidates) for answer in answers)
    return f"{count} to confirm" if count else ""


def strip_of(
    sources: Sequence[Named], answers: Mapping[str, Answer], waiting: frozenset[str], row_count: int, in_part: int = 0, chart_read: bool = True
) -> Strip:
    """The strip over `row_count` rows, `in_part` of which miss images. A source that is waiting, or has no answer, is being asked.

    :param chart_read: all that could speak of imaging in the chart was read; if not, nobody can say that it names none.
    """
    latest = {source.key: answers[source.key] for source in sources if source.key in answers and source.key not in waiting}
    total, answered = len(sources), sum(answer.state in ANSWERED for answer in latest.values())
    pending = total - len(latest)
    whole = total > 0 and pending == 0 and all(is_whole(answer) for answer in latest.values())
    waits = to_confirm(latest.values())
    tone, headline, detail = _sentence(total, answered, pending, whole, latest)
    if waits and tone == "partial" and all(is_whole(answer) or only_waits(answer) for answer in latest.values()):
        tone, headline = "ask", waits
    elif waits and tone in ("partial", "failed"):
        detail = f"{detail} {waits}."
    if in_part and whole:  # otherwise 'May be incomplete' is said already, and the room is for who failed
        detail = f"{detail} {'One study has' if in_part == 1 else f'{in_part} studies have'} missing images.".strip()
    chips = [_chip(source, latest.get(source.key)) for source in sources]
    return Strip(tone, headline, detail, whole and row_count == 0 and chart_read, tuple(sorted(chips, key=_trouble_first)), whole and row_count == 0 and not chart_read)


def _sentence(total: int, answered: int, pending: int, whole: bool, latest: Mapping[str, Answer]) -> tuple[str, str, str]:
    if pending and not latest:
        return "asking", f"Asking {total} source{'' if total == 1 else 's'}…", ""
    if pending:
        return "some", f"{answered} of {total} answered", ""
    if whole:
        moments = [answer.answered_at for answer in latest.values() if answer.answered_at]
        at = f"at {_clock(max(moments))}." if moments else ""
        return "all", "The one source answered" if total == 1 else f"All {total} sources answered", at
    counted = f"{answered} of {total} source{'' if total == 1 else 's'} answered."
    return ("partial", "May be incomplete.", counted) if answered else ("failed", "We could not look.", counted)


def _chip(source: Named, answer: Answer | None) -> SourceChip:
    if answer is None:
        return SourceChip(source.key, source.name, SourceState.ASKING.value, WORDS[SourceState.ASKING], False)
    title, action = _fault(source, answer)
    return SourceChip(
        key=source.key,
        name=source.name,
        state=(SourceState.PARTIAL if answer.state.answered_in_full and not is_whole(answer) else answer.state).value,
        word=_word(answer),
        # What was withheld or not approved will be so again; what broke off or could not be read may come right.
        retryable=answer.state in RETRYABLE or bool(answer.state in ANSWERED and (answer.fault_code or answer.more_exist or answer.unreadable)),
        title=title,
        action=" ".join([action, *answer.notes]).strip(),
        reference=answer.reference,
        asked=_clock(answer.asked_at) if answer.asked_at and answer.state is not SourceState.NO_IDENTIFIER else "",
        answered=_clock(answer.answered_at) if answer.answered_at and answer.state in ANSWERED else "",
    )


def _word(answer: Answer) -> str:
    if answer.state in ANSWERED:
        count = str(len(answer.studies)) if answer.studies else "none" if is_whole(answer) else "none so far"
        more = [
            "more exist" if answer.more_exist else "",
            f"{answer.unreadable:,} unreadable" if answer.unreadable else "",
            f"{answer.withheld:,} withheld" if answer.withheld else "",
            "not approved" if answer.not_approved else "",
            to_confirm([answer]),
        ]
        return ", ".join([count, *(word for word in more if word)])
    word = CODES.get(answer.fault_code or "", WORDS[answer.state])
    return f"{word}, {len(answer.studies)} from earlier" if answer.studies else word


def _fault(source: Named, answer: Answer) -> tuple[str, str]:
    """What happened, and what to do about it; both empty for a whole answer."""
    name, state, code = source.name, answer.state, answer.fault_code or ""
    side = "Our side." if code in OUR_SIDE else "The EHR's side." if source.key.startswith(CHART) else "Their side."
    if state in ANSWERED:
        return ("", "") if is_whole(answer) else _in_part(name, answer)
    if state is SourceState.TIMEOUT:
        seconds = (answer.answered_at - answer.asked_at).total_seconds() if answer.answered_at and answer.asked_at else 0
        whole = max(1, round(seconds))
        span = f" in {whole} second{'' if whole == 1 else 's'}" if seconds else " in time"
        return f"{name} did not answer{span}.", f"{side} {MISSING} Retry, or phone their image library."
    if state is SourceState.NO_IDENTIFIER:
        title = WHAT.get(code, "{name} was not asked: the chart holds no identifier for it.").format(name=name)
        return title, f"{MISSING} The registration desk can add the identifier to the chart."
    if state is SourceState.REFUSED:
        title = WHAT.get(code, "{name} refused our question.").format(name=name)
        helper = "The EHR team can allow it." if source.key.startswith(CHART) else "Their side or our set-up: the image desk can sort it out."
        return title, f"{helper} {MISSING}"
    if state is SourceState.TOO_LARGE:
        return f"{name}'s answer was too large to read.", f"{MISSING} The image desk can raise the limit."
    if state is SourceState.NOT_APPROVED:
        title = WHAT.get(code, "{name}'s address is not approved here, so nothing was asked there.").format(name=name)
        where = f" ({', '.join(answer.not_approved)})" if answer.not_approved else ""
        return title, f"Set-up{where}: the image desk can have it approved. {MISSING}"
    title = WHAT.get(code, "{name} answered with a fault of its own.").format(name=name)
    return title, f"{side} {MISSING} Retry in a moment."


def _in_part(name: str, answer: Answer) -> tuple[str, str]:
    said: list[str] = []
    if answer.fault_code:
        said.append(f"{name} answered in part, then stopped.")
    elif answer.more_exist:
        count = len(answer.studies)
        said.append(f"{name} sent {count:,} stud{'y' if count == 1 else 'ies'} and may have more. Older studies from there may be missing here.")
    if answer.candidates:
        said.append(f"{name} may hold more studies of this patient. They stay hidden, and are not counted, until someone compares the two records.")
    if answer.withheld:
        were = "record was" if answer.withheld == 1 else "records were"
        said.append(f"{answer.withheld:,} {were} withheld: not this patient's, or not certain to be. The image desk can look into it.")
    if answer.unreadable:
        total = len(answer.studies) + answer.unreadable
        said.append(f"{answer.unreadable:,} of {total:,} records from {name} could not be read.")
    if answer.not_approved:
        said.append(f"A study names an archive that is not approved here ({', '.join(answer.not_approved)}), so nothing was asked there.")
    return (said[0] if said else f"{name} may hold more than it was asked for."), " ".join(said[1:])


def _trouble_first(chip: SourceChip) -> tuple[int]:
    if chip.state in (SourceState.OK, SourceState.EMPTY):
        return (2,)
    return (1,) if chip.state == SourceState.ASKING else (0,)


def _clock(moment: datetime) -> str:
    """The site's own clock: the server's time zone."""
    return moment.astimezone().strftime("%H:%M")
