"""A part is told by its own header, however it is cut into chunks; what cannot be told does not pass."""

import pytest

from smart_app.archives.multipart import MediaType, Part
from smart_app.archives.types import PatientId
from smart_app.archives.wado import ArchiveFault, Place
from smart_app.viewer.objects import met, part_headers, passing
from smart_app.viewer.sent import Sent
from tests.unit.viewer import fake

PLACE = Place(fake.STUDY, fake.SERIES)
ACCEPTED = (PatientId("P-1", "urn:kestrel"),)
KIND = MediaType("application/dicom", {"transfer-syntax": "1.2.840.10008.1.2.1"})


def part(data, step=1 << 18):
    return Part({}, len(data), iter([data[at : at + step] for at in range(0, len(data), step)]))


class Retrieved:
    def __init__(self, *parts):
        self._parts = parts

    def parts(self):
        yield from self._parts


@pytest.mark.parametrize("step", [1, 100, 8191, 8192, 8193, 1 << 18])
def test_every_byte_read_for_the_header_is_still_sent(step):
    data = fake.part10(fake.instance(3, size=128))
    whole = part(data, step)
    found = met(whole, "urn:kestrel")
    assert found.objection(PLACE, ACCEPTED) is None
    assert (found.named.instance, found.named.patient) == (f"{fake.SERIES}.3", ACCEPTED[0])
    assert b"".join([*found.held, *whole.chunks]) == data


@pytest.mark.parametrize("data", [b"", b"<html>", b"\0" * 128 + b"DICM", fake.part10(fake.instance(1))[:300]])
def test_what_cannot_be_told_has_an_objection_and_keeps_no_byte(data):
    found = met(part(data), "urn:kestrel")
    assert found.objection(PLACE, ACCEPTED) == "header cannot be read"
    assert found.held == []


def test_only_what_belongs_here_passes_and_the_rest_is_told():
    told = []
    objects = [fake.instance(1), fake.instance(2, patient="P-2"), fake.instance(3, study="9.9"), fake.instance(4)]
    retrieved = Retrieved(*((KIND, part(fake.part10(ds))) for ds in objects))
    bodies = [(body.instance, b"".join(body.chunks)) for body in passing(retrieved, PLACE, ACCEPTED, "urn:kestrel", told.extend)]
    assert bodies == [(ds.SOPInstanceUID, fake.part10(ds)) for ds in (objects[0], objects[3])]
    assert [one.reason for one in told] == ["other patient", "other study"]


def test_a_part_of_another_type_ends_it():
    with pytest.raises(ArchiveFault):
        list(passing(Retrieved((MediaType("text/html"), part(b"<html>"))), PLACE, ACCEPTED, "x", lambda _: None))


def test_a_part_says_its_type_and_length():
    assert part_headers(KIND, 5) == {"Content-Type": "application/dicom; transfer-syntax=1.2.840.10008.1.2.1", "Content-Length": "5"}
    assert part_headers(MediaType("application/dicom"), None) == {"Content-Type": "application/dicom"}


def test_an_answer_never_shows_its_bytes_in_a_log():
    assert "secret" not in repr(Sent("application/dicom", iter([b"secret"])))
