"""Which sheet may be given out: one of a request that was sent, that waits, and whose link exists. Makes no link: asking changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smart_app.dispatch.letters import Site
from smart_app.dispatch.paper import MOST, LeftOut, Sheet
from smart_app.errors import AppError, Fault, Side
from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.image_requests.types import ImageRequest, State
from smart_app.image_requests.workflow import OPEN
from smart_app.links.store import Links

NOT_SENT = Fault("sheet-not-sent", Side.PERSON, "This request has not been sent, so there is no sheet yet.", "Send it first.", False, 409)
NOT_READY = Fault("sheet-not-ready", Side.US, "The sheet is not ready yet: its link is made just after the request is sent.", "Try again in a minute.", True, 409)
CLOSED = Fault("sheet-closed", Side.PERSON, "This request is closed, so its sheet is no longer given out.", "Ask again if the images are still needed.", False, 409)
TOO_MANY = Fault("sheets-too-many", Side.PERSON, f"At most {MOST} sheets are made at once.", "Tick fewer requests.", False, 400)
NONE = Fault("sheets-none", Side.PERSON, "None of these requests has a sheet.", "Tick requests that were sent and are still open.", False, 409)
NO_PRINTER = Fault("sheet-undrawable", Side.US, "The sheet cannot be drawn here: Debian's libpango is not installed.", "Give the image desk the reference.", False, 503)


class Sheets:
    """One a process; safe for threads."""

    def __init__(self, requests: Requests, links: Links, sites: Callable[[str], Site]) -> None:
        self._requests, self._links, self._sites = requests, links, sites

    def of(self, id: str, patient: tuple[str, str] | None = None) -> Sheet:
        """`patient`: issuer and id of the only one whose requests exist for who asks. Another's is not there, whatever its state:
        "not ready yet" would tell that it is.

        :raises NoSuchRequest: :raises AppError: there is no sheet of it, or not yet.
        """
        request = self._requests.get(id)
        if patient is not None and (request.asked.patient.issuer, request.asked.patient.id) != patient:
            raise NoSuchRequest(id)
        return self._sheet(request)

    def many(self, ids: Sequence[str]) -> tuple[tuple[Sheet, ...], tuple[LeftOut, ...]]:
        """In the order asked, and those that have none, with the reason. :raises AppError: too many, or not one has a sheet."""
        sheets, left_out = list[Sheet](), list[LeftOut]()
        if len(ids) > MOST:
            raise AppError(TOO_MANY)
        for id in dict.fromkeys(ids):
            try:
                sheets.append(self.of(id))
            except NoSuchRequest:
                left_out.append(LeftOut(id, "This is not here."))
            except AppError as error:
                left_out.append(LeftOut(id, error.fault.title))
        if not sheets:
            raise AppError(NONE)
        return tuple(sheets), tuple(left_out)

    def _sheet(self, request: ImageRequest) -> Sheet:
        if request.state is State.DRAFT:
            raise AppError(NOT_SENT)
        if request.state not in OPEN:
            raise AppError(CLOSED)
        site = self._sites(request.asked.patient.issuer)
        if not self._links.is_on:
            return Sheet(request, site)
        link = next((one for one in self._links.of_request(request.id) if not one.ended), None)
        if link is None:
            raise AppError(NOT_READY)
        return Sheet(request, site, self._links.address(link), self._links.code(link), link.expires_at)
