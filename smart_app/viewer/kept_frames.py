"""What a frame that lies on the shelf may be sent as. Pure."""

from __future__ import annotations

from smart_app.archives.frames import media_type_of
from smart_app.archives.multipart import MediaType
from smart_app.archives.wado import Form

OCTETS = "application/octet-stream"
EXPLICIT = "1.2.840.10008.1.2.1"


def frame_kind(syntax: str, form: Form) -> MediaType | None:
    """None where the client wants another form than the one it has."""
    name = media_type_of(syntax)
    fits = form.syntax in ("*", syntax) or (form.syntax is None and syntax == EXPLICIT)
    if name is None or not fits or form.type not in (OCTETS, name):
        return None
    return MediaType(name, {"transfer-syntax": syntax})
