"""Where a facility was written from; requests found by when they were closed, and by case"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("facilities", sa.Column("seed", sa.String(length=64), nullable=False, server_default=""))
    op.create_index("ix_image_requests_closed", "image_requests", ["tenant", "closed_at"], unique=False)
    op.create_index("ix_image_requests_case", "image_requests", ["case_id"], unique=False)
