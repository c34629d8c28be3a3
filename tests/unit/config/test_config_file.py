"""A wrong or unsafe configuration stops the start and names its line, the reason and the cure (safety.md O1, G22)."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from smart_app.config_file import WrongConfiguration, load

KEY = secrets.token_urlsafe(32)
ENVIRON = {"K": KEY, "CLIENT_SECRET": "c2hvcnQtc2VjcmV0"}
GOOD = """\
public_url: https://priors.example.org
data_dir: data
sealing_keys:
  - {id: k1, env: K}
ehrs:
  - key: northgate
    name: Northgate University
    issuer: https://ehr.example.org/fhir
    client_id: priors
    frame_ancestors: [https://ehr.example.org]
archives:
  - key: kestrel
    name: Kestrel
    dicomweb: https://pacs.example.org/dicom-web
    patient_id_issuer: KESTREL
    identifier_systems: ["urn:oid:1.2.3"]
"""


def read(tmp_path: Path, text: str, environ: dict[str, str] = ENVIRON):
    path = tmp_path / "priors.yaml"
    path.write_text(text)
    return load(path, environ)


def test_a_good_file_is_read(tmp_path, monkeypatch):
    monkeypatch.delenv("PRIORS_PUBLIC_URL", raising=False)
    settings = read(tmp_path, GOOD)
    assert settings.archives[0].qido_base == "https://pacs.example.org/dicom-web"
    assert settings.data_dir == tmp_path / "data", "paths are relative to the file, not to where the process was started"


def test_the_environment_overrides_a_top_level_setting(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIORS_LIST_DEADLINE", "7")
    assert read(tmp_path, GOOD).list_deadline == 7


WRONG = {
    # name: (text to replace, replacement, line named, words of the reason)
    "unknown setting": ("data_dir: data", "data_dri: data", 2, "is not a setting"),
    "missing issuer": ("    issuer: https://ehr.example.org/fhir\n", "", 6, "is missing"),
    "missing public url": ("public_url: https://priors.example.org\n", "", 1, "is missing"),
    "public http": ("https://priors", "http://priors", 1, "plain http"),
    "public url with a path": ("priors.example.org", "priors.example.org/app", 1, "more than an origin"),
    "public url without a scheme": ("https://priors", "priors", 1, "not an http(s) URL"),
    "development in the open": ("data_dir: data", "development: true", 2, "reached from outside"),
    "issuer http": ("https://ehr.example.org/fhir", "http://ehr.example.org/fhir", 8, "plain http"),
    "issuer loopback": ("https://ehr.example.org/fhir", "https://127.0.0.1/fhir", 8, "this machine itself"),
    "issuer private": ("https://ehr.example.org/fhir", "https://10.1.2.3/fhir", 8, "private address"),
    "issuer with user": ("https://ehr.example.org/fhir", "https://u:p@ehr.example.org/fhir", 8, "user name or password"),
    "issuer with query": ("https://ehr.example.org/fhir", "https://ehr.example.org/fhir?a=b", 8, "query or fragment"),
    "issuer bad port": ("https://ehr.example.org/fhir", "https://ehr.example.org:port/fhir", 8, "not an http(s) URL"),
    "frame ancestor star": ("[https://ehr.example.org]", "['https://*.example.org']", 10, "plain origin"),
    "frame ancestor http": ("[https://ehr.example.org]", "['http://ehr.example.org']", 10, "plain http"),
    "archive http": ("https://pacs", "http://pacs", 14, "plain http"),
    "archive file scheme": ("https://pacs.example.org/dicom-web", "file:///etc/passwd", 14, "not an http(s) URL"),
    "archive without base": ("    dicomweb: https://pacs.example.org/dicom-web\n", "", 12, "dicomweb"),
    "archive without namespace": ('    identifier_systems: ["urn:oid:1.2.3"]\n', "", 12, "is missing"),
    "archive empty namespace": ('["urn:oid:1.2.3"]', "[]", 16, "at least 1"),
    "archive key with a slash": ("key: kestrel", "key: kes/trel", 12, "pattern"),
    "sealing key unset": ("env: K}", "env: NOT_SET}", 4, "not set"),
    "sealing key missing place": ("{id: k1, env: K}", "{id: k1}", 4, "exactly one place"),
    "sealing key short": ("env: K}", "env: CLIENT_SECRET}", 4, "bytes, not 32"),
    "secret basic without secret": (
        "    client_id: priors",
        "    client_id: priors\n    client_auth: client_secret_basic",
        10,
        "needs `client_secret`",
    ),
    "secret inline": ("    client_id: priors", "    client_id: priors\n    client_secret: hunter2", 10, "dictionary"),
    "secret unset": (
        "    client_id: priors",
        "    client_id: priors\n    client_auth: client_secret_basic\n    client_secret: {env: NOPE}",
        11,
        "NOPE is not set",
    ),
    "secret without use": ("    client_id: priors", "    client_id: priors\n    client_secret: {env: CLIENT_SECRET}", 10, "is not used"),
    "key is no key": (
        "    client_id: priors",
        "    client_id: priors\n    client_auth: private_key_jwt\n    client_key: {kid: a, pem: {env: CLIENT_SECRET}}",
        11,
        "not a private EC P-384 key",
    ),
    "role for everybody": ("    client_id: priors", "    client_id: priors\n    roles: [{role: auditor}]", 10, "nobody or to everybody"),
    "unknown role": ("    client_id: priors", "    client_id: priors\n    roles: [{role: king, users: [a]}]", 10, "clinician"),
    "basic without password": (
        "    name: Kestrel",
        "    name: Kestrel\n    credential: {kind: basic, username: u}",
        14,
        "needs `password`",
    ),
    "oauth without client": (
        "    name: Kestrel",
        "    name: Kestrel\n    credential: {kind: oauth, token_url: 'https://a.example.org/t', client_id: x}",
        14,
        "one of `client_secret` and `client_key`",
    ),
    "ehr token of nobody": ("    name: Kestrel", "    name: Kestrel\n    credential: {kind: ehr-token, ehr: other}", 14, "names no EHR"),
    "twice the same key": ("    name: Kestrel", "    name: Kestrel\n    name: Kestrel", 14, "given twice"),
    "not yaml": ("ehrs:", "ehrs: [", None, "is not YAML"),
    "policy for an archive that is not there": ("data_dir: data", "policy: [{archives: [kestral], effect: deny}]", 2, "names no archive"),
    "policy with an unknown effect": ("data_dir: data", "policy: [{effect: hide}]", 2, "deny"),
    "queue that is no redis": ("data_dir: data", "queue_url: amqp://mq.example.org", 2, "is not a redis://"),
    "queue with its password": ("data_dir: data", "queue_url: redis://:hunter2@mq.example.org/0", 2, "holds a password"),
    "queue password that is nowhere": ("data_dir: data", "queue_password: {env: NOT_THERE}", 2, "NOT_THERE"),
    "negative limit": ("    name: Kestrel", "    name: Kestrel\n    limits: {search: -1}", 14, "greater than 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_stops_the_start_and_names_its_line(tmp_path, case):
    old, new, line, words = WRONG[case]
    assert GOOD.count(old) == 1, "the case must change exactly one place"
    with pytest.raises(WrongConfiguration) as caught:
        read(tmp_path, GOOD.replace(old, new))
    found = [problem for problem in caught.value.problems if words in problem.reason]
    assert found, str(caught.value)
    assert line is None or found[0].line == line, str(caught.value)
    assert found[0].cure, "every problem says what to do"


def test_one_namespace_never_belongs_to_two_issuers(tmp_path):
    second = GOOD + GOOD.split("archives:\n")[1].replace("kestrel", "other").replace("KESTREL", "OTHER")
    with pytest.raises(WrongConfiguration, match="already the namespace of KESTREL"):
        read(tmp_path, second)


def test_a_secret_file_open_to_all_is_refused(tmp_path):
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o644)
    with pytest.raises(WrongConfiguration, match="read by every user"):
        read(tmp_path, GOOD.replace("env: K}", "file: key}"))
    file.chmod(0o600)
    assert read(tmp_path, GOOD.replace("env: K}", "file: key}")).sealing_keys[0].file == file


def test_the_sealing_key_never_lies_beside_the_data(tmp_path):
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    with pytest.raises(WrongConfiguration, match="its own key"):
        read(tmp_path, GOOD.replace("env: K}", "file: data/key}"))


def test_no_secret_is_ever_named_in_a_problem(tmp_path):
    with pytest.raises(WrongConfiguration) as caught:
        read(tmp_path, GOOD.replace("env: K}", "env: CLIENT_SECRET}"))
    assert ENVIRON["CLIENT_SECRET"] not in str(caught.value)


def test_loopback_is_allowed_in_development(tmp_path):
    text = GOOD.replace("https://priors.example.org", "http://app.localhost:8700").replace("data_dir: data", "development: true")
    text = text.replace("https://pacs.example.org/dicom-web", "http://127.0.0.1:9000/dicom-web\n    allow_http: true")
    assert read(tmp_path, text).development


def test_without_a_path_the_variable_is_named():
    with pytest.raises(WrongConfiguration, match="PRIORS_CONFIG"):
        load(None, {})
