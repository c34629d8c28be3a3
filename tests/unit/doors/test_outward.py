"""Addresses of other viewers: identifiers quoted whole, no name, no patient number unless the site says so."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_app.config_viewers import ExternalViewer, unsafe_viewers
from smart_app.doors.outward import Lacks, Numbers, address_of, viewers_for, ways_to

TEMPLATE = "https://v.example/open/{study_uid}?a={accession}#top"


def viewer(url: str = TEMPLATE, **more: object) -> ExternalViewer:
    return ExternalViewer.model_validate({"key": "v", "name": "V", "url": url} | more)


def test_a_template_is_filled() -> None:
    assert address_of(viewer(), Numbers("1.2.3", "NG-4/1")) == "https://v.example/open/1.2.3?a=NG-4%2F1#top"


@given(st.text(min_size=1, max_size=70))
def test_no_number_leaves_its_place(number: str) -> None:
    try:
        address = address_of(viewer(), Numbers("1.2.3", number))
    except (Lacks, UnicodeEncodeError):
        return
    parts = urlsplit(address)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == ("https", "v.example", "/open/1.2.3", "top")
    assert "&" not in parts.query


def test_a_number_that_is_not_there_is_named() -> None:
    with pytest.raises(Lacks, match="accession"):
        address_of(viewer(), Numbers("1.2.3"))
    with pytest.raises(Lacks):
        address_of(viewer(), Numbers("1.2.3", ".."))


def test_the_patients_number_only_where_the_site_says_so() -> None:
    url = "https://v.example/?s={study_uid}&p={patient_id}"
    numbers = Numbers("1.2", "A", "407^7")
    assert address_of(viewer(url, with_patient_id=True), numbers).endswith("p=407%5E7")
    with pytest.raises(Lacks):
        address_of(viewer(url), numbers)
    assert "407" not in address_of(viewer("https://v.example/iid", kind="iid"), numbers)


def test_only_viewers_of_that_archive_are_offered() -> None:
    both = [viewer(archives=["one"]), viewer(key="w")]
    assert [one.key for one in viewers_for(both, "two")] == ["w"]
    assert ways_to(both, "h", "one", "1.2")[0] == {"name": "V", "href": "/l/h/elsewhere/v/one/1.2"}


@pytest.mark.parametrize(
    "entry",
    [
        viewer("http://v.example/{study_uid}"), viewer("javascript:alert({study_uid})"), viewer("https://{study_uid}.example/"), viewer("https://v.example/"),
        viewer("https://v.example/{study_uid}/{patient_name}"), viewer("https://v.example/{study_uid}/{patient_id}"), viewer("https://v.example/{study_uid}/{"),
        viewer("https://u:p@v.example/{study_uid}"), viewer("https://v.example/?x=1", kind="iid"), viewer("https://v.example/{study_uid}", archives=["nowhere"]),
        viewer("//v.example/{study_uid}"), viewer("https://v.example\\@evil/{study_uid}"),
    ],
    ids=lambda one: one.url,
)  # fmt: skip
def test_an_unsafe_viewer_is_named(entry: ExternalViewer) -> None:
    assert list(unsafe_viewers([entry], ["kestrel"], development=False))


def test_a_safe_one_is_not_and_loopback_is_for_development() -> None:
    assert not list(unsafe_viewers([viewer(), viewer("https://v.example/IID", kind="iid", key="w")], [], development=False))
    local = viewer("http://127.0.0.1:3000/viewer?StudyInstanceUIDs={study_uid}")
    assert not list(unsafe_viewers([local], [], development=True))
    assert list(unsafe_viewers([local], [], development=False))
    assert [where for where, _, _ in unsafe_viewers([viewer(), viewer()], [], development=False)] == [("viewers", 1, "key")]
