"""The image that a study opens with, as one whole file, asked for in one question before anything of the study is known.

A convenience over the outline and the gateway: whatever passes here has passed there. Where there is no quick way to that image
(few images, an archive that does not find it by its number, an unusual numbering) there is no answer, and the viewer goes the long way.
"""

from __future__ import annotations

import re

from smart_app.archives.wado import Form, Place
from smart_app.viewer.accept import DICOM, Wanted
from smart_app.viewer.asking import Ask
from smart_app.viewer.catalogue import Catalogue, Rows
from smart_app.viewer.gateway import Gateway
from smart_app.viewer.kinds import kind_of
from smart_app.viewer.outline import Series, in_order
from smart_app.viewer.sent import Sent

WORTH_IT = 30
"""Of fewer images the metadata is there as soon."""
LOCALIZER = re.compile(r"\b(scout|locali[sz]er|topogram|surview|scanogram|survey)\b", re.IGNORECASE)
WHOLE = Wanted(Form(DICOM, "*"), single=True)


class First:
    def __init__(self, catalogue: Catalogue, gateway: Gateway) -> None:
        self._catalogue = catalogue
        self._gateway = gateway

    def of(self, ask: Ask) -> Sent | None:
        """Instance Number 1 of the series that opens, if exactly one instance bears it. :raises AppError: as the gateway does."""
        series = opening(self._catalogue.series(ask).rows)
        if series is None or (series.count is not None and series.count < WORTH_IT):
            return None
        found = self._catalogue.instances(ask, series.uid, 1)
        uids = [row["00080018"]["Value"][0] for row in found.rows if _number(row) == 1]
        if len(uids) != 1 or found.withheld or found.partial:
            return None
        return self._gateway.instances(ask, Place(ask.study, series.uid, uids[0]), WHOLE)


def opening(rows: Rows) -> Series | None:
    """The series that the viewer opens: the first with pictures that is not a localizer; if all are, the first (`firstSeries` there)."""
    pictures = [one for one in in_order(rows) if kind_of(one.modality).kind == "images"]
    return next((one for one in pictures if not LOCALIZER.search(one.description or "")), next(iter(pictures), None))


def _number(row: dict[str, object]) -> int | None:
    element = row.get("00200013")
    values = element.get("Value") if isinstance(element, dict) else None
    try:
        return int(values[0]) if isinstance(values, list) and values else None
    except (TypeError, ValueError):
        return None
