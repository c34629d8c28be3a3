"""The sheet: what it says, tagged for a screen reader, drawn with our fonts and nothing fetched; its code is read back, also from a bad fax."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from smart_app.config_mail import Contact
from smart_app.dispatch import fonts
from smart_app.dispatch.letters import Site
from smart_app.dispatch.paper import Paper, Sheet, day, wanted_in_words
from smart_app.image_requests.types import Basis, Route, RouteKind, Urgency, Wanted
from tests.unit.dispatch.correspondence import AT, HARROW, PAGES, SITE, asked, request

LINK = "https://send.northgate.example/s/" + "tK9-x_" * 7 + "t"
BUNDLE = Path(__file__).parents[3] / "smart_app" / "static" / "viewer"
FAX = replace(asked(Route(RouteKind.FAX, "555 0199"), urgency=Urgency.TODAY), needed_by=AT + timedelta(hours=3))
PAPER = Paper(PAGES, lambda: fonts.style(BUNDLE))


def sheet(new=FAX, **more) -> Sheet:  # type: ignore[no-untyped-def]
    facility = HARROW if new.facility else None
    return Sheet(request(new, facility), SITE, **{"address": LINK, "code": "K7M2QX", "until": AT + timedelta(days=14)} | more)


@cache
def pdf(kind: str) -> bytes:
    made = {
        "fax": [sheet()],
        "patient": [sheet(asked(Route(RouteKind.PATIENT), None))],
        "off": [sheet(address="", code="", until=None)],
        "many": [sheet(), sheet(asked(Route(RouteKind.PATIENT), None)), sheet()],
    }
    return PAPER.pdf(made[kind])


def pages(of: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(of)
    return [" ".join(page.get_textpage().get_text_bounded().split()) for page in document]


def test_the_cover_names_nobody_and_the_sheet_does() -> None:
    cover, wanted = pages(pdf("fax"))
    for said in ("Harrow Vale Clinic, Harrow", "555 0199", "Northgate University", "RQ-7Q2M4TKX", "The images are needed today.", "Confidential", "Call us at 555 0142"):
        assert said in cover
    for canary in ("CANARYFAMILY", "Rosalind", "1951", "canary-title", "K7M", "/s/", "R. M."):
        assert canary not in cover
    for said in (
        "Confidential", "CANARYFAMILY, Rosalind Jane", "9 Aug 1951", "Female", "canary-title, CT, head", "Done from 20 May 2026 to 21 May 2026",
        "Your accession number: canary-accession", "The report, too", "Needed by 21 May 2026, 12:20", "K7M 2QX", "Both work until 4 Jun 2026",
        "Image desk, 1 North Gate", "A report alone may be faxed to 555 0143", "45 CFR 164.506(c)", "No such patient here",
    ):  # fmt: skip
        assert said in wanted, said
    for not_needed in ("canary-id", "canary-40771953", "canary-why", "canary-reason"):
        assert not_needed not in wanted, "no more than they need to find the images"
    assert LINK in wanted.replace(" ", "")


def test_the_patients_sheet_is_in_plain_words_and_has_no_birth_date() -> None:
    text = " ".join(pages(pdf("patient")))
    for said in ("We need images of R. M.", "With a phone or tablet", "With a computer", "With a CD or DVD", "K7M 2QX", "No disc drive?"):
        assert said in text
    for canary in ("CANARYFAMILY", "1951", "Aug"):
        assert canary not in text


def test_where_receiving_is_off_a_disc_is_asked_for() -> None:
    text = " ".join(pages(pdf("off")))
    assert "Please post a disc to: Image desk, 1 North Gate" in text
    assert "Scan the square" not in text
    assert "Code" not in text


def test_each_request_begins_on_its_own_page() -> None:
    texts = pages(pdf("many"))
    assert sum("Please send us these images" in text for text in texts) == 2
    assert len(texts) == 2 * 2 + len(pages(pdf("patient")))


@pytest.mark.parametrize("kind", ["fax", "patient", "off", "many"])
def test_it_is_tagged_named_and_reads_in_order(kind: str) -> None:
    document = pikepdf.open(io.BytesIO(pdf(kind)))
    assert str(document.Root.Lang) == "en"
    assert bool(document.Root.MarkInfo.Marked)
    assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
    with document.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == ("3 requests for images" if kind == "many" else "Request for images RQ-7Q2M4TKX")
    found: list[tuple[str, str]] = []
    _walk(document.Root.StructTreeRoot, found)
    tags = {tag for tag, _ in found}
    assert {"/H1", "/P"} <= tags
    assert all(alt for tag, alt in found if tag == "/Figure"), "a picture says what it is"
    if kind == "fax":
        assert {"/H2", "/Table", "/TH", "/L", "/LI", "/Figure"} <= tags


def test_the_fonts_are_ours_and_in_the_file() -> None:
    if not fonts.style(BUNDLE):
        pytest.fail("the browser bundle is not built: make viewer-bundle")
    names = _fonts(pdf("fax"))
    assert [name for name in names if "IBM-Plex-Sans" in name or "IBMPlexSans" in name], names
    assert fonts.style(BUNDLE / "nothing") == ""
    assert Paper(PAGES, lambda: "").pdf([sheet()]), "drawn with the machine's own fonts"


@pytest.mark.parametrize(
    ("name", "latin"),
    [("ΠΑΠΑΔΟΠΟΥΛΟΥ, Ελενη", "PAPADOPOYLOY, Eleni"), ("ИВАНОВ, Пётр", "IVANOV, P"), ("ČAPEK, Łucja Żółć", ""), ("MÜLLER, Jörg", ""), ("王小明", "WangXiaoMing")],
)
def test_names_in_other_letters_stay_what_they_are(name: str, latin: str) -> None:
    """Two files of one font under one name turned the 9 of a birth date into a Greek letter."""
    text = pages(PAPER.pdf([sheet(replace(FAX, patient=replace(FAX.patient, name=f"{name} 1234567890")))]))[1]
    assert f"{name} 1234567890" in text
    assert "Born 9 Aug 1951" in text
    assert ("In Latin letters: " in text) == bool(latin)
    assert latin in text


def test_the_square_is_read_back_also_from_a_bad_fax() -> None:
    page = pypdfium2.PdfDocument(pdf("fax"))[1]
    good = page.render(scale=200 / 72).to_pil().convert("L")
    assert [one.text for one in zxingcpp.read_barcodes(good)] == [LINK]
    # Standard fax: 204 x 98 dots an inch, black or white, and one line in sixty lost.
    whole = page.render(scale=204 / 72).to_pil().convert("L")
    fax = whole.resize((whole.width, whole.height * 98 // 204)).point(lambda tone: 255 if tone > 128 else 0)
    for line in range(0, fax.height, 60):
        fax.paste(255, (0, line, fax.width, line + 1))
    back = fax.resize(whole.size, Image.Resampling.BICUBIC)
    assert [one.text for one in zxingcpp.read_barcodes(back)] == [LINK]


def test_nothing_is_fetched_and_nothing_typed_is_markup() -> None:
    evil = '<img src="https://evil.example/x.png"><link rel="stylesheet" href="file:///etc/passwd">'
    new = replace(FAX, wanted=Wanted(evil, region=evil), patient=replace(FAX.patient, name=evil))
    made = PAPER.pdf([replace(sheet(new), site=Site(evil, Contact(desk="x")))])
    text = pages(made)[1].replace(" ", "")
    assert evil.replace(" ", "") in text
    document = pikepdf.open(io.BytesIO(made))
    assert not [key for page in document.pages for key in page.get("/Annots", [])], "no links"


def test_words_of_paper() -> None:
    assert day("1951-08-09") == "9 Aug 1951"
    assert (day("1951-08"), day("1951"), day("")) == ("1951-08", "1951", "")
    assert wanted_in_words(Wanted("CT head", report=False)) == ("CT head", "All images as DICOM, not as pictures or film")
    assert wanted_in_words(Wanted("CT", thin=True, others=True, missing="series 4", study_uid="1.2.3", date_from="2026-05-01")) == (
        "CT", "Done since 1 May 2026", "Study number: 1.2.3", "We have a part of it. Missing: series 4",
        "All images as DICOM, not as pictures or film, with the thin slices (1 mm or less)", "The report, too", "All other studies of the same region, too",
    )  # fmt: skip
    for basis in Basis:
        said = sheet(replace(FAX, basis=basis)).release
        assert "Northgate University" in said
        assert "{" not in said


def _walk(node: pikepdf.Object, found: list[tuple[str, str]]) -> None:
    kids = node.get("/K")
    if kids is None or not isinstance(kids, pikepdf.Array | pikepdf.Dictionary):
        return
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            found.append((str(kid.S), str(kid.get("/Alt", ""))))
            _walk(kid, found)


def _fonts(of: bytes) -> list[str]:
    document = pikepdf.open(io.BytesIO(of))
    return sorted({str(font.BaseFont) for page in document.pages for font in page.resources.get("/Font", {}).values()})
