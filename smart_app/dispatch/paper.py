"""A request on paper: cover, sheet with QR code and typed address, release text, as a tagged PDF. Owns WeasyPrint and segno.

The sheet names the patient: it goes to people who must find the images by name, and says that it is confidential. The cover, which lies
open beside a fax machine, does not (decision 20). Nothing is fetched while it is drawn: fonts and codes are in the page.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from jinja2 import Environment

from smart_app.dispatch.letters import HOW_URGENT, Site
from smart_app.identity.names import latin
from smart_app.image_requests.types import Basis, ImageRequest, RouteKind, Wanted

MOST = 50
"""Requests in one file: about a second of work each ten."""
RELEASE: Mapping[Basis, str] = MappingProxyType(
    {
        Basis.TREATMENT: "{site} treats this patient and needs the images for that treatment. For treatment, images may be sent from one treating hospital to another "
        "without a form signed by the patient (in the United States: 45 CFR 164.506(c)). If your rules ask for a signed form, call us and we send one.",
        Basis.CONSENT: "The patient has agreed in writing that {facility} may give these images and reports to {site}. The signed form is with us. "
        "Call us and we fax you a copy.",
        Basis.PATIENT: "The images and reports belong to the patient, who asks that they be given to {site}.",
    }
)
"""Why the images may be given to us."""
QR_ERRORS = "q"
"""A quarter of the code may be lost: what a bad fax line takes."""


@dataclass(frozen=True)
class Sheet:
    """One request on paper. `address` and `code` are empty where receiving is off: then a disc is asked for."""

    request: ImageRequest
    site: Site
    address: str = ""
    code: str = ""
    until: datetime | None = None

    @property
    def for_patient(self) -> bool:
        return self.request.asked.route.kind is RouteKind.PATIENT

    @property
    def fax(self) -> str:
        """Where it is faxed to."""
        kinds = [self.request.asked.route, *(self.request.facility.routes if self.request.facility else ())]
        return next((one.address for one in kinds if one.kind is RouteKind.FAX and one.address), "")

    @property
    def release(self) -> str:
        facility = self.request.facility.name if self.request.facility else "the hospital"
        return RELEASE[self.request.asked.basis].format(site=self.site.name, facility=facility)

    @property
    def urgency(self) -> str:
        return HOW_URGENT[self.request.asked.urgency]

    @property
    def needed_by(self) -> str:
        at = self.request.asked.needed_by
        return f"{self.site.day(at)}, {self.site.clock(at)}" if at else ""

    @property
    def born(self) -> str:
        return day(self.request.asked.patient.birth_date or "")

    @property
    def in_latin(self) -> str:
        """The name once more, where it has letters that a machine may lack: a box on paper would find nobody."""
        name = self.request.asked.patient.name
        return latin(name) if any(letter.isalpha() and not unicodedata.name(letter, "").startswith("LATIN ") for letter in name) else ""

    @property
    def wanted(self) -> tuple[str, ...]:
        return wanted_in_words(self.request.asked.wanted)

    @cached_property
    def qr(self) -> str:
        """As a picture in the page; empty without an address."""
        import segno

        return str(segno.make(self.address, error=QR_ERRORS, micro=False).svg_data_uri(scale=5, border=4)) if self.address else ""


@dataclass(frozen=True)
class LeftOut:
    """A request that has no sheet, and why: told on the first page, so that nobody takes the pile for whole."""

    request: str
    why: str


class Paper:
    """Draws sheets. `fonts` gives a style sheet with our fonts in it, or nothing: then the machine's own are taken."""

    def __init__(self, pages: Environment, fonts: Callable[[], str]) -> None:
        self._pages, self._fonts = pages, fonts

    def pdf(self, sheets: Sequence[Sheet], left_out: Sequence[LeftOut] = ()) -> bytes:
        """All of them in one file, each beginning on a page of its own. PDF/UA-1."""
        # Slow to import, and needed by those only who print.
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher

        html = self.html(sheets, left_out)
        fetcher = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
        return bytes(HTML(string=html, url_fetcher=fetcher, base_url=None).write_pdf(pdf_variant="pdf/ua-1"))

    def html(self, sheets: Sequence[Sheet], left_out: Sequence[LeftOut] = ()) -> str:
        return self._pages.get_template("dispatch/sheet.html").render(sheets=sheets, left_out=left_out, fonts=self._fonts())


def day(iso: str) -> str:
    """`9 Aug 1951`, from an ISO date; a year or month alone stays what it is."""
    try:
        at = datetime.strptime(iso, "%Y-%m-%d")  # noqa: DTZ007  a day has no zone
    except ValueError:
        return iso
    return f"{at.day} {at:%b} {at.year}"


def wanted_in_words(wanted: Wanted) -> tuple[str, ...]:
    """What is asked for, a line each, for people who look it up in an archive."""
    first, last = day(wanted.date_from), day(wanted.date_to)
    when = f"Done on {first}" if first and first == last else f"Done from {first} to {last}" if first and last else f"Done since {first}" if first else f"Done until {last}" if last else ""
    lines = (
        ", ".join(part for part in (wanted.title, wanted.modality, wanted.region) if part),
        when,
        f"Your accession number: {wanted.accession}" if wanted.accession else "",
        f"Study number: {wanted.study_uid}" if wanted.study_uid else "",
        f"We have a part of it. Missing: {wanted.missing}" if wanted.missing else "",
        "All images as DICOM, not as pictures or film" + (", with the thin slices (1 mm or less)" if wanted.thin else ""),
        "The report, too" if wanted.report else "",
        "All other studies of the same region, too" if wanted.others else "",
    )
    return tuple(line for line in lines if line)
