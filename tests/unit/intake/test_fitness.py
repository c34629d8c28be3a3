"""Studies of an upload, graded against what was asked for, in the words a sender reads while still on the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from smart_app.archives.types import PatientId, Said, SeriesRecord, StudyRecord
from smart_app.image_requests.types import Wanted
from smart_app.intake.fitness import grade
from smart_app.intake.found import group, persons
from smart_app.intake.gaps import gaps, ranges
from smart_app.intake.types import Finding, FoundStudy, Header, Kind, Level, Screened

GRACE = Said("OKONJO^GRACE", "1966-10-30", "F")
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def header(number: int = 1, *, study: str = "1.2.3", series: int = 4, **changed: Any) -> Header:
    base = Header(
        study=study, series=f"{study}.{series}", instance=f"{study}.{series}.{number}", sop_class="1.2.840.10008.5.1.4.1.1.2", transfer_syntax="1.2.840.10008.1.2.1",
        said=GRACE, patient_id=PatientId("LK5520713", "LAKESIDE"), accession="LK-26-3391", study_date="2026-03-04", modality="CT", study_description="CT abdomen and pelvis",
        series_number=series, instance_number=number, rows=512, columns=512, slice_thickness=1.0, position=(0.0, 0.0, number * 1.0), orientation=AXIAL,
    )  # fmt: skip
    return replace(base, **changed)


def study(headers: Iterable[Header], refused: tuple[Screened, ...] = ()) -> FoundStudy:
    return FoundStudy("1.2.3", tuple(headers), refused)


def said(findings: tuple[Finding, ...], what: str) -> list[tuple[Level, str]]:
    return [(one.level, one.words) for one in findings if one.what == what]


def verdict(one: Header, kind: Kind = Kind.DICOM, reason: str = "") -> Screened:
    return Screened("F", "", kind, reason, one.instance, 1, None, one)


ASKED = Wanted("CT abdomen, Mar 2026", modality="CT", region="abdomen", date_from="2026-03-01", date_to="2026-03-31")


def test_a_whole_thin_stack_that_was_asked_for() -> None:
    report = FoundStudy("1.2.9", (header(study="1.2.9", modality="DOC", sop_class="1.2.840.10008.5.1.4.1.1.104.1"),))
    known = StudyRecord("1.2.3", "lakeside", "Lakeside", None, image_count=40)

    findings = grade(study(header(number) for number in range(1, 41)), ASKED, [report], known=known)

    assert {one.level for one in findings} == {Level.GOOD}
    assert said(findings, "complete") == [(Level.GOOD, "40 of 40 images.")]
    assert said(findings, "exam") == [(Level.GOOD, "Asked for.")]
    assert said(findings, "thin") == [(Level.GOOD, "Thin slices (1 mm).")]


def test_missing_images_are_named_by_series() -> None:
    numbers = [number for number in range(1, 51) if not 21 <= number <= 31]
    known = StudyRecord("1.2.3", "x", "X", None, image_count=50, series=(SeriesRecord("1.2.3.4", "1.2.3", image_count=50),))

    findings = grade(study(header(number) for number in numbers), ASKED, known=known)

    assert said(findings, "complete") == [(Level.BAD, "39 of 50 images: 11 images missing (11 in series 4).")]
    assert said(findings, "gaps") == [(Level.BAD, "11 images missing in series 4 (21 to 31).")]


def test_holes_are_seen_from_distances_where_numbers_say_nothing() -> None:
    numbers = [number for number in range(1, 31) if number not in (11, 12)]

    findings = grade(study(header(number, instance_number=None) for number in numbers), ASKED)

    assert said(findings, "gaps") == [(Level.BAD, "2 images missing in series 4 (seen from the distances between slices).")]
    assert said(findings, "complete") == [(Level.GOOD, "28 images in 1 series. How many there should be was not told.")]


def test_a_way_of_scanning_is_no_hole() -> None:
    mixed = [header(number, position=(0.0, 0.0, z)) for number, z in enumerate([0, 1, 2, 3, 4, 9, 14, 19, 24], 1)]
    localizers = [header(number, orientation=way, position=(0.0, 0.0, 0.0)) for number, way in enumerate((AXIAL, (0.0, 1.0, 0.0, 0.0, 0.0, -1.0), (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)), 1)]
    over_time = [header(number, position=(0.0, 0.0, float(number % 5))) for number in range(1, 31)]
    odd = [header(number, position=None) for number in range(1, 60, 2)]

    assert gaps(mixed).is_mixed
    assert gaps(localizers).missing == gaps(over_time).missing == gaps(odd).missing == 0


def test_thick_slices_are_told_as_what_was_asked() -> None:
    thick = study(header(number, slice_thickness=5.0, position=(0.0, 0.0, number * 5.0)) for number in range(1, 21))

    assert said(grade(thick, replace(ASKED, thin=True)), "thin") == [(Level.BAD, "Thin slices were asked for; only 5 mm came. If you have the thin ones, add them.")]
    assert said(grade(thick, ASKED), "thin") == [(Level.CARE, "Thick slices only (5 mm). If you have the thin ones, add them.")]


def test_another_exam_is_told_by_what_differs() -> None:
    other = study([header(modality="DX", study_date="2018-06-09", study_description="XR left hand", slice_thickness=None)])

    assert said(grade(other, ASKED), "exam") == [(Level.CARE, "Not what was asked for: DX instead of CT, done 9 Jun 2018, it does not speak of abdomen.")]
    assert said(grade(other, replace(ASKED, accession=" lk-26-3391")), "exam")[0][0] is Level.GOOD
    assert said(grade(other, replace(ASKED, study_uid="1.2.3")), "exam")[0][0] is Level.GOOD
    assert said(grade(other, None), "exam") == []


def test_a_study_that_names_two_people_is_a_fault() -> None:
    robert = Said("MARCHETTI^ROBERT", "1949-02-02", "M")
    mixed = study([header(1), header(2), header(3, said=robert, patient_id=PatientId("7", ""))])

    assert len(persons(mixed)) == 2
    assert said(grade(mixed, None), "person") == [(Level.BAD, "Its images name more than one person: OKONJO GRACE, born 30 Oct 1966; MARCHETTI ROBERT, born 2 Feb 1949.")]


def test_one_number_two_issuers_is_two_people_and_letters_case_is_not() -> None:
    assert len(persons(study([header(1), header(2, patient_id=PatientId("LK5520713", "OTHER"))]))) == 2
    assert len(persons(study([header(1), header(2, said=replace(GRACE, name="Okonjo^Grace^"))]))) == 1


def test_a_name_that_cannot_be_read_is_never_good() -> None:
    unreadable = study([header(1, faults=("name",), said=replace(GRACE, name="OKONJO^GR\ufffdCE"))])

    assert said(grade(unreadable, None), "person") == [(Level.BAD, "The name can't be read in 1 image.")]


def test_a_disc_with_two_people_becomes_two_studies() -> None:
    hers = [verdict(header(number)) for number in (1, 2)]
    his = [verdict(header(number, study="1.2.8", said=Said("LISKA^JAN", "1950-01-01", "M"), patient_id=None)) for number in (1, 2)]

    first, second = group([hers[0], his[0], hers[1], his[1]])

    assert (first.study, len(first.headers), second.study, len(second.headers)) == ("1.2.3", 2, "1.2.8", 2)
    assert [len(persons(one)) for one in (first, second)] == [1, 1]


def test_damaged_images_are_named() -> None:
    good = [verdict(header(number)) for number in range(1, 10)]
    broken = [verdict(header(number), Kind.REFUSED, "pixels-cut") for number in range(10, 16)]
    nameless = Screened("F9", "IM99", Kind.REFUSED, "cut")
    program = Screened("F8", "RUN.EXE", Kind.SKIPPED, "program")
    letter = Screened("F7", "letter.doc", Kind.REFUSED, "office")

    (found,) = group([*good, *broken, nameless, program, letter])

    assert said(grade(found, None), "damaged") == [(Level.BAD, "6 images are damaged. Images 10 to 15 of series 4."), (Level.BAD, "1 file can't be read.")]
    assert said(grade(found, None), "complete")[0][0] is Level.CARE


def test_a_damaged_copy_beside_a_good_one_is_no_loss() -> None:
    (found,) = group([verdict(header(1)), verdict(header(1), Kind.REFUSED, "pixels-cut")])

    assert found.refused == ()


def test_pixels_that_cannot_be_decoded_and_names_in_pictures() -> None:
    broken = study([header(1), header(2, faults=("pixels",)), header(3, faults=("pixels",))])
    ultrasound = study([header(1, modality="US", slice_thickness=None)])
    declared = study([header(1, burned_in=True)])
    cleared = study([header(1, modality="US", burned_in=False)])

    assert said(grade(study([header(1), header(2, faults=("pixels-untried",))]), None), "decodes")[0][1].startswith("1 image could not be tried here")
    assert said(grade(broken, None), "decodes") == [(Level.BAD, "2 images can't be opened: 2 and 3. Send that part again from the original.")]
    assert said(grade(ultrasound, None), "burned-in")[0][0] is Level.CARE
    assert "its files say so" in said(grade(declared, None), "burned-in")[0][1]
    assert said(grade(cleared, None), "burned-in") == []


def test_a_report_is_missed_only_when_it_was_asked_for() -> None:
    images = study([header(1)])

    assert said(grade(images, ASKED), "report") == [(Level.CARE, "No report.")]
    assert said(grade(images, replace(ASKED, report=False)), "report") == []


def test_ranges_are_words() -> None:
    assert ranges([212, 213, 214, 230, 231, 240]) == "212 to 214, 230 and 231, 240"
    assert ranges(range(0, 40, 2)).endswith(", and more")
