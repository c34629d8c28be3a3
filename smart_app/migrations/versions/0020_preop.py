"""The pre-op board: what launches have read, what teams said; launches derived from another"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("launches", sa.Column("parent", sa.String(64), nullable=True))
    op.create_index(op.f("ix_launches_parent"), "launches", ["parent"])
    op.create_table('preop_kept',
    sa.Column('launch', sa.String(length=64), nullable=False),
    sa.Column('what', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('launch', 'what', name=op.f('pk_preop_kept'))
    )
    op.create_index(op.f('ix_preop_kept_read_at'), 'preop_kept', ['read_at'], unique=False)
    op.create_table('preop_notes',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_preop_notes'))
    )
    op.create_index(op.f('ix_preop_notes_at'), 'preop_notes', ['at'], unique=False)
    op.create_index(op.f('ix_preop_notes_subject'), 'preop_notes', ['subject'], unique=False)
