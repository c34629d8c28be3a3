"""A request that begins at the desk: the demo EHR is asked by number as Priors itself, both number and birth date must fit, and no form names a patient.

`smart_app.desk.patients` and `smart_app.desk.new_views` over sockets.
"""

from __future__ import annotations

import base64
import re
from urllib.parse import urlencode

import pytest

from smart_app.image_requests.types import Facility, Route, RouteKind
from smart_app.parts import build
from tests.town import Jar, Seen, Town

NUMBER, BORN = "40771953", "1951-08-09"


class Clerk:
    def __init__(self, town: Town, user: str = "clerk-moss") -> None:
        self.town, self.jar = town, Jar()
        self.base = f"{town.plan.app}/l/{self.jar.sign_in(town, user)}"

    def get(self, path: str) -> Seen:
        return self.jar.get(f"{self.base}{path}", Accept="text/html")

    def post(self, path: str, **form: str) -> Seen:
        token = re.search(r'name="csrf" content="([0-9a-f]+)"', self.get("/desk/new").text).group(1)  # type: ignore[union-attr]
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.town.plan.app, "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        return self.jar.send("POST", f"{self.base}{path}", headers=headers, body=urlencode({"csrf": token, **form}).encode())


def token_of(page: Seen) -> str:
    found = re.search(r'name="patient" value="([^"]+)"', page.text)
    assert found is not None, page.text[:400]
    return found.group(1)


@pytest.fixture(scope="module")
def clerk(town: Town) -> Clerk:
    parts = build(town.settings)
    parts.facilities.save(Facility("kestrel", "Kestrel", "Harrow", (Route(RouteKind.FAX, "0555 0100"),)))
    parts.database.engine.dispose()
    return Clerk(town)


def test_a_patient_is_found_by_number_and_birth_date_and_asked_for(town: Town, clerk: Clerk) -> None:
    seen = clerk.post("/desk/new/find", number=NUMBER, born=BORN)
    assert seen.status == 200
    assert "MARCHETTI, Rosalind" in seen.text
    made = clerk.post("/desk/new", patient=token_of(seen), whom="kestrel:0", title="CT head", modality="CT", date_from="2025-11-01", report="yes", urgency="today", why="Clinic")
    assert made.status == 303
    page = clerk.jar.get(f"{town.plan.app}{made.headers['location']}", Accept="text/html").text
    assert "MARCHETTI, Rosalind" in page
    assert "CT head" in page
    again = clerk.post("/desk/new", patient=token_of(seen), whom="kestrel:0", title="ct head", modality="CT", date_from="2025-11-01")
    assert (again.status, "already open" in again.text) == (409, True)


def test_a_patient_is_invited_to_send_what_nobody_asked_for(town: Town, clerk: Clerk) -> None:
    seen = clerk.post("/desk/new/find", number=NUMBER, born=BORN)
    assert "Invite the patient" in seen.text
    made = clerk.post("/desk/new", patient=token_of(seen), do="invite", why="")
    assert made.status == 303
    page = clerk.jar.get(f"{town.plan.app}{made.headers['location']}", Accept="text/html").text
    for words in ("Any images the patient has", "Second opinion", "The patient or family"):
        assert words in page, words
    assert clerk.post("/desk/new", patient=token_of(seen), do="invite").status == 409, "invited already"
    assert clerk.post("/desk/new", patient="x", do="invite").status == 404


@pytest.mark.parametrize(("number", "born", "said"), [
    (NUMBER, "1951-09-08", "with another birth date"), ("40771954", BORN, "no patient with this number"), ("4077195", BORN, "no patient with this number"),
    ("MARCHETTI", BORN, "no patient with this number"),
])  # fmt: skip
def test_what_does_not_fit_names_nobody(clerk: Clerk, number: str, born: str, said: str) -> None:
    seen = clerk.post("/desk/new/find", number=number, born=born)
    assert (seen.status, said in seen.text) == (404, True)
    assert "MARCHETTI, Rosalind" not in seen.text


@pytest.mark.parametrize(("number", "born"), [("", BORN), (NUMBER, ""), (NUMBER, "1951"), ("*", BORN), ("a|b,c", BORN), ("x" * 60, BORN)])
def test_a_question_that_is_none_is_not_asked(clerk: Clerk, number: str, born: str) -> None:
    assert clerk.post("/desk/new/find", number=number, born=born).status == 400


def test_a_patient_that_was_found_for_another_launch_or_altered_is_nobody_here(town: Town, clerk: Clerk) -> None:
    token = token_of(clerk.post("/desk/new/find", number=NUMBER, born=BORN))
    raw = bytearray(base64.urlsafe_b64decode(token))
    raw[-1] ^= 1
    for wrong in (token[:-8], base64.urlsafe_b64encode(bytes(raw)).decode(), "Patient/parekh"):
        assert clerk.post("/desk/new", patient=wrong, whom="kestrel:0", title="CT head").status == 404
    assert Clerk(town).post("/desk/new", patient=token, whom="kestrel:0", title="CT head").status == 404


def test_an_ehr_that_is_silent_or_refuses_chooses_nobody(town: Town, clerk: Clerk) -> None:
    without = town.app_with(ehrs=tuple(ehr.model_copy(update={"backend": None}) for ehr in town.settings.ehrs))
    handle, host = clerk.base.rpartition("/")[2], town.plan.app.removeprefix("http://")
    page = without.test_client(use_cookies=False).get(f"/l/{handle}/desk/new", headers={"Host": host, "Cookie": clerk.jar.header("app.localhost"), "Accept": "text/html"})
    assert "Ask from the patient’s chart" in page.text
    for wrong in ({"title": " "}, {"whom": "nowhere:0"}, {"date_from": "2025-12-01", "date_to": "2025-11-01"}, {"date_from": "soon"}, {"needed_by": "soon"}):
        token = token_of(clerk.post("/desk/new/find", number=NUMBER, born=BORN))
        form = {"patient": token, "whom": "kestrel:0", "title": "CT neck"} | wrong
        assert clerk.post("/desk/new", **form).status == 400, wrong
