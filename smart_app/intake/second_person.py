"""Whether two reviewers are two persons. Pure; where that is not known, they are one.

An EHR tells its own users apart, and nobody tells one EHR's users from another's: so by default the second is of the same EHR
as the first. The same account, the same practitioner, or names that may be one person's are one person anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from smart_app.errors import Fault, Side
from smart_app.identity.names import TITLES, latin
from smart_app.intake.received import Opinion

NEXT = "Ask another colleague who may review to open this page."
SAME_PERSON = Fault("second-person", Side.PERSON, "A second person has to look, and you were the first. Nothing was stored.", NEXT, False, 403)
SAME_NAME = Fault("second-person-name", Side.PERSON, "A second person has to look, and the first had a name that may be yours. Nothing was stored: one person with two accounts counts once.",
                  NEXT, False, 403)  # fmt: skip
OTHER_EHR = Fault("second-person-ehr", Side.PERSON, "A second person has to look, who has signed in from the same EHR as the first: nobody can tell whether users of two EHRs are two people. "
                  "Nothing was stored.", "Ask a colleague of whoever looked first to open this page.", False, 403)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A reviewer as their EHR names them."""

    issuer: str
    subject: str
    name: str
    fhir_user: str = ""
    """The practitioner behind the account, where the EHR says it."""


def objection(person: Person, earlier: Opinion, *, any_ehr: bool = False) -> Fault | None:
    """Why this is no second person; None: they are two. `any_ehr`: the site vouches that each person has one account in all its EHRs."""
    if (person.issuer, person.subject) == (earlier.issuer, earlier.subject):
        return SAME_PERSON
    if person.fhir_user and person.fhir_user == earlier.fhir_user and (person.issuer == earlier.issuer or "://" in person.fhir_user):
        return SAME_PERSON
    if person.issuer != earlier.issuer and not any_ehr:
        return OTHER_EHR
    if _is_one(person.name, earlier.name) if person.issuer == earlier.issuer else may_be_one(person.name, earlier.name):
        return SAME_NAME
    return None


def may_be_one(one: str, other: str) -> bool:
    """Whether two names may be one person's: the same words in any order, some left out, an initial for a word; or no name at all."""
    short, long = sorted((_words(one), _words(other)), key=len)
    if "".join(short) == "".join(long):  # a name of another script is one word in Latin letters
        return True
    left, whole = list(long), not short
    for word in sorted(short, key=len, reverse=True):
        found = next((known for known in left if known == word), None) or next((known for known in left if _is_initial(word, known)), None)
        if found is None:
            return False
        whole = whole or (len(word) > 1 and found == word)
        left.remove(found)
    return whole


def _is_one(one: str, other: str) -> bool:
    """Within one EHR, whose accounts mostly are persons: the very same name, titles aside."""
    return bool(_words(one)) and sorted(_words(one)) == sorted(_words(other))


def _words(name: str) -> list[str]:
    return [word for word in re.findall(r"[a-z0-9]+", latin(name).lower()) if word not in TITLES]


def _is_initial(one: str, other: str) -> bool:
    return 1 in (len(one), len(other)) and one[0] == other[0]
