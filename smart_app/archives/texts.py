"""Text values of a DICOM object's header as they are meant: ASCII as it stands, anything else by its character set."""

from __future__ import annotations


class Undecodable(Exception):
    """The bytes cannot be read in the character set the object names."""


def plain(value: bytes) -> str:
    return value.decode("ascii", "replace").strip(" \0")


def decoded(value: bytes, character_set: bytes) -> str:
    """`value` by the raw value of Specific Character Set. :raises Undecodable:"""
    if value.isascii() and b"\x1b" not in value:
        return plain(value)
    # Rarely needed, and half of a worker's start: pydicom takes numpy with it.
    from pydicom.charset import convert_encodings, decode_bytes

    try:
        return decode_bytes(value, convert_encodings(plain(character_set).split("\\")), set()).strip(" \0")
    except Exception as error:  # an exotic character set must not decide whose object this is
        raise Undecodable from error
