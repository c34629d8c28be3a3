"""What Wado sends, and what it makes of each status: credentials renewed once, pages bounded, nothing of a URL believed."""

import json
import re

import pytest

from smart_app.archives.registry import ConfiguredArchive, Fixed, Issued
from smart_app.archives.wado import ArchiveFault, Form, Place, Wado
from smart_app.errors import Busy
from smart_app.outbound import Lane, Outbound, origin_of
from tests.unit.viewer import fake, world


class Tokens:
    """A provider whose first token has expired."""

    def __init__(self):
        self.renewals = 0

    def access_token(self):
        return f"t{self.renewals}"

    def refreshed(self, rejected):
        assert rejected == self.access_token()
        self.renewals += 1
        return self.access_token()


@pytest.fixture
def kestrel():
    with fake.running([fake.instance(number) for number in (1, 2, 3)]) as server:
        yield server


def wado(server, **changes):
    settings = world.archive(server.base, **changes)
    lane = Lane("archive:kestrel", frozenset({origin_of(settings.wado_base)}), allow_http=True, allow_loopback=True, parallel=settings.limits.parallel)
    return Wado(Outbound([lane], pin_localhost=False)), settings


def only(token):
    return lambda h: h.plainly(h.path.partition("?")[0].removeprefix("/dw")) if h.headers.get("Authorization") == f"Bearer {token}" else h.reply(401, b"", "text/plain")


@pytest.mark.parametrize(("good", "renewals", "passes"), [("t0", 0, True), ("t1", 1, True), ("t2", 1, False)])
def test_credential_is_renewed_exactly_once(kestrel, good, renewals, passes):
    reader, settings = wado(kestrel)
    for call in (
        lambda archive: reader.metadata(archive, None, Place(fake.STUDY)),
        lambda archive: reader.parts(archive, None, Place(fake.STUDY), Form("application/dicom", "*")).close(),
        lambda archive: reader.rows(archive, None, Place(fake.STUDY), "series"),
    ):
        tokens = Tokens()
        archive = ConfiguredArchive(settings, Issued(tokens))
        kestrel.faults["."] = only(good)
        if passes:
            call(archive)
        else:
            with pytest.raises(ArchiveFault) as caught:
                call(archive)
            assert caught.value.fault.code == "refused"
        assert tokens.renewals == renewals


def test_a_fixed_credential_is_not_tried_twice(kestrel):
    reader, settings = wado(kestrel)
    kestrel.faults["."] = only("never")
    with pytest.raises(ArchiveFault):
        reader.metadata(ConfiguredArchive(settings, Fixed("Bearer x")), None, Place(fake.STUDY))
    assert len(kestrel.asked) == 1


def test_as_stored_is_not_asked_where_the_configuration_says_so(kestrel):
    reader, settings = wado(kestrel, profile={"any_transfer_syntax": False})
    reader.parts(ConfiguredArchive(settings, Fixed()), None, Place(fake.STUDY), Form("application/dicom", "*")).close()
    assert kestrel.asked[0][1]["Accept"] == 'multipart/related; type="application/dicom"'
    assert kestrel.asked[0][1]["Accept-Encoding"] == "identity"


def test_paging_ends_where_an_archive_repeats_itself(kestrel):
    reader, settings = wado(kestrel)
    rows = [kestrel.row(ds) for ds in kestrel.instances]
    kestrel.faults["/instances"] = lambda h: h.reply(200, json.dumps(rows).encode(), "application/dicom+json")
    assert len(reader.rows(ConfiguredArchive(settings, Fixed()), None, Place(fake.STUDY, fake.SERIES), "instances").rows) == 3
    assert len(kestrel.asked) == 2


