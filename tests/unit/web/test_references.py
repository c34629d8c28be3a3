"""References: short, unmistakable, with the initials of what they are about."""

from __future__ import annotations

import re

from smart_app.web.references import ALPHABET, new_reference


def test_references_are_short_and_readable_aloud() -> None:
    seen = {new_reference("Harrow Vale") for _ in range(500)}
    assert all(re.fullmatch(r"HV-[2-9CDFGHJKMNPQRTVWXYZ]{4}", one) for one in seen)
    assert len(seen) > 450
    assert not set(ALPHABET) & set("01ILOSU5AE") - {"5"}


def test_the_prefix_is_two_letters_whatever_the_name() -> None:
    assert [new_reference(text)[:3] for text in ("", "PR", "Kestrel", "É 7", "St Brannoc District")] == ["PR-", "PR-", "KE-", "PR-", "SB-"]
