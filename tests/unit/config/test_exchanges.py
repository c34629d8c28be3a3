"""An exchange that would send a patient, a token or an image the wrong way stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from smart_app.config_file import WrongConfiguration
from tests.unit.config.test_config_file import GOOD, read

EXCHANGE = """exchanges:
  - key: lark
    name: Larkmoor
    fhir: https://hie.example.org/fhir
    origins: [https://images.example.org]
    identifier_systems: ["urn:oid:1.2.3"]
    patient_ids: [{system: urn:lark, issuer: LARK}]
    patient_id_issuer: LARK
"""


def test_a_good_one_is_read(tmp_path: Path) -> None:
    (exchange,) = read(tmp_path, GOOD + EXCHANGE).exchanges
    assert (exchange.key, exchange.kind, exchange.discovery) == ("lark", "imaging-access", "identifier")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("https://hie", "http://hie", "plain http"),
        ("https://hie.example.org", "https://127.0.0.1", "this machine itself"),
        ("[https://images.example.org]", "[https://images.example.org/c]", "more than an origin"),
        ("[https://images.example.org]", "[https://10.0.0.1]", "private address"),
        ("[https://images.example.org]", "['http://images.example.org']", "plain http"),
        ("key: lark", "key: kestrel", "key of an archive too"),
        ("    fhir: https://hie.example.org/fhir\n", "", "exactly one of"),
        ("    fhir: https://hie.example.org/fhir\n", "    associated_with: nobody\n", "names no EHR"),
        ("    name: Larkmoor", "    name: Larkmoor\n    discovery: launch", "no EHR is named"),
        ('["urn:oid:1.2.3"]', "[]", "no patient could be looked for"),
        ("[{system: urn:lark, issuer: LARK}]", "[]", "at least 1"),
        ("{system: urn:lark, issuer: LARK}", '{system: "urn:oid:1.2.3", issuer: LARK}', "already the namespace"),
        ("    name: Larkmoor", "    name: Larkmoor\n    credential: {kind: ehr-token, ehr: other}", "names no EHR"),
        ("    name: Larkmoor", "    name: Larkmoor\n    credential: {kind: bearer}", "needs `token`"),
        ("    name: Larkmoor", "    name: Larkmoor\n    locations: [{uid: '1.2', archive: nowhere}]", "names no archive"),
    ],
)
def test_a_dangerous_one_stops_the_start(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert EXCHANGE.count(old) == 1
    with pytest.raises(WrongConfiguration) as caught:
        read(tmp_path, GOOD + EXCHANGE.replace(old, new))
    assert [problem for problem in caught.value.problems if words in problem.reason and problem.cure], str(caught.value)
