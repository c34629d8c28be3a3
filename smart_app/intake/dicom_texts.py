"""Text of a stranger's DICOM header, decoded strictly: what is not certain is said to be unreadable (safety.md D7). Child process only."""

from __future__ import annotations

import warnings

from smart_app.archives.dicom_json import printable

ESCAPE = b"\x1b"
CHINESE = "\x1b$)A"
"""pydicom 3.0.2 reads what follows it, and leaves it standing."""
DELIMITERS = set(b"\\^=")
"""A character set switched to ends with a value, a group or a component."""
WIDE = frozenset({"ISO_IR 192", "GB18030", "GBK"})
"""Character sets that stand alone and know no escape sequences."""


def text_of(value: bytes, character_set: bytes) -> tuple[str, bool]:
    """The text as far as it can be told, and whether it is certain. An uncertain one always holds U+FFFD, so that it matches nothing."""
    named = [part.strip(" \0") for part in character_set.decode("ascii", "replace").split("\\")]
    if value.isascii() and ESCAPE not in value and not (named[0] == "ISO_IR 13" and (b"\\" in value or b"~" in value)):
        return printable(value.decode("ascii").rstrip("\0")), True
    try:
        text = _strict(value, named)
    except Exception:  # any failure of any codec says the same: this is not what the file claims it to be
        text = printable(value.decode("ascii", "replace"))
        return (text if "\ufffd" in text else text + "\ufffd"), False
    return printable(text), True


def _strict(value: bytes, named: list[str]) -> str:
    if set(named) & WIDE and len(named) > 1:
        raise ValueError("character sets that cannot be mixed")
    if not any(named) and not value.isascii():
        raise ValueError("letters outside the set that is not named")
    if ESCAPE not in value and _is_utf8(value) and not set(named) & WIDE and not any(name.startswith("ISO 2022 IR ") and name.endswith(("87", "149", "58", "159")) for name in named):
        raise ValueError("UTF-8 that is called something else")
    if len(named) == 1 and named[0] not in WIDE and ESCAPE in value and not named[0].startswith("ISO 2022"):
        raise ValueError("escape sequences in a set without them")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # pydicom warns, and goes on with replacement characters
        from pydicom.charset import convert_encodings, decode_bytes

        text = decode_bytes(value, convert_encodings(list(named)), DELIMITERS).replace(CHINESE, "")
    if "\ufffd" in text or ESCAPE.decode() in text or any("\x80" <= letter < "\xa0" for letter in text):
        raise ValueError("letters were lost")
    return text.strip(" \0")


def _is_utf8(value: bytes) -> bool:
    """Whether the bytes beyond ASCII make sense as UTF-8: by chance, that is rare in two letters and unheard of in more."""
    if value.isascii():
        return False
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
