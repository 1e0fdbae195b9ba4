"""When what a refusal permitted by exception was withdrawn, also in the copies that an ended link left."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # Dying here: one transaction, as 0007. A copy is as narrow as its document was when the link ended, so
    # one whose document was narrowed later is not.
    op.add_column("kept_refusal", sa.Column("permissions_ended_at", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE kept_refusal SET permissions_ended_at = (SELECT c.permissions_ended_at FROM consent c"
        " WHERE c.id = kept_refusal.consent_id AND c.permissions_ended_at <= kept_refusal.kept_at)"
    )
