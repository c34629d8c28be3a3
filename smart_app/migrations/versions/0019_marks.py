"""Marks of a person on a study, and reports of them for the archive"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('mark_reports',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('marks', sa.String(length=64), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('patient', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_mark_reports'))
    )
    op.create_index(op.f('ix_mark_reports_patient'), 'mark_reports', ['patient'], unique=False)
    op.create_index('uq_mark_reports_marks_version', 'mark_reports', ['marks', 'version'], unique=True)
    op.create_table('marks',
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('patient', sa.String(length=64), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('saved_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_marks'))
    )
    op.create_index(op.f('ix_marks_patient'), 'marks', ['patient'], unique=False)
    op.create_index(op.f('ix_marks_saved_at'), 'marks', ['saved_at'], unique=False)
