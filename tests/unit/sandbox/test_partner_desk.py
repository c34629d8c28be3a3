"""The partner hospital's own page: the Tasks it got, Accept, Decline with a reason, and Send, which leads to the place to send to."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from sandbox.faults import Faults
from sandbox.partner.app import KINDS, create_partner
from sandbox.writable import Shelf

SEND = "http://send.localhost:8700"
TASK: dict[str, Any] = {
    "resourceType": "Task", "status": "requested", "description": "Coronary angiogram <2024>", "priority": "urgent", "requester": {"display": "Northgate University"},
    "contained": [{"resourceType": "Patient", "name": [{"text": "PAREKH, Sunita"}], "birthDate": "1965-02-17"}],
    "input": [
        {"type": {"coding": [{"code": "upload"}]}, "valueUrl": f"{SEND}/s/abc"},
        {"type": {"coding": [{"code": "upload-code"}]}, "valueString": "7KQ2MX"},
        {"type": {"text": "said in words only"}, "valueBoolean": True},
    ],
}  # fmt: skip


def desk() -> tuple[FlaskClient, Shelf, str]:
    shelf = Shelf(KINDS)
    made, _ = shelf.create(TASK, None)
    return create_partner("Ferrybank Heart", faults=Faults(), token="t", shelf=shelf, portal=SEND).test_client(), shelf, made["id"]


def test_a_task_is_shown_with_who_asks_and_the_code() -> None:
    client, _, id = desk()
    page = client.get("/")
    for words in ("Coronary angiogram &lt;2024&gt;", "PAREKH, Sunita, born 1965-02-17", "Northgate University", "urgent", "7KQ2MX", "Accept", "Decline", "Send images"):
        assert words in page.text
    assert f"form-action 'self' {SEND};" in page.headers["Content-Security-Policy"]
    assert client.get("/tasks.json").json == [[id, "1"]]
    assert client.get("/fhir/Task").status_code == 401, "the page is for its desk, the resources for programs"


def test_accepting_then_sending_leads_to_where_images_are_brought() -> None:
    client, shelf, id = desk()
    assert client.post(f"/tasks/{id}", data={"status": "accepted"}).headers["Location"] == "/"
    sent = client.post(f"/tasks/{id}", data={"status": "in-progress"})
    assert (sent.status_code, sent.headers["Location"]) == (303, f"{SEND}/s/abc")
    assert [one["status"] for one in shelf.all("Task")] == ["in-progress"]


def test_declining_says_why_and_is_the_end() -> None:
    client, shelf, id = desk()
    client.post(f"/tasks/{id}", data={"status": "rejected", "reason": "Films only"})
    assert [(one["status"], one["statusReason"]) for one in shelf.all("Task")] == [("rejected", {"text": "Films only"})]
    page = client.get("/").text
    assert "rejected: Films only" in page
    assert "<button" not in page
    assert client.post(f"/tasks/{id}", data={"status": "accepted"}).status_code == 409


def test_what_no_button_says_is_not_written() -> None:
    client, shelf, id = desk()
    assert client.post(f"/tasks/{id}", data={"status": "completed"}).status_code == 409
    assert client.post("/tasks/nowhere", data={"status": "accepted"}).status_code == 404
    assert [one["status"] for one in shelf.all("Task")] == ["requested"]


def test_an_empty_hospital_says_so() -> None:
    page = create_partner("Ferrybank Heart", faults=Faults()).test_client().get("/")
    assert "Nobody asks for anything yet" in page.text
