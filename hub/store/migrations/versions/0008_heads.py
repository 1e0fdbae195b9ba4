"""How its sender knows a message: said back to it in a receipt, also when the content is destroyed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # Dying here: one transaction, as 0007. Older messages have none, and are said back by the hub's own id.
    op.add_column("message", sa.Column("head", sa.LargeBinary(), nullable=True))
    op.add_column("message", sa.Column("head_key", sa.LargeBinary(), nullable=True))
