"""Who works at the demo hospital. Passwords do not exist here: the demo viewer picks a person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoUser:
    """One person. `roles` go out as the id_token claim `priors_roles`."""

    id: str
    name: str
    title: str
    roles: tuple[str, ...]
    family: str
    given: str

    @property
    def initials(self) -> str:
        return self.given[0] + self.family[0]


USERS: dict[str, DemoUser] = {
    user.id: user
    for user in (
        DemoUser("dr-halloran", "Dr Sinead Halloran", "Emergency physician", ("clinician",), "Halloran", "Sinead"),
        DemoUser("clerk-moss", "Daniel Moss", "Image library clerk", ("staff",), "Moss", "Daniel"),
        DemoUser("rev-okafor", "Dr Chidi Okafor", "Reviewing radiologist", ("reviewer", "clinician"), "Okafor", "Chidi"),
        DemoUser("dr-sato", "Dr Mika Sato", "Anesthesiologist", ("surgical-team",), "Sato", "Mika"),
        DemoUser("admin-lind", "Maria Lind", "Imaging systems administrator", ("administrator",), "Lind", "Maria"),
        DemoUser("auditor-reyes", "Tomas Reyes", "Privacy officer", ("auditor",), "Reyes", "Tomas"),
    )
}
DEFAULT_USER = "dr-halloran"


def practitioner(user: DemoUser) -> dict[str, object]:
    """The FHIR Practitioner behind a `fhirUser` claim."""
    return {
        "resourceType": "Practitioner",
        "id": user.id,
        "active": True,
        "name": [{"use": "official", "text": user.name, "family": user.family, "given": [user.given]}],
        "qualification": [{"code": {"text": user.title}}],
    }
