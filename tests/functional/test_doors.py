"""The other doors, over real sockets and the demo EHR's own sign-in: a study named by the EHR, a card, and IHE image display."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from smart_app.audit.door_events import DoorUsed
from smart_app.audit.models import AuditRecord
from smart_app.config_viewers import ExternalViewer
from smart_app.doors.preference_views import NOT_KEPT
from smart_app.parts import build
from smart_app.web.csrf import Csrf
from tests.town import Jar, Seen, Town

ONE, OTHER = "marchetti", "fernandes"
CXR, CXR_UID, CXR_NUMBER = "marchetti-cxr", "2.25.154707534233103868257856458806650886571", "NG24-0602-044"
MR_UID = "2.25.200442644047531182906274194869879147110"
OTHERS, OTHERS_UID = "fernandes-cxr", "2.25.169989086899578707584382018114386790502"


def opened(town: Town, jar: Jar, **given: str) -> Seen:
    """What a click in the chart leads to, when the EHR gives something along."""
    return jar.follow(f"{town.launch_url(ONE)}&{urlencode(given)}")


def place(seen: Seen) -> str:
    """Path below the launch, with its query."""
    assert seen.status == 200, seen.text[:400]
    parts = urlsplit(seen.url)
    return parts.path.split("/", 3)[3] + (f"?{parts.query}" if parts.query else "")


def told(jar: Jar, seen: Seen) -> Any:
    parts = urlsplit(seen.url)
    said = parts.query.partition("=")[2]
    answer = jar.get(f"{parts.scheme}://{parts.netloc}/{'/'.join(parts.path.split('/')[1:3])}/sought?said={said}")
    assert answer.status == 200
    return answer.json()


def invoke(town: Town, jar: Jar, patient: str = ONE, **asked: str) -> Seen:
    """Another system opens us by IID; the person signs in at the EHR and chooses a patient there."""
    page = jar.follow(f"{town.plan.app}/IHEInvokeImageDisplay?{urlencode(asked)}")
    assert urlsplit(page.url).netloc == urlsplit(town.plan.ehr).netloc, f"{page.status} {page.url}"
    return choose(jar, page, patient)


def choose(jar: Jar, page: Seen, patient: str) -> Seen:
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    fields += [("demo_user", "dr-halloran"), ("demo_patient", patient)]
    body = urlencode([(name, html.unescape(value)) for name, value in fields]).encode()
    answer = jar.send("POST", page.url.partition("?")[0], headers={"Content-Type": "application/x-www-form-urlencoded"}, body=body)
    return jar.follow(urljoin(page.url, answer.headers["location"]))


def recorded(town: Town) -> list[str]:
    parts = build(town.settings)
    with parts.database.reading() as session:
        found = [json.loads(one.details)["said"] for one in session.query(AuditRecord).order_by(AuditRecord.sequence) if one.event == DoorUsed.__name__]
    parts.database.engine.dispose()
    return found


def test_a_study_in_view_of_the_ehr_is_opened_directly(town: Town) -> None:
    assert place(opened(town, Jar(), study=CXR)) == f"studies/{CXR_UID}?door=asked"
    assert recorded(town)[-1] == "asked"


@pytest.mark.parametrize(("study", "said"), [(OTHERS, "refused"), ("nothing-there", "not-there"), ("../Patient/1", "not-understood")])
def test_a_study_that_is_not_this_patients_is_not_opened_and_that_is_said(town: Town, study: str, said: str) -> None:
    jar = Jar()
    seen = opened(town, jar, study=study)
    assert place(seen) == f"studies?door={said}"
    assert told(jar, seen)["sentence"]
    assert OTHERS_UID not in seen.text
    assert recorded(town)[-2:] == [said, "told"]


def test_a_card_opens_its_study_and_nothing_hostile(town: Town) -> None:
    assert place(opened(town, Jar(), app=json.dumps({"study": MR_UID}))) == f"studies/{MR_UID}?door=asked"
    assert place(opened(town, Jar(), app=json.dumps({"request": "RQ-7Q2M4TKX"}))) == "studies?door=no-request"
    for hostile in ('{"study": "../../home"}', "javascript:alert(1)", '{"url": "https://evil.example"}', "[" * 3000):
        assert place(opened(town, Jar(), app=hostile)) == "studies?door=not-understood"


def test_image_display_opens_the_study_after_the_sign_in(town: Town) -> None:
    jar = Jar()
    seen = invoke(town, jar, requestType="STUDY", studyUID=f"{CXR_UID},{MR_UID}")
    assert place(seen) == f"studies/{CXR_UID}?door=asked"
    assert told(jar, seen)["studies"] == [CXR_UID, MR_UID]


def test_an_accession_number_becomes_a_study_when_the_list_has_it(town: Town) -> None:
    jar = Jar()
    seen = invoke(town, jar, REQUESTTYPE="study", AccessionNumber=CXR_NUMBER)
    assert place(seen) == "studies?door=asked"
    assert (told(jar, seen)["accession"], told(jar, seen)["study"]) == (True, "")
    assert jar.get(f"{seen.url.partition('?')[0]}/stream").status == 200
    assert told(jar, seen)["study"] == CXR_UID
    assert CXR_NUMBER not in json.dumps(told(jar, seen))


def test_another_patients_study_is_not_opened_for_whoever_signs_in(town: Town) -> None:
    """The address is the list's own, and the list will not have it: the gateway knows no such study."""
    jar = Jar()
    seen = invoke(town, jar, requestType="STUDY", studyUID=OTHERS_UID)
    assert place(seen) == f"studies/{OTHERS_UID}?door=asked"
    base = seen.url.partition("/studies")[0]
    stream = jar.get(f"{base}/studies/stream")
    assert OTHERS_UID not in stream.text
    assert jar.get(f"{base}/outline/northgate/{OTHERS_UID}").status == 404


