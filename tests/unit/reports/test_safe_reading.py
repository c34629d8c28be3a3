"""Hostile and odd documents: nothing but text comes through, nothing is resolved, and what cannot be told honestly is not told."""

from __future__ import annotations

import pytest

from smart_app.archives.types import Said
from smart_app.reports.blocks import CUT, DEPTH, MOST_ROWS, Block, of_text
from smart_app.reports.cda import NotCda, cda_of
from smart_app.reports.forms import MISLABELLED, OTHER, RICH, UNSAFE, form_of
from smart_app.reports.markup import NOT_READ, blocks_of
from smart_app.reports.rich_text import NotRichText, text_of

HER = (Said("MARCHETTI^ROSALIND", "1951-08-09", "female"),)


def said(blocks: tuple[Block, ...]) -> str:
    return " | ".join(" ".join((block.text, *block.items, *(cell for row in block.rows for cell in row))).strip() for block in blocks)


def cda(body: str, head: str = "") -> bytes:
    return f'<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="https://evil.example/x.xsl"?><ClinicalDocument xmlns="urn:hl7-org:v3"><title>CT head</title>{head}<component><structuredBody><component><section>{body}</section></component></structuredBody></component></ClinicalDocument>'.encode()


def test_a_narrative_becomes_headings_lists_and_tables() -> None:
    found = blocks_of(
        '<div xmlns="http://www.w3.org/1999/xhtml"><h2>Findings</h2><p>No bleed.<br/>No mass &amp; no shift.</p><ul><li>One</li><li><p>Two</p></li></ul>'
        "<table><thead><tr><th>Site</th><th>mm</th></tr></thead><tbody><tr><td>RUL</td><td>13</td></tr><tr><td></td><td>9</td></tr></tbody></table></div>"
    )
    assert found == (
        Block("heading", "Findings"), Block("text", "No bleed.\nNo mass & no shift."), Block("items", items=("One", "Two")),
        Block("table", rows=(("Site", "mm"), ("RUL", "13"), ("", "9")), heads=1),
    )  # fmt: skip


@pytest.mark.parametrize(
    "markup",
    [
        "<script>stolen()</script>", "<p onload=stolen() onclick='stolen()'>", "<a href='javascript:stolen()'>", "<style>p{background:url(//evil/stolen)}</style>",
        "<svg onload=stolen()><text>stolen</text></svg>", "<iframe srcdoc='stolen'></iframe>", "<img src=x onerror=stolen()>", "<math><mtext>stolen</mtext></math>",
        "<p style=\"background:url('//evil/stolen')\">", "<object data=stolen><p>stolen</p></object>", "<form action=stolen><button>stolen</button></form>",
        "<template><p>stolen</p></template>", "<!--stolen-->", "<![CDATA[stolen<script>stolen</script>]]>", "<base href=//stolen>",
        "<meta http-equiv=refresh content='0;url=//stolen'>", "<noscript>stolen</noscript>", "<xhtml:script>stolen()</xhtml:script>",
    ],
)  # fmt: skip
def test_nothing_active_comes_through(markup: str) -> None:
    assert "stolen" not in said(blocks_of(f"<div><p>Before.</p>{markup}</div>"))


def test_a_struck_out_word_and_a_picture_are_said() -> None:
    assert said(blocks_of("<p>There is <del>no</del> bleed. <img src='x'/></p>")) == "There is [struck out: no] bleed. [a picture that is not shown here]"


def test_what_is_nested_or_long_beyond_reason_is_cut_and_says_so() -> None:
    assert blocks_of("<div>" * (DEPTH + 5)) == (Block("note", NOT_READ),)
    rows = blocks_of("<table>" + "<tr><td>1</td></tr>" * (MOST_ROWS + 50) + "</table><p>After</p>")
    assert len(rows[0].rows) == MOST_ROWS
    assert rows[-1] == Block("note", CUT)
    assert of_text("x" * 300_000)[-1] == Block("note", CUT)


def test_direction_and_control_characters_are_taken_out() -> None:
    assert of_text("no\u202e bleed\u0007\x00") == (Block("text", "no bleed"),)


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><ClinicalDocument xmlns="urn:hl7-org:v3"><title>&e;</title></ClinicalDocument>',
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><ClinicalDocument xmlns="urn:hl7-org:v3">&b;</ClinicalDocument>',
        b'<!DOCTYPE x SYSTEM "http://evil.example/x.dtd"><ClinicalDocument xmlns="urn:hl7-org:v3"/>',
        b'<!DOCTYPE x [<!ENTITY % p SYSTEM "http://evil.example/p">%p;]><ClinicalDocument xmlns="urn:hl7-org:v3"/>',
        b'<ClinicalDocument xmlns="urn:hl7-org:v3">&undefined;</ClinicalDocument>',
        b"<ClinicalDocument/>", b"<html/>", b"<ClinicalDocument xmlns='urn:hl7-org:v3'>", b"\xff\xfe<\x00", b'<?xml version="1.0" encoding="no-such"?><a/>',
        b'<ClinicalDocument xmlns="urn:hl7-org:v3">' + b"<component/>" * 70_000 + b"</ClinicalDocument>",
        b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component><structuredBody><component><section><text>' + b"<paragraph>" * 200 + b"</paragraph>" * 200 + b"</text></section></component></structuredBody></component></ClinicalDocument>",
    ],
)  # fmt: skip
def test_a_hostile_document_is_not_read(content: bytes) -> None:
    with pytest.raises(NotCda):
        cda_of(content)
    assert form_of("text/xml", content).sentence == UNSAFE


