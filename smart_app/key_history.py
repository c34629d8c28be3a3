"""Which sealing keys this database has known. A key that is missing, or is another under the same name, stops the start.

What a lost key sealed cannot be read, which shows; what was found by its digests is not found, which does not show: an identical request
would go out again, a received study would be a new one, and a withdrawn study would be in the lists again. So it is said before anything runs.
"""

from __future__ import annotations

import hmac
from datetime import datetime

from sqlalchemy import String, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Mapped, mapped_column

from smart_app.clock import Clock
from smart_app.config_file import Problem, WrongConfiguration
from smart_app.db import Base, Database, UtcDateTime
from smart_app.sealing import Keyring

PURPOSE = "key history"


class KnownKeyRow(Base):
    __tablename__ = "known_keys"

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    proof: Mapped[str] = mapped_column(String(64))
    """Tells the same key from another one under its name, and gives neither away."""
    is_lasting: Mapped[bool]
    """The one of the digests that stay the same: the oldest key of the first start."""
    first_at: Mapped[datetime] = mapped_column(UtcDateTime)


def remembered(db: Database, keyring: Keyring, clock: Clock, tenant: str) -> Keyring:
    """The ring with its lasting key, after each of its keys was written down.

    :raises WrongConfiguration: a key that was used here is not in the ring, or is another one.
    """
    insert = sqlite_insert if db.is_sqlite else postgresql_insert
    of = select(KnownKeyRow).where(KnownKeyRow.tenant == tenant)
    with db.reading() as session:
        known = session.scalars(of).all()
    if {row.key_id for row in known} != set(keyring.key_ids):
        with db.transaction() as session:
            # Workers that start together write the same rows: whoever comes second finds them.
            first = not session.scalars(of).all()
            for key in keyring.key_ids:
                lasting = first and key == keyring.key_ids[-1]
                row = {"tenant": tenant, "key_id": key, "proof": _proof(keyring, key), "is_lasting": lasting, "first_at": clock()}
                session.execute(insert(KnownKeyRow).values(row).on_conflict_do_nothing())
            session.flush()
            known = session.scalars(of).all()
    if problems := tuple(problem for row in known if (problem := _problem(row, keyring)) is not None):
        raise WrongConfiguration(None, problems)
    return keyring.with_lasting(next((row.key_id for row in known if row.is_lasting), keyring.key_ids[-1]))


def _problem(row: KnownKeyRow, keyring: Keyring) -> Problem | None:
    if row.key_id not in keyring.key_ids:
        why = f"the key {row.key_id!r} has sealed what is in this database and is not among the keys."
        return Problem(None, "sealing_keys", why, "Put it back at the end of the list: keys are added in front and never removed.")
    if not hmac.compare_digest(_proof(keyring, row.key_id), row.proof):
        why = f"the key {row.key_id!r} is not the one that this database knows by this name."
        return Problem(None, "sealing_keys", why, "Put the earlier key back under this name, and give a new one a name of its own.")
    return None


def _proof(keyring: Keyring, key: str) -> str:
    return keyring.derive(PURPOSE, key).hex()
