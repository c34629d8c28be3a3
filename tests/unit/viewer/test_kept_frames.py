"""In which form a frame that lies here may leave."""

import pytest

from smart_app.archives.wado import Form
from smart_app.viewer.kept_frames import EXPLICIT, OCTETS, frame_kind

JPEG, IMPLICIT = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2"


@pytest.mark.parametrize(
    ("syntax", "form", "sent"),
    [
        (EXPLICIT, Form(OCTETS), OCTETS),
        (EXPLICIT, Form(OCTETS, "*"), OCTETS),
        (JPEG, Form(OCTETS, "*"), "image/jpeg"),
        (JPEG, Form("image/jpeg", JPEG), "image/jpeg"),
        (JPEG, Form(OCTETS), None),
        (JPEG, Form("image/jls", "*"), None),
        (IMPLICIT, Form(OCTETS, EXPLICIT), None),
        ("1.2.3", Form(OCTETS, "*"), None),
    ],
)
def test_only_as_it_lies_and_as_it_is_wanted(syntax: str, form: Form, sent: str | None) -> None:
    kind = frame_kind(syntax, form)
    assert (kind.name if kind else None) == sent
    assert kind is None or kind.params == {"transfer-syntax": syntax}