def test_a_patient_is_compared_before_anything_is_shown(town: Town) -> None:
    jar = Jar()
    seen = invoke(town, jar, OTHER, requestType="PATIENT", patientID="999999^^^NORTHGATE")
    assert place(seen) == "open"
    assert "asked for another patient" in seen.text
    assert "Fernandes" not in seen.text
    assert recorded(town)[-1] == "other-number"


def test_what_narrows_the_list_is_told_to_its_page(town: Town) -> None:
    jar = Jar()
    mrn = re.search(r"MRN</span> <bdi>([^<]+)</bdi>", jar.follow(town.launch_url(ONE)).text)
    assert mrn is not None
    seen = invoke(town, jar, requestType="PATIENT", patientID=mrn[1], modalitiesInStudy="CT,MR", lowerDateTime="20200101", mostRecentResults="2")
    assert place(seen) == "studies?door=asked"
    found = told(jar, seen)
    assert (found["modalities"], found["from"], found["newest"]) == (["CT", "MR"], "2020-01-01", 2)


@pytest.mark.parametrize("query", ["", "requestType=STUDY", "requestType=STUDY&studyUID=1.2&accessionNumber=A", "requestType=STUDY&studyUID=%3Cscript%3E", "requestType=X"])
def test_a_request_that_breaks_the_profile_is_answered_in_words(town: Town, query: str) -> None:
    seen = Jar().get(f"{town.plan.app}/IHEInvokeImageDisplay?{query}", Accept="text/html")
    assert seen.status == 400
    assert "This request for images cannot be used." in seen.text
    assert "<script>alert" not in seen.text