def test_a_clinical_document_is_read_without_its_stylesheet() -> None:
    found = cda_of(
        cda(
            "<code code='1'/><title>Findings</title><text><paragraph>Nodule <content revised='delete'>7</content> 9 mm.</paragraph><list><item>No effusion</item></list>"
            "<table><thead><tr><th>Site</th></tr></thead><tbody><tr><td>RUL</td></tr></tbody></table><renderMultiMedia referencedObject='x'/></text><entry><observation><text>coded</text></observation></entry>",
            "<author><assignedAuthor><assignedPerson><name><given>I.</given><family>Brandvold</family></name></assignedPerson></assignedAuthor></author>",
        )
    )
    assert (found.title, found.author) == ("CT head", "I. Brandvold")
    assert found.blocks[0] == Block("heading", "Findings")
    assert said(found.blocks) == "Findings | Nodule [struck out: 7] 9 mm. | No effusion | Site RUL | [a picture that is not shown here]"


@pytest.mark.parametrize(
    "target",
    [
        "<recordTarget><patientRole><patient><birthTime value='19620314'/></patient></patientRole></recordTarget>",
        "<recordTarget><patientRole><patient><administrativeGenderCode code='M'/></patient></patientRole></recordTarget>",
        "<recordTarget/><recordTarget/>",
    ],
)
def test_a_document_about_another_person_is_withheld(target: str) -> None:
    found = form_of("text/xml", cda("<text>Secret</text>", target), HER)
    assert found.other_patient
    assert found.sentence == OTHER
    assert not found.blocks


def test_a_document_about_this_person_is_read() -> None:
    target = "<recordTarget><patientRole><patient><administrativeGenderCode code='F'/><birthTime value='19510809'/></patient></patientRole></recordTarget>"
    assert said(form_of("application/hl7-cda+xml", cda("<text>No bleed.</text>", target), HER).blocks) == "No bleed."


def test_rich_text_is_told_where_it_can_be_told_whole() -> None:
    assert text_of(rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\*\generator x;}\f0 No bleed.\par 13\'a0mm \u8211? see {\b bold}\line \{x\}}") == "No bleed.\n13\u00a0mm \u2013 see bold\n{x}"


@pytest.mark.parametrize(
    "content", [rb"{\rtf1 There is {\deleted no }bleed.}", rb"{\rtf1 {\v hidden}}", rb"{\rtf1 {\object x}}", rb"{\rtf1 cut off", rb"{\rtf1 x}}", rb"{\rtf1 \bin5 abcde}", rb"{\rtf1\ansicpg99999 x\'e4}", b"{\\rtf1 " + b"{" * 300],
)  # fmt: skip
def test_rich_text_that_would_mislead_is_not_told(content: bytes) -> None:
    with pytest.raises(NotRichText):
        text_of(content)
    assert form_of("text/rtf", content).sentence == RICH


@pytest.mark.parametrize(
    ("told", "content", "kind", "sentence"),
    [
        ("application/pdf", b"%PDF-1.7 x", "file", ""),
        ("application/pdf", b"<script>x</script>", "none", MISLABELLED.format("PDF")),
        ("text/plain", b"%PDF-1.7", "none", MISLABELLED.format("text")),
        ("text/html", b"{\\rtf1 x}", "none", MISLABELLED.format("web page")),
        ("image/svg+xml", b"<svg onload='x()'/>", "none", "A document of this kind is not shown here. It is in the chart."),
        ("application/dicom", b"x", "none", "A dicom object is not shown here. It is in the chart."),
        ("text/plain", b"a\x00b", "none", UNSAFE),
        ("text/plain", b"No bleed.", "read", ""),
        ("text/plain", b"x" * 9_000_000, "none", "This document is too large to show here. It is in the chart."),
        ("text/plain", b"", "none", "The EHR gave nothing for this document. It may be in the chart."),
    ],
)
def test_an_attachment_is_what_its_bytes_are(told: str, content: bytes, kind: str, sentence: str) -> None:
    found = form_of(told, content)
    assert (found.kind, found.sentence) == (kind, sentence)
