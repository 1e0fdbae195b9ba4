"""Records made for one message whose patient was described, and not for an identity number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # Dying here: one transaction, as 0007. Every record there is was made for a number, also those whose
    # number leads nowhere any more because they are forgotten.
    op.add_column("person", sa.Column("numbered", sa.Boolean(), nullable=False, server_default=sa.true()))
