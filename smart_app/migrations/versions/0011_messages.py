"""Messages that left, and what rules did"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('follow_ups',
    sa.Column('request', sa.String(length=16), nullable=False),
    sa.Column('step', sa.String(length=8), nullable=False),
    sa.Column('slot', sa.String(length=16), nullable=False),
    sa.Column('rule', sa.String(length=32), nullable=False),
    sa.Column('since', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('request', 'step', 'slot', name=op.f('pk_follow_ups'))
    )
    op.create_table('outgoing_messages',
    sa.Column('key', sa.String(length=160), nullable=False),
    sa.Column('request', sa.String(length=16), nullable=False),
    sa.Column('letter', sa.String(length=12), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('handings', sa.Integer(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(length=64), nullable=False),
    sa.Column('prepared_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('handed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('accepted_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_outgoing_messages'))
    )
    op.create_index('ix_outgoing_messages_request', 'outgoing_messages', ['request'], unique=False)
