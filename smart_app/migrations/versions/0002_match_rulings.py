"""What people decided about records that may be a patient's"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "match_rulings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_rulings")),
    )
    op.create_index(op.f("ix_match_rulings_subject"), "match_rulings", ["subject"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_match_rulings_subject"), table_name="match_rulings")
    op.drop_table("match_rulings")
