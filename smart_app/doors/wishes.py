"""What a launch was opened for besides its chart: one study, a request, a part of the list. Parses, decides nothing.

Sources: `fhirContext` and `appContext` of the token answer (SMART 2.2; CDS Hooks "Link"), and our own note of an image display
request (`invoked`). All of it is a stranger's text: what does not fit is refused whole, never guessed at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from smart_app.archives.dicom_json import is_uid
from smart_app.fhir.wire import reference

REQUEST_ID = re.compile(r"RQ-[0-9A-Z-]{1,12}")
MAX_STUDIES = 20


class NotUnderstood(Exception):
    """What was sent along is nothing that we know."""


@dataclass(frozen=True)
class Wish:
    """What is wanted. Empty fields are not asked for."""

    resource: str = ""
    """Id of an ImagingStudy at the launch's EHR."""
    studies: tuple[str, ...] = ()
    """Study Instance UIDs; the first is opened."""
    accession: str = ""
    request: str = ""
    patient: str = ""
    """Number of the patient it has to be."""
    authority: str = ""
    """Who gave that number, as sent; empty: not said."""
    modalities: tuple[str, ...] = ()
    since: str = ""
    """ISO day."""
    until: str = ""
    newest: int = 0

    def kept(self) -> str:
        """As text, for the pending launch."""
        return json.dumps({name: value for name, value in asdict(self).items() if value})


def wish_of(fhir_context: Sequence[Mapping[str, Any]], app_context: str | None, sought: str | None, base: str) -> Wish | None:
    """What this launch is to open; None: its chart, nothing more. What a person asked for outranks what the EHR had in view.

    :raises NotUnderstood: something was sent along that cannot be used.
    """
    if sought:
        return _own(sought)
    if app_context is not None:
        return _app_context(app_context)
    shown = [one for one in fhir_context if _is_study(one)]
    if not shown:
        return None
    named = reference(shown[0].get("reference"), base.rstrip("/"))
    if named is None or named[0] != "ImagingStudy":
        raise NotUnderstood
    return Wish(resource=named[1])


def wants_more(fhir_context: Sequence[Mapping[str, Any]], app_context: str | None, sought: str | None) -> bool:
    """Whether a launch was opened for more than its chart: for its first page to say what came of it."""
    return bool(sought) or app_context is not None or any(_is_study(one) for one in fhir_context)


def _is_study(item: Mapping[str, Any]) -> bool:
    target = item.get("reference")
    return item.get("type") == "ImagingStudy" or (isinstance(target, str) and "ImagingStudy/" in target)


def _app_context(text: str) -> Wish:
    """`{"study": uid}` or `{"request": id}`, and no other key. Text in another form is another app's."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise NotUnderstood from None
    if not isinstance(told, dict) or len(told) != 1:
        raise NotUnderstood
    study, request = told.get("study"), told.get("request")
    if is_uid(study):
        return Wish(studies=(str(study),))
    if isinstance(request, str) and REQUEST_ID.fullmatch(request):
        return Wish(request=request)
    raise NotUnderstood


def _own(text: str) -> Wish:
    told: dict[str, Any] = json.loads(text)
    known = {one.name for one in fields(Wish)}
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items() if name in known}
    return Wish(**given)
