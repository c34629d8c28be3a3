"""The first schema: audit, launches, holdings"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_heads",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=31), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "audit_records",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("verb", sa.String(length=1), nullable=False),
        sa.Column("outcome", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("launch", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("patient", sa.String(length=128), nullable=True),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=31), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_records")),
        sa.UniqueConstraint("tenant", "sequence", name=op.f("uq_audit_records_tenant")),
    )
    op.create_index("ix_audit_records_at", "audit_records", ["tenant", "at"], unique=False)
    op.create_index("ix_audit_records_patient", "audit_records", ["tenant", "patient", "at"], unique=False)
    op.create_index("ix_audit_records_subject", "audit_records", ["tenant", "subject", "at"], unique=False)
    op.create_table(
        "browsers",
        sa.Column("cookie", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("cookie", name=op.f("pk_browsers")),
    )
    op.create_table(
        "holding_answers",
        sa.Column("launch", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("launch", "source", name=op.f("pk_holding_answers")),
    )
    op.create_table(
        "holding_checked",
        sa.Column("launch", sa.String(length=64), nullable=False),
        sa.Column("series", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("launch", "series", name=op.f("pk_holding_checked")),
    )
    op.create_table(
        "holding_patients",
        sa.Column("launch", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("launch", name=op.f("pk_holding_patients")),
    )
    op.create_table(
        "holding_studies",
        sa.Column("launch", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("study", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("launch", "source", "study", name=op.f("pk_holding_studies")),
    )
    op.create_index("ix_holding_studies_launch_study", "holding_studies", ["launch", "study"], unique=False)
    op.create_table(
        "launches",
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=64), nullable=False),
        sa.Column("context", sa.LargeBinary(), nullable=True),
        sa.Column("tokens", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("handle", name=op.f("pk_launches")),
    )
    op.create_index(op.f("ix_launches_browser"), "launches", ["browser"], unique=False)
    op.create_index(op.f("ix_launches_used_at"), "launches", ["used_at"], unique=False)
    op.create_table(
        "pending_launches",
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("state", name=op.f("pk_pending_launches")),
    )
    op.create_index(op.f("ix_pending_launches_created_at"), "pending_launches", ["created_at"], unique=False)
    op.create_table(
        "series_access",
        sa.Column("launch", sa.String(length=16), nullable=False),
        sa.Column("access", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("launch", "access", name=op.f("pk_series_access")),
    )


def downgrade() -> None:
    op.drop_table("series_access")
    op.drop_index(op.f("ix_pending_launches_created_at"), table_name="pending_launches")
    op.drop_table("pending_launches")
    op.drop_index(op.f("ix_launches_used_at"), table_name="launches")
    op.drop_index(op.f("ix_launches_browser"), table_name="launches")
    op.drop_table("launches")
    op.drop_index("ix_holding_studies_launch_study", table_name="holding_studies")
    op.drop_table("holding_studies")
    op.drop_table("holding_patients")
    op.drop_table("holding_checked")
    op.drop_table("holding_answers")
    op.drop_table("browsers")
    op.drop_index("ix_audit_records_subject", table_name="audit_records")
    op.drop_index("ix_audit_records_patient", table_name="audit_records")
    op.drop_index("ix_audit_records_at", table_name="audit_records")
    op.drop_table("audit_records")
    op.drop_table("audit_heads")
