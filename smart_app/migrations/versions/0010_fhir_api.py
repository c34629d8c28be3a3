"""Tokens and assertions of registered clients, and copies of requests on other FHIR servers."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('api_assertions',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_api_assertions'))
    )
    op.create_index(op.f('ix_api_assertions_until'), 'api_assertions', ['until'], unique=False)
    op.create_table('api_tokens',
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('client_id', sa.String(length=200), nullable=False),
    sa.Column('scopes', sa.Text(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_api_tokens'))
    )
    op.create_index(op.f('ix_api_tokens_expires_at'), 'api_tokens', ['expires_at'], unique=False)
    op.create_table('fhir_copies',
    sa.Column('place', sa.String(length=40), nullable=False),
    sa.Column('request', sa.String(length=16), nullable=False),
    sa.Column('asking', sa.Integer(), nullable=False),
    sa.Column('order_id', sa.String(length=64), nullable=False),
    sa.Column('task_id', sa.String(length=64), nullable=False),
    sa.Column('told', sa.Integer(), nullable=False),
    sa.Column('heard', sa.String(length=20), nullable=False),
    sa.Column('silent_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('began_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('place', 'request', 'asking', name=op.f('pk_fhir_copies'))
    )
