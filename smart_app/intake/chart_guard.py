"""Lets an item through to the archive only when its chart, read this very moment, is as it was when somebody decided; else turns it back, or waits for the EHR.

Repeated safely after any crash: nothing has been sent yet, and turning back is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from smart_app.db import Database
from smart_app.intake.chart_now import NotTold, Now
from smart_app.intake.charts import Charts
from smart_app.intake.items import Items
from smart_app.intake.receipts import Receipts
from smart_app.intake.received import Received
from smart_app.intake.types import ItemState
from smart_app.jobs.types import Later

AGAIN = 30.0
"""Seconds until a silent EHR is asked again."""


@dataclass(frozen=True)
class ChartGuard:
    db: Database
    items: Items
    receipts: Receipts
    charts: Charts
    settle: Callable[[Session, str], None]

    def passed(self, item: Received, archive: str) -> Received | None:
        """The item as it may be stored now. None: it is back in review, or somebody decided otherwise. :raises Later: the EHR did not tell."""

        def mine(now: Received) -> bool:
            return now.state is ItemState.STORING and now.content.job == item.content.job

        try:
            found = self.charts.before_storing(item)
        except NotTold as error:
            with self.db.transaction() as session:
                self.charts.not_told(session, item.id, error, still=mine)
            raise Later(AGAIN) from None
        if found is not None:
            self._turn_back(item, archive, found, mine)
            return None
        if item.content.halt is not None:
            with self.db.transaction() as session:
                self.charts.told_again(session, item.id, still=mine)
        now = self.items.get(item.id)
        return now if mine(now) and now.content.patient == item.content.patient else None

    def _turn_back(self, item: Received, archive: str, found: Now, mine: Callable[[Received], bool]) -> None:
        with self.db.transaction() as session:
            if not mine(self.items.get(item.id, session, lock=True)):
                return
            for one in self.items.instances(item.id, session):
                if not one.stage.is_stored:
                    self.receipts.release(session, archive, one.digest, item.id)
            self.charts.turn_back(session, item.id, found, settle=self.settle)
