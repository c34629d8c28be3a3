"""Links, what comes in by them, and who offers to send"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('links',
    sa.Column('id', sa.String(length=24), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('purpose', sa.String(length=12), nullable=False),
    sa.Column('request', sa.String(length=16), nullable=True),
    sa.Column('nonce', sa.LargeBinary(), nullable=False),
    sa.Column('key_id', sa.String(length=64), nullable=False),
    sa.Column('token', sa.String(length=64), nullable=False),
    sa.Column('about', sa.LargeBinary(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended', sa.String(length=12), nullable=False),
    sa.Column('wrong', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_links')),
    sa.UniqueConstraint('token', name=op.f('uq_links_token'))
    )
    op.create_index(op.f('ix_links_request'), 'links', ['request'], unique=False)
    op.create_table('offers',
    sa.Column('id', sa.String(length=16), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('link', sa.String(length=24), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_offers'))
    )
    op.create_index('ix_offers_state', 'offers', ['tenant', 'state', 'made_at'], unique=False)
    op.create_table('upload_files',
    sa.Column('upload', sa.String(length=24), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('identity', sa.String(length=64), nullable=False),
    sa.Column('id', sa.String(length=24), nullable=False),
    sa.Column('name', sa.LargeBinary(), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('held', sa.BigInteger(), nullable=False),
    sa.Column('announced', sa.String(length=64), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('left_out', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('upload', 'number', name=op.f('pk_upload_files')),
    sa.UniqueConstraint('id', name=op.f('uq_upload_files_id')),
    sa.UniqueConstraint('upload', 'identity', name=op.f('uq_upload_files_upload'))
    )
    op.create_table('uploads',
    sa.Column('id', sa.String(length=24), nullable=False),
    sa.Column('tenant', sa.String(length=64), nullable=False),
    sa.Column('link', sa.String(length=24), nullable=False),
    sa.Column('open_link', sa.String(length=24), nullable=True),
    sa.Column('purpose', sa.String(length=12), nullable=False),
    sa.Column('request', sa.String(length=16), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('sender', sa.LargeBinary(), nullable=False),
    sa.Column('begun_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('active_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_uploads')),
    sa.UniqueConstraint('open_link', name=op.f('uq_uploads_open_link'))
    )
    op.create_index(op.f('ix_uploads_link'), 'uploads', ['link'], unique=False)
    op.create_index(op.f('ix_uploads_request'), 'uploads', ['request'], unique=False)
    op.create_index('ix_uploads_state', 'uploads', ['state', 'active_at'], unique=False)
