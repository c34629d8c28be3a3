"""Short references a person can read out on the phone: no vowels that make words, nothing that looks like another character."""

from __future__ import annotations

import re
import secrets

ALPHABET = "23456789CDFGHJKMNPQRTVWXYZ"


def new_reference(prefix: str, length: int = 4) -> str:
    """`HV-7Q2M` for Harrow Vale: initials, or the first two letters of one word, and `length` random characters."""
    words = re.findall(r"[A-Z]+", prefix.upper())
    letters = "".join(word[0] for word in words[:2]) if len(words) > 1 else "".join(words)[:2]
    return f"{letters if len(letters) == 2 else 'PR'}-{''.join(secrets.choice(ALPHABET) for _ in range(length))}"
