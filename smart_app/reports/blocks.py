"""What a report says, as headings, paragraphs, lists and tables of plain text: the only form in which its words reach a browser.

A `Draft` takes elements as a parser meets them and keeps none of their attributes, so that no script, style, link or picture
can come through; what is cut off for its size is said. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

MOST_BLOCKS, MOST_TEXT, MOST_ROWS, MOST_CELLS, DEPTH = 2_000, 200_000, 500, 40, 60
CUT = "The rest is not shown here: this report is too long. It is whole in the chart."
_SPACE = re.compile(r"[ \t\r\n\f\v\u00a0]+")
_CONTROLS = dict.fromkeys((*range(9), 11, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), None) | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
"""Control characters, and those that turn the direction of what follows: a name must read as it was written."""


@dataclass(frozen=True)
class Block:
    kind: str
    """`heading`, `text`, `items`, `table` or `note` (ours, not the report's)."""
    text: str = ""
    items: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    heads: int = 0
    """How many rows at the top of a table are its headings."""

    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": self.kind}
        found |= {"text": self.text} if self.text else {}
        found |= {"items": self.items} if self.items else {}
        return found | ({"rows": self.rows, "heads": self.heads} if self.rows else {})


class TooDeep(Exception):
    """Nested beyond what any report is."""


def plain(text: str) -> str:
    return text.translate(_CONTROLS)


def of_text(text: str) -> tuple[Block, ...]:
    """Plain text: a paragraph a blank line, lines kept."""
    clean = plain(text[:MOST_TEXT].replace("\r\n", "\n").replace("\r", "\n"))
    found = [Block("text", one.strip("\n")) for one in re.split(r"\n[ \t]*\n+", clean) if one.strip()]
    cut = len(text) > MOST_TEXT or len(found) > MOST_BLOCKS
    return (*found[:MOST_BLOCKS], *((Block("note", CUT),) if cut else ()))


HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "title", "caption"})
BREAKS = frozenset({"p", "div", "paragraph", "section", "article", "blockquote", "pre", "text", "component", "address", "dt", "dd", "header", "footer", "dl"})
NEVER = frozenset({"script", "style", "head", "svg", "math", "iframe", "object", "embed", "template", "noscript", "audio", "video", "canvas", "form", "select", "textarea", "button", "frameset", "link", "meta", "base"})
"""Nothing inside these is read, not even their text."""
PICTURES = frozenset({"img", "image", "rendermultimedia", "picture"})
VOID = frozenset({"br", "hr", "img", "input", "link", "meta", "base", "embed", "wbr", "col", "source", "area"})


@dataclass
class Draft:
    """Elements in, blocks out. `start` and `end` take names in lower case without a prefix."""

    blocks: list[Block] = field(default_factory=list)
    _words: list[str] = field(default_factory=list)
    _size: int = 0
    _depth: int = 0
    _shut: int = 0
    _lists: list[list[str]] = field(default_factory=list)
    _rows: list[list[str]] | None = None
    _heads: int = 0
    _all_heads: bool = True
    _heading: int = 0
    _struck: int = 0
    _cut: bool = False

    def start(self, name: str) -> None:
        if name not in VOID:
            self._depth += 1
            if self._depth > DEPTH:
                raise TooDeep
        if self._shut or name in NEVER:
            self._shut += name not in VOID
        elif name == "br":
            self._words.append("\n")
        elif name in PICTURES:
            self._words.append(" [a picture that is not shown here] ")
        elif name in ("del", "s", "strike"):
            self._words.append(" [struck out: ")
        elif name in HEADINGS:
            self._flush()
            self._heading += 1
        elif name in ("ul", "ol", "list"):
            self._flush()
            self._lists.append([])
        elif name == "table":
            self._flush()
            self._rows, self._heads, self._all_heads = [], 0, True
        elif name == "tr" and self._rows is not None:
            self._words.clear()
            self._rows.append([])
            self._all_heads = True
        elif name in ("td", "th") and self._rows:
            self._words.clear()
            self._all_heads = self._all_heads and name == "th"
        elif name in BREAKS or name in ("li", "item"):
            self._break()

    def end(self, name: str) -> None:
        if name in VOID:
            return
        self._depth = max(0, self._depth - 1)
        if self._shut:
            self._shut -= 1
        elif name in ("del", "s", "strike"):
            self._words.append("] ")
        elif name in HEADINGS:
            self._flush("heading")
            self._heading = max(0, self._heading - 1)
        elif name in ("li", "item"):
            self._item()
        elif name in ("ul", "ol", "list"):
            self._item()
            items = self._lists.pop() if self._lists else []
            self._add(Block("items", items=tuple(items))) if items else None
        elif name in ("td", "th") and self._rows:
            self._cell()
        elif name == "tr" and self._rows:
            self._heads += self._all_heads and self._heads == len(self._rows) - 1 and bool(self._rows[-1])
        elif name == "table" and self._rows is not None:
            rows, self._rows = tuple(tuple(row) for row in self._rows if any(row)), None
            self._add(Block("table", rows=rows, heads=min(self._heads, len(rows)))) if rows else None
        elif name in BREAKS:
            self._break()

    def words(self, text: str) -> None:
        if self._shut or self._cut:
            return
        self._size += len(text)
        if self._size > MOST_TEXT:
            self._cut = True
            return
        self._words.append(_SPACE.sub(" ", plain(text)))

    def done(self) -> tuple[Block, ...]:
        while self._lists:
            self.end("list")
        if self._rows is not None:
            self.end("table")
        self._flush()
        return (*self.blocks, *((Block("note", CUT),) if self._cut else ()))

    def _taken(self) -> str:
        said = "".join(self._words)
        self._words.clear()
        return "\n".join(" ".join(line.split()) for line in said.split("\n")).strip()

    def _break(self) -> None:
        if self._rows is not None or self._lists or self._heading:
            self._words.append("\n" if self._words else "")
        else:
            self._flush()

    def _flush(self, kind: str = "text") -> None:
        if self._rows is not None:
            return
        if self._lists:
            self._item()
        elif said := self._taken():
            self._add(Block(kind, said))

    def _item(self) -> None:
        if said := self._taken():
            if self._lists and len(self._lists[-1]) < MOST_ROWS:
                self._lists[-1].append(said)
            elif self._lists:
                self._cut = True
            else:
                self._add(Block("text", said))

    def _cell(self) -> None:
        said = self._taken()
        if self._rows is None or not self._rows:
            return
        if len(self._rows) > MOST_ROWS or len(self._rows[-1]) >= MOST_CELLS:
            self._cut = True
        else:
            self._rows[-1].append(said)

    def _add(self, block: Block) -> None:
        if len(self.blocks) < MOST_BLOCKS:
            self.blocks.append(block)
        else:
            self._cut = True
