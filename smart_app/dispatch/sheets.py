"""Which sheet may be given out: one of a request that was sent, that waits, and whose link exists. Makes no link: asking changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smart_app.dispatch.letters import Site
from smart_app.dispatch.paper import MOST, Sheet
from smart_app.dispatch.sending import LinkStore
from smart_app.errors import AppError, Fault, Side
from smart_app.image_requests.service import NoSuchRequest, Requests
from smart_app.image_requests.types import ImageRequest, State
from smart_app.image_requests.workflow import OPEN

NOT_SENT = Fault("sheet-not-sent", Side.PERSON, "This request has not been sent, so there is no sheet yet.", "Send it first.", False, 409)
NOT_READY = Fault("sheet-not-ready", Side.US, "The sheet is not ready yet: its link is made just after the request is sent.", "Try again in a minute.", True, 409)
CLOSED = Fault("sheet-closed", Side.PERSON, "This request is closed, so its sheet is no longer given out.", "Ask again if the images are still needed.", False, 409)
TOO_MANY = Fault("sheets-too-many", Side.PERSON, f"At most {MOST} sheets are made at once.", "Tick fewer requests.", False, 400)
NO_PRINTER = Fault("sheet-undrawable", Side.US, "The sheet cannot be drawn here: Debian's libpango is not installed.", "Give the image desk the reference.", False, 503)


class Sheets:
    """One a process; safe for threads."""

    def __init__(self, requests: Requests, links: LinkStore, sites: Callable[[str], Site]) -> None:
        self._requests, self._links, self._sites = requests, links, sites

    def of(self, ids: Sequence[str]) -> tuple[Sheet, ...]:
        """In the order asked. :raises NoSuchRequest: :raises AppError: one of them has no sheet, or there are too many."""
        if not ids:
            raise NoSuchRequest("")
        if len(ids) > MOST:
            raise AppError(TOO_MANY)
        return tuple(self._sheet(self._requests.get(id)) for id in dict.fromkeys(ids))

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
