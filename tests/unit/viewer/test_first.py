"""The image a study opens with, in one question: the right one, checked as any other, or nothing."""

import pytest

from smart_app.audit.log import AuditUnavailable
from smart_app.viewer.first import opening
from tests.unit.viewer import fake, world

FIRST = f"/l/{world.HANDLE}/outline/kestrel/{fake.STUDY}/first"
MANY = 31


@pytest.fixture
def long(kestrel):
    kestrel.instances[:] = [fake.instance(number) for number in range(1, MANY + 1)]
    return kestrel


def test_it_is_number_one_as_a_whole_file_for_this_patient(gate, long):
    response = gate.client.get(FIRST)
    assert (response.status_code, response.content_type.split(";")[0]) == (200, "application/dicom")
    assert response.data == fake.part10(long.instances[0])
    assert response.headers["X-Priors-Patient"]
    assert response.headers["Cache-Control"] == "no-store"
    assert not long.paths("/metadata"), "the file's own header is what is judged"


def test_there_is_no_quick_way(gate, long, kestrel):
    doubled = fake.instance(1)
    doubled.SOPInstanceUID = doubled.file_meta.MediaStorageSOPInstanceUID = f"{fake.SERIES}.900"
    for instances in ([*long.instances, doubled], long.instances[1:], long.instances[:5]):
        kestrel.instances[:] = instances
        response = gate.client.get(FIRST)
        assert (response.status_code, response.data) == (204, b"")


def test_another_patients_image_is_not_it(gate, long):
    stranger = fake.instance(1, patient="P-2")
    stranger.kept = {"StudyInstanceUID": fake.STUDY, "SeriesInstanceUID": fake.SERIES}
    long.instances[0] = stranger
    response = gate.client.get(FIRST)
    assert response.status_code in (204, 404)
    assert b"P-2" not in response.data


def test_nothing_is_sent_that_is_not_audited(gate, long, monkeypatch):
    def refuse(*_, **__):
        raise AuditUnavailable

    monkeypatch.setattr("smart_app.viewer.reads.Reads.note", refuse)
    response = gate.client.get(FIRST)
    assert response.status_code == 503
    assert response.content_type == "application/json"


def test_a_study_of_another_launch_is_not_there(gate, long):
    assert gate.client.get(FIRST.replace(fake.STUDY, "1.2.3")).status_code == 404


def row(uid: str, number: int, description: str, modality: str = "CT") -> dict[str, object]:
    values = {"0020000E": uid, "00200011": number, "0008103E": description, "00080060": modality}
    return {tag: {"vr": "LO", "Value": [value]} for tag, value in values.items()}


def test_the_series_that_opens_is_the_first_that_is_no_localizer():
    report, scout, axial = row("1.1", 0, "Report", "SR"), row("1.2", 1, "Scout"), row("1.3", 2, "Axial")
    for rows, uid in (([axial, scout, report], "1.3"), ([report, scout], "1.2")):
        found = opening(rows)
        assert found is not None
        assert found.uid == uid
    assert opening([report]) is None
