"""Types of what stands in a URL. Whatever does not match never reaches a view (safety.md S6)."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, ValidationError


class LaunchConverter(BaseConverter):
    """A launch handle: base64url, at least 128 bits."""

    regex = r"[A-Za-z0-9_-]{22,64}"


class UidConverter(BaseConverter):
    """A DICOM UID (PS3.5 section 9): digits and dots, at most 64 characters. Leading zeros are met in practice."""

    regex = r"[0-9.]{1,64}"

    def to_python(self, value: str) -> str:
        if not all(value.split(".")):
            raise ValidationError
        return value


class KeyConverter(BaseConverter):
    """A key of the configuration: an EHR or an archive."""

    regex = r"[a-z][a-z0-9-]{0,30}"


def install_converters(app: Flask) -> None:
    app.url_map.converters |= {"launch": LaunchConverter, "uid": UidConverter, "key": KeyConverter}
