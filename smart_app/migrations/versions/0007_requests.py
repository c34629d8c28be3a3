"""Requests for images, and who may be asked"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('facilities',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint("id", "tenant", name=op.f('pk_facilities'))
    )
    op.create_table('image_requests',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=16), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('live_key', sa.String(length=64), nullable=True),
    sa.Column('case_id', sa.String(length=16), nullable=False),
    sa.Column('facility', sa.String(length=40), nullable=True),
    sa.Column('route', sa.String(length=12), nullable=False),
    sa.Column('urgency', sa.String(length=12), nullable=False),
    sa.Column('anchor', sa.String(length=64), nullable=False),
    sa.Column('needed_by', sa.DateTime(timezone=True), nullable=True),
    sa.Column('owner', sa.String(length=64), nullable=False),
    sa.Column('reminded', sa.Integer(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_image_requests')),
    sa.UniqueConstraint('live_key', name=op.f('uq_image_requests_live_key'))
    )
    op.create_index('ix_image_requests_anchor', 'image_requests', ['anchor'], unique=False)
    op.create_index('ix_image_requests_subject', 'image_requests', ['subject'], unique=False)
    op.create_index('ix_image_requests_work', 'image_requests', ['tenant', 'state', 'needed_by'], unique=False)
    op.create_table('request_events',
    sa.Column('request', sa.String(length=16), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('party', sa.String(length=12), nullable=False),
    sa.Column('action', sa.String(length=16), nullable=False),
    sa.Column('before', sa.String(length=16), nullable=False),
    sa.Column('after', sa.String(length=16), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('request', 'sequence', name=op.f('pk_request_events'))
    )
    op.create_index(op.f('ix_request_events_at'), 'request_events', ['at'], unique=False)
