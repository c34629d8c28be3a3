"""One entry of the index: what a source told of a patient, and whom it was asked about. Pure.

A whole answer replaces what was known; one in part adds to it; a failed one changes nothing. What is remembered is
believed again only while the chart still maps the patient to exactly the identifiers it was told under.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter
from pydantic_core import to_json

from smart_app.archives.types import Answer, Label, PatientId, SourceState, StudyRecord
from smart_app.fhir.patient import PatientFacts

ANSWERED = frozenset({SourceState.OK, SourceState.EMPTY, SourceState.PARTIAL})
MOST = 1000
"""Studies remembered of one source; of more, the newest."""

LABELS = "/labels"
"""Key of a source's labels, `ehr:northgate/labels`. They are told to everybody, since they bind everybody."""

IdsAt = Callable[[str], tuple[PatientId, ...]]
"""Archive key -> how that archive knows the patient now; empty for one that is not configured."""


@dataclass(frozen=True)
class Entry:
    """`studies` each carry `as_of`: when the source last named it."""

    source: str
    name: str
    organization: str
    answered_at: datetime
    ids: tuple[PatientId, ...]
    """Identifiers the source was asked with; empty for a chart."""
    born: str | None
    sex: str | None
    studies: tuple[StudyRecord, ...] = ()
    withheld: tuple[str, ...] = ()
    """Study UIDs that the source gave to another patient. Kept so that nobody else's word opens them; never shown."""
    labels: tuple[Label, ...] = ()
    """In an entry of labels alone: what was said to be confidential, and nothing else of it."""


_ENTRY = TypeAdapter(Entry)


def dump(entry: Entry) -> bytes:
    return to_json(entry)


def load(data: bytes) -> Entry:
    return _ENTRY.validate_json(data)


def worth_keeping(answer: Answer) -> bool:
    """Whether the answer tells anything: a failed one must not erase what was known, and one of a side question names no study."""
    return answer.state in ANSWERED and "/" not in answer.source and answer.answered_at is not None


def is_sound(facts: PatientFacts) -> bool:
    """Whether this patient record may be remembered, and remembered things be shown for it: in use, and not merged away."""
    return facts.active and facts.replaced_by is None


def since(entry: Entry, oldest: datetime) -> Entry:
    """The entry without what nobody has named after `oldest`."""
    return replace(
        entry,
        studies=tuple(record for record in entry.studies if record.as_of is not None and record.as_of > oldest),
        labels=tuple(label for label in entry.labels if label.as_of is not None and label.as_of > oldest),
    )


def labelled(old: Entry | None, answer: Answer, facts: PatientFacts) -> Entry | None:
    """The labels after `answer`, as an entry of their own; None: there are none. Only a source that names the study itself takes
    one off: one user's chart may leave out what another's names.
    """
    assert answer.answered_at is not None
    named = {record.uid for record in answer.studies}
    kept = [label for label in (old.labels if old else ()) if label.study not in named]
    new = [Label(record.uid, record.confidentiality, answer.answered_at) for record in answer.studies if record.confidentiality]
    if not new and not kept and old is None:
        return None
    labels = tuple([*new, *kept][:MOST])
    return Entry(answer.source + LABELS, answer.name, answer.organization, answer.answered_at, (), facts.birth_date, facts.sex, labels=labels)


def remembered(old: Entry | None, answer: Answer, facts: PatientFacts, ids: tuple[PatientId, ...]) -> Entry:
    """The entry after `answer`, which is `worth_keeping`. `ids` are those the source was asked with."""
    moment = answer.answered_at
    assert moment is not None
    fresh = Entry(
        answer.source, answer.name, answer.organization, moment, ids, facts.birth_date, facts.sex,
        # An address that a source gave for one study may be a secret, and is good for this launch alone. What rests on a person's
        # decision is asked for anew: the chart may have changed since.
        tuple(replace(record, as_of=moment) for record in answer.studies if record.as_of is None and record.retrieve is None and not record.links), answer.withheld_studies,
    )  # fmt: skip
    if old is not None and not is_all(answer) and same_person(old, facts, ids):
        told = {record.uid for record in fresh.studies} | set(fresh.withheld)
        kept = tuple(record for record in old.studies if record.uid not in told)
        named = {record.uid for record in fresh.studies}
        withheld = dict.fromkeys([*fresh.withheld, *(uid for uid in old.withheld if uid not in named)])
        fresh = replace(fresh, studies=(*fresh.studies, *kept), withheld=tuple(withheld))
    newest = sorted(fresh.studies, key=lambda record: record.date or "", reverse=True)[:MOST]
    return replace(fresh, studies=tuple(newest), withheld=fresh.withheld[:MOST])


def is_all(answer: Answer) -> bool:
    """Whether a study that this answer does not name is no longer there. What was withheld is known, so it alone is no gap."""
    gaps = answer.unreadable or answer.more_exist or answer.fault_code or answer.candidates
    only_withheld = answer.state is SourceState.PARTIAL and bool(answer.withheld) and not answer.notes
    return not gaps and (answer.state.answered_in_full or only_withheld)


def same_person(entry: Entry, facts: PatientFacts, ids: tuple[PatientId, ...]) -> bool:
    """Whether the chart still says of this patient what it said then. Any change, also a correction, makes us ask anew."""
    return is_sound(facts) and set(entry.ids) == set(ids) and (entry.born, entry.sex) == (facts.birth_date, facts.sex)


def still_true(entry: Entry, facts: PatientFacts, ids_at: IdsAt) -> Entry | None:
    """What of the entry may be shown in a launch with these facts; None: identity changed, and the entry has to go.

    Labels stand whatever happens to the patient's record: they show nothing.
    """
    if entry.labels:
        return entry
    if not same_person(entry, facts, ids_at(entry.source)):
        return None
    return replace(entry, studies=tuple(record for record in entry.studies if _still_theirs(record, ids_at)))


def _still_theirs(record: StudyRecord, ids_at: IdsAt) -> bool:
    if record.archive is None:
        return True
    now = ids_at(record.archive)
    return record.patient_id in now if record.patient_id is not None else bool(now) and set(record.claimed_ids) == set(now)
