"""Tells a site that asked on the public page whether it may send images. Handler of `tell-offer`; the offer itself is `portal`'s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smart_app.dispatch import letters
from smart_app.dispatch.letters import Site
from smart_app.dispatch.outbox import Outbox
from smart_app.jobs.types import Job, NeedsAttention
from smart_app.links.store import Links


@dataclass(frozen=True)
class Answer:
    """What staff have said. `link`: the id of the link that was made for them; None: no."""

    to: str
    link: str | None


class Offered:
    """`answers`: what was said of an offer; None: nothing yet."""

    def __init__(self, answers: Callable[[str], Answer | None], links: Links, outbox: Outbox, site: Site) -> None:
        self._answers, self._links, self._outbox, self._site = answers, links, outbox, site

    def tell(self, job: Job) -> None:
        """:raises NeedsAttention: they left no address that mail can go to."""
        answer = self._answers(job.key)
        if answer is None:
            return
        if answer.link is None:
            letter = letters.refuse(job.key, self._site)
        else:
            link = self._links.get(answer.link)
            if link is None or link.ended:
                return
            letter = letters.allow(job.key, self._site, self._links.address(link), link.expires_at)
        if not answer.to:
            raise NeedsAttention("no-address")
        self._outbox.send(job, job.key, letter, self._site, answer.to, lambda session: None)
