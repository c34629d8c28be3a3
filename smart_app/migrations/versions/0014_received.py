"""What was received, whose it is, and what the archive has of it"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('received_instances',
    sa.Column('item', sa.String(length=32), nullable=False),
    sa.Column('instance', sa.String(length=64), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('upload', sa.String(length=64), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('item', 'instance', 'sha256', name=op.f('pk_received_instances'))
    )
    op.create_index('ix_received_instances_upload', 'received_instances', ['upload'], unique=False)
    op.create_table('received_studies',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('scope', sa.String(length=80), nullable=False),
    sa.Column('request', sa.String(length=16), nullable=True),
    sa.Column('purpose', sa.String(length=12), nullable=False),
    sa.Column('study', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('standing', sa.String(length=12), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('urgent', sa.Boolean(), nullable=False),
    sa.Column('held', sa.Boolean(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('arrived_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('listed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_received_studies'))
    )
    op.create_index('ix_received_studies_expires', 'received_studies', ['expires_at'], unique=False)
    op.create_index('ix_received_studies_scope', 'received_studies', ['scope'], unique=False)
    op.create_index('ix_received_studies_work', 'received_studies', ['tenant', 'state'], unique=False)
    op.create_table('screened_uploads',
    sa.Column('upload', sa.String(length=64), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('upload', name=op.f('pk_screened_uploads'))
    )
    op.create_table('stored_objects',
    sa.Column('archive', sa.String(length=31), nullable=False),
    sa.Column('instance', sa.String(length=64), nullable=False),
    sa.Column('study', sa.String(length=64), nullable=False),
    sa.Column('item', sa.String(length=32), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('substance', sa.String(length=64), nullable=False),
    sa.Column('written', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('code', sa.Integer(), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('verified_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('archive', 'instance', name=op.f('pk_stored_objects'))
    )
    op.create_index(op.f('ix_stored_objects_item'), 'stored_objects', ['item'], unique=False)
    op.create_index('ix_stored_objects_study', 'stored_objects', ['archive', 'study'], unique=False)
    op.create_table('withdrawn_studies',
    sa.Column('archive', sa.String(length=31), nullable=False),
    sa.Column('study', sa.String(length=64), nullable=False),
    sa.Column('item', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('archive', 'study', name=op.f('pk_withdrawn_studies'))
    )
