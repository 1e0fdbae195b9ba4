"""When what a refusal permitted by exception was withdrawn, while the refusal stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # Dying here: one transaction, as 0007. What a refusal permitted by exception goes on, whatever was
    # withdrawn before: nobody can tell any more whether it was meant.
    op.add_column("consent", sa.Column("permissions_ended_at", sa.BigInteger(), nullable=True))
