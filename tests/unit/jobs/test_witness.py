"""Who is silent: judged by our own steady clock, from the first sight of a sign, and never by the clock of another."""

from __future__ import annotations

from smart_app.jobs.types import Claim, Sign
from smart_app.jobs.witness import Witness
from tests.unit.jobs.steady import SteadyClock


def sign(key: str, beat: int = 0, number: int = 1) -> Sign:
    return Sign(Claim("store", key, number, 1), beat)


def test_a_sign_that_stands_for_longer_than_a_lease_is_silence() -> None:
    steady = SteadyClock()
    witness = Witness(10, steady)
    assert witness.silent([sign("a"), sign("b")]) == ()
    steady.seconds += 10
    assert witness.silent([sign("a"), sign("b", beat=1)]) == (), "who has just come watches for a whole lease"
    steady.seconds += 1
    assert witness.silent([sign("a"), sign("b", beat=1)]) == (sign("a"),)


def test_what_was_not_seen_for_a_while_begins_anew() -> None:
    """A row that was settled and is claimed again is another claim; one that was away is not remembered."""
    steady = SteadyClock()
    witness = Witness(10, steady)
    witness.silent([sign("a"), sign("b")])
    steady.seconds += 11
    assert witness.silent([sign("b", number=2)]) == ()
    assert witness.silent([sign("a")]) == ()
