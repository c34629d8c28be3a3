"""Accept headers as clients send them, quoted or not, and what we ask an archive for because of them."""

import pytest

from smart_app.archives.wado import Form
from smart_app.viewer import accept

OCTETS = "application/octet-stream"


@pytest.mark.parametrize(
    ("header", "kind", "syntax", "single"),
    [
        ("", OCTETS, None, False),
        ("*/*", OCTETS, None, False),
        ("multipart/related", OCTETS, None, False),
        ("multipart/related; type=application/octet-stream; transfer-syntax=*", OCTETS, "*", False),
        ('multipart/related; type="application/octet-stream"; transfer-syntax="*"', OCTETS, "*", False),
        ('multipart/related; type="application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"', OCTETS, "1.2.840.10008.1.2.1", False),
        ('multipart/related; type="image/jls"', "image/jls", None, False),
        ("application/octet-stream", OCTETS, None, True),
        ("text/html, application/xhtml+xml, */*;q=0.8", OCTETS, None, False),
        ('multipart/related; type="image/jp2";q=0.5, multipart/related; type="image/jls";q=0.9', "image/jls", None, False),
        ('multipart/related; type="application/octet-stream"; transfer-syntax=x\r\ny', OCTETS, None, False),
        ('multipart/related; type="text/html", multipart/related; type="image/jpeg"', "image/jpeg", None, False),
    ],
)
def test_frames(header, kind, syntax, single):
    assert accept.pixels(header) == accept.Wanted(Form(kind, syntax), single)


@pytest.mark.parametrize("header", ["text/html", 'multipart/related; type="text/html"', "application/octet-stream;q=0", "application/octet-stream;q=x", "image/svg+xml"])
def test_frames_that_we_do_not_serve(header):
    with pytest.raises(accept.NothingAcceptable):
        accept.pixels(header)


@pytest.mark.parametrize(
    ("header", "syntax", "single"),
    [("application/dicom", None, True), ('multipart/related; type="application/dicom"; transfer-syntax=*', "*", False), ("*/*", None, False)],
)
def test_objects(header, syntax, single):
    assert accept.instances(header) == accept.Wanted(Form("application/dicom", syntax), single)


@pytest.mark.parametrize(("header", "kind"), [("", "image/jpeg"), ("image/png", "image/png"), ("image/webp,image/*;q=0.8", "image/jpeg"), ("image/png;q=0.2,image/jpeg", "image/jpeg")])
def test_pictures(header, kind):
    assert accept.picture(header) == kind


def test_long_header_is_read_only_so_far():
    with pytest.raises(accept.NothingAcceptable):
        accept.picture("x/y," * 2000 + "image/png")


def test_the_archive_is_asked_in_the_quoted_form():
    assert accept.pixels("multipart/related; type=application/octet-stream; transfer-syntax=*").form.accept("*") == (
        'multipart/related; type="application/octet-stream"; transfer-syntax=*'
    )
