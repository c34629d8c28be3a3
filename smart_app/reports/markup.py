"""XHTML narratives and HTML attachments -> blocks. Lenient, since EHRs are; nothing but text comes through."""

from __future__ import annotations

from html.parser import HTMLParser

from smart_app.reports.blocks import VOID, Block, Draft, TooDeep

MOST_MARKUP = 1_000_000
NOT_READ = "The text of this report could not be read here. It is in the chart."


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.draft = Draft()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = tag.rpartition(":")[2]
        self.draft.start(name)
        if name not in VOID:
            self._open.append(name)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if name not in self._open:
            return
        while self._open:  # what was left open ends here
            last = self._open.pop()
            self.draft.end(last)
            if last == name:
                return

    def handle_data(self, data: str) -> None:
        self.draft.words(data)


def blocks_of(markup: str) -> tuple[Block, ...]:
    """What a person would read of `markup`."""
    if len(markup) > MOST_MARKUP:
        return (Block("note", NOT_READ),)
    reader = _Reader()
    try:
        reader.feed(markup)
        reader.close()
        return reader.draft.done()
    except (TooDeep, AssertionError):
        return (Block("note", NOT_READ),)


