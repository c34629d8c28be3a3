"""How fit a received study is, against what was asked for: one finding a question, in words for the sender and the reviewer. Pure.

It never says that a study is whole when nobody told how many images there should be: then it says what was counted, and
that no holes were seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from smart_app.archives.types import StudyRecord
from smart_app.image_requests.types import Wanted
from smart_app.intake.found import DAMAGED, Person, is_document, persons
from smart_app.intake.gaps import FEWEST, gaps, ranges
from smart_app.intake.types import Finding, FoundStudy, Header, Level

THIN_MM, THICK_MM = 1.5, 3.0
STACK_IMAGES = 10
"""A series with fewer images is no stack whose thickness would matter."""
STACKS = frozenset({"CT", "MR", "PT"})
WRITTEN_IN = frozenset({"US", "SC", "OT", "XC", "ES", "IVUS", "ECG", "XA", "RF"})
"""Devices that often write names into the picture."""
CAPTURES = ("1.2.840.10008.5.1.4.1.1.7",)
NO_SERIES = "without a number"


def grade(found: FoundStudy, wanted: Wanted | None, others: Sequence[FoundStudy] = (), *, known: StudyRecord | None = None) -> tuple[Finding, ...]:
    """:param others: the other studies of the same upload: a report may have come beside its images.
    :param known: the same study as somebody else counted it (a manifest, the chart, an archive), if anybody did.
    """
    images = [one for one in found.headers if not is_document(one)]
    findings = [_person(found), *_exam(found, wanted), *_complete(found, images, known), *_gaps(images), *_thin(images, wanted)]
    findings += [*_decodes(images), *_burned_in(images), *_report(found, wanted, others), *_damaged(found)]
    return tuple(findings)


def _person(found: FoundStudy) -> Finding:
    people = persons(found)
    unreadable = sum("name" in one.faults for one in found.headers)
    if len(people) > 1:
        return Finding("person", Level.BAD, f"Its images name more than one person: {'; '.join(_called(one) for one in people[:3])}.")
    if unreadable:
        return Finding("person", Level.BAD, f"The name can't be read in {_images(unreadable)}.")
    if not people or not (people[0].said.name or people[0].patient_id):
        return Finding("person", Level.CARE, "It does not say who it is about.")
    return Finding("person", Level.GOOD, f"All of it names {_called(people[0])}.")


def _called(person: Person) -> str:
    name = (person.said.name or "nobody").replace("^", " ").strip()
    return f"{name}, born {_day(person.said.birth_date)}" if person.said.birth_date else name


def _exam(found: FoundStudy, wanted: Wanted | None) -> list[Finding]:
    if wanted is None or not found.headers:
        return []
    if wanted.study_uid and wanted.study_uid == found.study:
        return [Finding("exam", Level.GOOD, "Asked for: its study number is the one that was named.")]
    if wanted.accession and any(one.accession.strip().casefold() == wanted.accession.strip().casefold() for one in found.headers):
        return [Finding("exam", Level.GOOD, "Asked for: its accession number is the one that was named.")]
    differs = [*_other_modality(found, wanted), *_other_time(found, wanted), *_other_region(found, wanted)]
    if differs:
        return [Finding("exam", Level.CARE, f"Not what was asked for: {', '.join(differs)}.")]
    if not (wanted.modality or wanted.region or wanted.date_from or wanted.date_to):
        return []
    return [Finding("exam", Level.GOOD, "Asked for.")]


def _other_modality(found: FoundStudy, wanted: Wanted) -> list[str]:
    came = {one.modality for one in found.headers if one.modality and not is_document(one)}
    asked = {part for part in wanted.modality.replace(",", " ").replace("/", " ").upper().split() if part}
    return [f"{', '.join(sorted(came))} instead of {wanted.modality}"] if came and asked and not came & asked else []


def _other_time(found: FoundStudy, wanted: Wanted) -> list[str]:
    days = sorted({one.study_date for one in found.headers if one.study_date})
    if not days:
        return ["it has no date"] if wanted.date_from or wanted.date_to else []
    if (wanted.date_from and days[-1] < wanted.date_from) or (wanted.date_to and days[0] > wanted.date_to):
        return [f"done {_day(days[0])}"]
    return []


def _other_region(found: FoundStudy, wanted: Wanted) -> list[str]:
    asked = [word for word in wanted.region.casefold().replace(",", " ").split() if len(word) > 2 and word not in ("and", "the", "with")]
    told = " ".join(f"{one.body_part} {one.study_description} {one.series_description}" for one in found.headers).casefold()
    if not asked or not told.strip() or any(word in told for word in asked):
        return []
    return [f"it does not speak of {wanted.region}"]


def _complete(found: FoundStudy, images: Sequence[Header], known: StudyRecord | None) -> list[Finding]:
    came = len(found.headers)
    if known is not None and known.image_count:
        missing = known.image_count - came
        if missing > 0:
            return [Finding("complete", Level.BAD, f"{came:,} of {known.image_count:,} images: {_images(missing)} missing{_where(found, known)}.", missing)]
        return [Finding("complete", Level.GOOD, f"{came:,} of {known.image_count:,} images.")]
    if not images:
        return []
    frames = sum(one.frames for one in images)
    series = len({one.series for one in images})
    count = f"{_images(len(images))}{f' with {frames:,} frames' if frames > len(images) else ''} in {series} series"
    return [Finding("complete", Level.CARE if found.refused else Level.GOOD, f"{count}. How many there should be was not told.")]


def _where(found: FoundStudy, known: StudyRecord) -> str:
    told = []
    for series in known.series:
        here = [one for one in found.headers if one.series == series.uid]
        if series.image_count and len(here) < series.image_count:
            name = str(here[0].series_number) if here and here[0].series_number is not None else (series.description or NO_SERIES)
            told.append(f"{series.image_count - len(here):,} in series {name}")
    return f" ({', '.join(told[:4])})" if told else ""


def _series(images: Sequence[Header]) -> dict[str, list[Header]]:
    found: dict[str, list[Header]] = {}
    for one in images:
        found.setdefault(one.series, []).append(one)
    return found


def _name(headers: Sequence[Header]) -> str:
    return f"series {headers[0].series_number if headers[0].series_number is not None else NO_SERIES}"


def _gaps(images: Sequence[Header]) -> list[Finding]:
    findings = []
    for headers in _series(images).values():
        seen = gaps(headers)
        if seen.missing:
            which = f" ({ranges(seen.numbers)})" if seen.numbers else " (seen from the distances between slices)"
            findings.append(Finding("gaps", Level.BAD, f"{_images(seen.missing)} missing in {_name(headers)}{which}.", seen.missing))
        elif seen.is_mixed:
            findings.append(Finding("gaps", Level.CARE, f"The distance between slices changes in {_name(headers)}; whether any is missing can't be told."))
    if findings or max((len(headers) for headers in _series(images).values()), default=0) < FEWEST:
        return findings
    return [Finding("gaps", Level.GOOD, "No gaps seen.")]


def _thin(images: Sequence[Header], wanted: Wanted | None) -> list[Finding]:
    stacks = [headers for headers in _series(images).values() if headers[0].modality in STACKS and sum(one.frames for one in headers) >= STACK_IMAGES]
    widths = [max(one.slice_thickness for one in headers if one.slice_thickness) for headers in stacks if any(one.slice_thickness for one in headers)]
    asked = wanted is not None and wanted.thin
    if not widths:
        return [Finding("thin", Level.CARE, "Thin slices were asked for; these do not say how thick they are.")] if asked and images else []
    thinnest = min(widths)
    if thinnest <= THIN_MM:
        return [Finding("thin", Level.GOOD, f"Thin slices ({thinnest:g} mm).")]
    if asked:
        return [Finding("thin", Level.BAD, f"Thin slices were asked for; only {thinnest:g} mm came. If you have the thin ones, add them.")]
    if thinnest >= THICK_MM and any(headers[0].modality == "CT" for headers in stacks):
        return [Finding("thin", Level.CARE, f"Thick slices only ({thinnest:g} mm). If you have the thin ones, add them.")]
    return []


def _decodes(images: Sequence[Header]) -> list[Finding]:
    broken = [one for one in images if "pixels" in one.faults]
    if not images:
        return []
    if broken:
        numbers = [one.instance_number for one in broken if one.instance_number is not None]
        which = f": {ranges(numbers)}" if numbers else ""
        return [Finding("decodes", Level.BAD, f"{_images(len(broken))} can't be opened{which}. Send that part again from the original.", len(broken))]
    untried = sum("pixels-untried" in one.faults for one in images)
    if untried:
        return [Finding("decodes", Level.CARE, f"{_images(untried)} could not be tried here (packed in a special way, or very large). All of the file is there.")]
    return [Finding("decodes", Level.GOOD, "Readable.")]


def _burned_in(images: Sequence[Header]) -> list[Finding]:
    if any(one.burned_in for one in images):
        return [Finding("burned-in", Level.CARE, "Names are written into the picture: its files say so. Look before it is stored.")]
    doubtful = [one for one in images if one.burned_in is None and (one.modality in WRITTEN_IN or one.sop_class.startswith(CAPTURES))]
    if doubtful:
        return [Finding("burned-in", Level.CARE, f"Names may be written into the picture ({doubtful[0].modality or 'screen capture'}). Look before it is stored.")]
    return []


def _report(found: FoundStudy, wanted: Wanted | None, others: Sequence[FoundStudy]) -> list[Finding]:
    if any(is_document(one) for one in found.headers):
        return [Finding("report", Level.GOOD, "Report with it.")]
    if any(is_document(one) for other in others for one in other.headers):
        return [Finding("report", Level.GOOD, "A document came beside it.")]
    return [Finding("report", Level.CARE, "No report.")] if wanted is None or wanted.report else []


def _damaged(found: FoundStudy) -> list[Finding]:
    findings = []
    by_series: dict[str, list[Header]] = {}
    for one in found.refused:
        if one.header is not None and one.reason != "conflict":
            by_series.setdefault(one.header.series, []).append(one.header)
    for headers in by_series.values():
        numbers = [one.instance_number for one in headers if one.instance_number is not None]
        which = f" Images {ranges(numbers)} of {_name(headers)}." if len(numbers) == len(headers) else ""
        findings.append(Finding("damaged", Level.BAD, f"{_images(len(headers))} {'is' if len(headers) == 1 else 'are'} damaged.{which}"))
    conflicts = len({one.header.instance for one in found.refused if one.header is not None and one.reason == "conflict"})
    if conflicts:
        findings.append(Finding("damaged", Level.BAD, f"{_images(conflicts)} came more than once with different content; none of these was taken."))
    nameless = sum(one.header is None and one.reason in DAMAGED for one in found.refused)
    if nameless:
        findings.append(Finding("damaged", Level.BAD, f"{nameless:,} {'file' if nameless == 1 else 'files'} can't be read."))
    return findings


def _images(count: int) -> str:
    return f"{count:,} {'image' if count == 1 else 'images'}"


def _day(iso: str | None) -> str:
    try:
        day = date.fromisoformat(iso or "")
    except ValueError:
        return iso or "at an unknown date"
    return f"{day.day} {day:%b %Y}"
