"""What every source offers the list, and what it is told: a name for the strip, and questions for the fan-out.

A new kind of source is one module that implements `Source`, and one line in the factory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from launch.context import LaunchContext
from smart_app.archives.fanout import Question
from smart_app.archives.registry import LaunchToken
from smart_app.fhir.patient import PatientFacts

CHART = "ehr:"
"""Prefix of sources that are a chart. They name studies; they hold no images."""


@dataclass(frozen=True)
class Named:
    """A source's place in the strip."""

    key: str
    name: str
    organization: str
    kind: str = ""
    """What kind of server it is, for a help desk."""
    host: str = ""
    """The host that is asked. Never more of an address than that."""


@dataclass(frozen=True)
class Inquiry:
    """Whom a launch asks about."""

    context: LaunchContext
    facts: PatientFacts
    launch: LaunchToken = field(repr=False)


class Source(Protocol):
    """One source. Thread-safe; holds nothing of a launch."""

    def named(self, context: LaunchContext) -> Named | None:
        """None: it has nothing to do with this launch, being another EHR's own."""
        ...

    def questions(self, inquiry: Inquiry) -> Iterable[Question]:
        """What to ask. The first answers under the source's own key; side questions under `<key>/<word>`, which has no chip in the strip.

        Whatever goes wrong inside a question's call becomes its Answer.
        """
        ...


def owner(answer_source: str) -> str:
    """The key of the source that an answer belongs to: `ehr:northgate` of `ehr:northgate/reports`."""
    return answer_source.partition("/")[0]