def test_where_no_ehr_is_named_the_door_does_not_exist(town: Town) -> None:
    client = town.app_with(iid_ehr=None).test_client()
    answer = client.get("/IHEInvokeImageDisplay?requestType=STUDY&studyUID=1.2", base_url=town.plan.app, headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "does not open images by this address" in answer.text


def test_a_link_of_another_browser_is_nothing(town: Town) -> None:
    """Somebody who is sent the sign-in address of another cannot be led into opening what that one asked for."""
    mine, theirs = Jar(), Jar()
    asked = mine.get(f"{town.plan.app}/IHEInvokeImageDisplay?requestType=STUDY&studyUID={CXR_UID}")
    assert asked.status == 303
    assert CXR_UID not in asked.headers["location"]
    address = urljoin(asked.url, asked.headers["location"])
    assert theirs.get(address).status == 400
    theirs.get(f"{town.plan.app}/IHEInvokeImageDisplay?requestType=STUDY&studyUID={MR_UID}")
    tag = next(name for name in theirs.cookies["app.localhost"]).rpartition("-")[2]
    seen = theirs.get(re.sub(r"b=[0-9a-f]{8}", f"b={tag}", address))
    assert seen.status == 400


VIEWERS = (
    ExternalViewer(key="ohif", name="OHIF", url="https://ohif.example/viewer?StudyInstanceUIDs={study_uid}&a={accession}", archives=("northgate",)),
    ExternalViewer(key="enterprise", name="Enterprise", kind="iid", url="https://pacs.example/IHEInvokeImageDisplay"),
)


def test_a_study_is_opened_in_another_viewer_with_its_numbers_only_and_that_is_recorded_first(town: Town) -> None:
    jar = Jar()
    handle = jar.launch(town, ONE)
    stream = jar.get(f"{town.plan.app}/l/{handle}/studies/stream")
    assert CXR_UID in stream.text
    client = town.app_with(viewers=VIEWERS).test_client(use_cookies=False)

    def get(path: str) -> Any:
        return client.get(f"/l/{handle}/{path}", base_url=town.plan.app, headers={"Cookie": jar.header("app.localhost"), "Accept": "text/html"})

    page = get("studies").text
    assert f'href="/l/{handle}/elsewhere/ohif/northgate/{CXR_UID}" target="_blank" rel="noopener noreferrer"' in page
    told = get(f"outline/northgate/{CXR_UID}").get_json(force=True)
    assert [one["name"] for one in told["elsewhere"]] == ["OHIF", "Enterprise"]
    answer = get(f"elsewhere/ohif/northgate/{CXR_UID}")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"https://ohif.example/viewer?StudyInstanceUIDs={CXR_UID}&a={CXR_NUMBER}"
    assert get(f"elsewhere/enterprise/northgate/{CXR_UID}").headers["Location"] == f"https://pacs.example/IHEInvokeImageDisplay?requestType=STUDY&studyUID={CXR_UID}"
    for nowhere in (f"elsewhere/ohif/northgate/{OTHERS_UID}", f"elsewhere/ohif/kestrel/{CXR_UID}", f"elsewhere/nobody/northgate/{CXR_UID}"):
        assert get(nowhere).status_code == 404
    parts = build(town.settings)
    with parts.database.reading() as session:
        seen = [json.loads(one.details) for one in session.query(AuditRecord) if one.event == "OpenedElsewhere"]
    parts.database.engine.dispose()
    assert [(one["viewer"], one["study"]) for one in seen] == [("ohif", CXR_UID), ("enterprise", CXR_UID)]


def test_preferences_are_kept_for_the_person_across_charts(town: Town) -> None:
    jar = Jar()
    first, second = jar.launch(town, ONE), jar.launch(town, OTHER)
    base, parts = f"{town.plan.app}/l", build(town.settings)
    assert jar.get(f"{base}/{first}/preferences").json()["saved"] is False

    def put(body: bytes) -> Seen:
        token = Csrf(parts.keyring, town.plan.app).token(first, jar.cookies["app.localhost"]["__Host-ix"])
        headers = {"X-Priors-CSRF": token, "Origin": town.plan.app, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json", "Accept": "application/json"}
        return jar.send("PUT", f"{base}/{first}/preferences", headers=headers, body=body)

    assert put(b'{"layout": "2x2", "letters": false}').status == 200
    for hostile in (b"{", b'{"layout": "<b>"}', b"[" * 3000, b'{"presets": "' + b"x" * 5000 + b'"}'):
        refused = put(hostile)
        assert (refused.status, refused.json()["error"]["title"]) == (400, NOT_KEPT.title)
    parts.database.engine.dispose()
    kept = jar.get(f"{base}/{second}/preferences").json()
    assert (kept["layout"], kept["letters"], kept.get("saved")) == ("2x2", False, None)