@pytest.mark.parametrize(("given", "kept"), [("7", "7"), ("99999999", None), ("Sun, 22 Nov 2026 00:00:00 GMT", "Sun, 22 Nov 2026 00:00:00 GMT"), ("soon", None), ("", None)])
def test_retry_after_is_kept_where_it_makes_sense(kestrel, given, kept):
    reader, settings = wado(kestrel)
    kestrel.faults["."] = lambda h: h.reply(503, b"", "text/plain", Retry_After=given)
    with pytest.raises(ArchiveFault) as caught:
        reader.metadata(ConfiguredArchive(settings, Fixed()), None, Place(fake.STUDY))
    assert (caught.value.fault.status, caught.value.retry_after) == (503, kept)


@pytest.mark.parametrize("uid", ["1.2/../3", "", "1.2\r\n", "a", "1" * 65, "1..2", "."])
def test_no_path_from_what_is_no_uid(uid):
    with pytest.raises(ValueError, match="not a UID"):
        Place(uid)


def test_a_closed_answer_gives_its_seat_back(kestrel):
    reader, settings = wado(kestrel, limits={"parallel": 1})
    archive = ConfiguredArchive(settings, Fixed())
    for _ in range(5):
        reader.parts(archive, None, Place(fake.STUDY), Form("application/dicom")).close()
    kestrel.faults["."] = lambda h: h.reply(500, b"", "text/plain")
    for _ in range(5):
        with pytest.raises(ArchiveFault):
            reader.parts(archive, None, Place(fake.STUDY), Form("application/dicom", "*"))
    held = None
    kestrel.faults.clear()
    held = reader.parts(archive, None, Place(fake.STUDY), Form("application/dicom"))
    with pytest.raises(Busy):
        reader.metadata(archive, None, Place(fake.STUDY))
    held.close()
    assert reader.metadata(archive, None, Place(fake.STUDY))[0] == 200


def test_a_number_is_asked_of_the_archive_in_one_question(kestrel):
    reader, settings = wado(kestrel)
    found = reader.rows(ConfiguredArchive(settings, Fixed()), None, Place(fake.STUDY, fake.SERIES), "instances", number=2).rows
    assert [row["00080018"]["Value"] for row in found] == [[f"{fake.SERIES}.2"]]
    assert len(kestrel.asked) == 1


def test_an_archive_that_does_not_heed_the_number_is_read_to_its_end(kestrel):
    reader, settings = wado(kestrel)
    pages = {"offset=0": kestrel.instances[:2], "offset=2": kestrel.instances[2:]}

    def answer(h):
        rows = next((found for offset, found in pages.items() if h.path.split("&includefield")[0].endswith(offset)), [])
        h.reply(200, json.dumps([kestrel.row(ds) for ds in rows]).encode(), "application/dicom+json")

    kestrel.faults["/instances"] = answer
    found = reader.rows(ConfiguredArchive(settings, Fixed()), None, Place(fake.STUDY, fake.SERIES), "instances", number=3).rows
    assert len(found) == 3


def test_a_series_list_cut_into_small_pages_is_read_to_its_end(kestrel):
    """A cap of the archive's own, far below the page that was asked for."""
    reader, settings = wado(kestrel)
    rows = [{"0020000E": {"vr": "UI", "Value": [f"1.2.{number}"]}} for number in range(1, 6)]

    def answer(h):
        offset = int(re.search(r"offset=(\d+)", h.path).group(1))
        h.reply(200, json.dumps(rows[offset : offset + 2]).encode(), "application/dicom+json")

    kestrel.faults["/series"] = answer
    listed = reader.rows(ConfiguredArchive(settings, Fixed()), None, Place(fake.STUDY), "series")
    assert (len(listed.rows), listed.partial) == (5, False)


@pytest.mark.parametrize(("status", "headers"), [(206, {}), (200, {"Warning": '299 PACS "there are more"'})])
def test_a_series_list_that_the_archive_calls_partial_is_told_as_such(kestrel, status, headers):
    reader, settings = wado(kestrel)
    row = {"0020000E": {"vr": "UI", "Value": ["1.2.3"]}}
    kestrel.faults["/series"] = lambda h: h.reply(status, json.dumps([row]).encode(), "application/dicom+json", **headers)
    assert reader.rows(ConfiguredArchive(settings, Fixed()), None, Place(fake.STUDY), "series").partial
