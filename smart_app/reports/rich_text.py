"""RTF -> text, as far as that is safe to say: hidden or struck-out words, pictures and embedded objects make it no text at all.

Rich Text Format 1.9.1: groups, control words, `\\'hh` in the document's code page, `\\u`. Pure; nothing embedded is opened.
"""

from __future__ import annotations

import re

MOST_BYTES = 2_000_000
DEPTH = 200
SKIPPED = frozenset({"fonttbl", "colortbl", "stylesheet", "info", "header", "footer", "headerl", "headerr", "footerl", "footerr", "listtable", "listoverridetable", "generator", "fldinst", "xmlnstbl", "themedata", "rsidtbl"})
DOUBTFUL = frozenset({"deleted", "v", "strike", "strikedl", "object", "objdata", "revised"})
"""Words that a plain rendering would show as if they stood, or could not show."""
BREAKS = {"par": "\n", "line": "\n", "sect": "\n\n", "page": "\n\n", "row": "\n", "tab": "\t", "cell": "\t", "emdash": "\u2014", "endash": "\u2013", "bullet": "\u2022", "lquote": "\u2018", "rquote": "\u2019", "ldblquote": "\u201c", "rdblquote": "\u201d"}
_TOKEN = re.compile(rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|[\r\n]+|([^\\{}\r\n]+)")


class NotRichText(Exception):
    """It is no RTF, or holds what cannot be told as text."""


def text_of(content: bytes) -> str:
    """:raises NotRichText: see there."""
    if not content.startswith(b"{\\rtf") or len(content) > MOST_BYTES:
        raise NotRichText
    out: list[str] = []
    stack: list[tuple[bool, int]] = []
    shut, after, page, left, at, starts = False, 1, "cp1252", 0, 0, False
    while at < len(content):
        match = _TOKEN.match(content, at)
        if match is None:
            raise NotRichText
        at = match.end()
        word, number, code, sign, brace, run = match.groups()
        if brace == b"{":
            stack.append((shut, after))
            starts = True
            if len(stack) > DEPTH:
                raise NotRichText
            continue
        if brace == b"}":
            if not stack:
                raise NotRichText
            shut, after = stack.pop()
        elif sign is not None:
            shut = shut or (starts and sign == b"*")
            if not shut and sign in (b"~", b"_", b"\\", b"{", b"}"):
                out.append({b"~": "\u00a0", b"_": "-"}.get(sign, sign.decode()))
        elif word is not None:
            name = word.decode()
            if name == "bin" or (name in DOUBTFUL and number != b"0" and not shut):
                raise NotRichText
            if name == "ansicpg" and number:
                page = f"cp{int(number)}"
            elif name == "uc" and number:
                after = max(0, min(8, int(number)))
            elif name in SKIPPED or name == "pict":
                if name == "pict" and not shut:
                    out.append(" [a picture that is not shown here] ")
                shut = True
            elif name == "u" and number and not shut:
                out.append(chr(int(number) % 65536))
                left = after
            elif not shut:
                out.append(BREAKS.get(name, ""))
        elif code is not None and not shut:
            if left:
                left -= 1
            else:
                out.append(_decoded(bytes.fromhex(code.decode()), page))
        elif run is not None and not shut:
            out.append(_decoded(run[left:], page))
            left = max(0, left - len(run))
        starts = False
    if stack:
        raise NotRichText  # it ends in the middle: part of the report is missing
    # Two halves of one character may come as two \u.
    return "".join(out).encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()


def _decoded(run: bytes, page: str) -> str:
    try:
        return run.decode(page)
    except (LookupError, UnicodeDecodeError):
        raise NotRichText from None
