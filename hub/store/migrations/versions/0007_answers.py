"""What a message answers and whether its sender owes another answer, and by whose answer something was
planned: so that an asker is told of an answer only what it was handed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # Dying here, between any two of these: all of it is one transaction, on both databases, so nothing has
    # changed and the next start begins anew (hub/store/engine.py, migrate).
    op.add_column("message", sa.Column("answers", sa.String(length=32), nullable=True))
    op.add_column("message", sa.Column("answer_no", sa.Integer(), nullable=True))
    op.add_column("message", sa.Column("owes_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_message_answers", "message", ["answers"])
    op.add_column("disclosure", sa.Column("because_of", sa.String(length=32), nullable=True))
    # By these each row is found at once: everybody waits until the upgrade is done. Both are made before
    # anything is updated, since PostgreSQL does not use an index made over rows changed in its transaction.
    op.create_index("upgrade_answered", "disclosure", ["recipient", "answered_at", "id"])
    op.create_index("upgrade_received", "message", ["received_at", "id"])
    # What was answered before: its answer came in at exactly that moment, and what an answer sent on was
    # made at the moment the answer came in, later than the message that it is of.
    op.execute(
        "UPDATE message SET answers = (SELECT max(d.id) FROM disclosure d"
        " WHERE d.recipient = message.sender AND d.answered_at = message.received_at)"
    )
    op.execute(
        "UPDATE disclosure SET because_of ="
        " (SELECT max(m.id) FROM message m WHERE m.received_at = disclosure.created_at)"
        " WHERE revision = 1 AND created_at <>"
        " (SELECT o.received_at FROM message o WHERE o.id = disclosure.message_id)"
    )
    op.drop_index("upgrade_answered", "disclosure")
    op.drop_index("upgrade_received", "message")
