"""Identity: links between persons and their history, refusals kept after a split, deceased persons; and
what a recipient may have got without our knowing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    # Not in a batch: that makes the table anew, and SQLite drops none that others refer to.
    op.add_column("person", sa.Column("deceased", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("person", sa.Column("release_asked_by", sa.String(length=64), nullable=True))
    op.add_column("disclosure", sa.Column("tried", sa.LargeBinary(), nullable=True))
    op.add_column("disclosure", sa.Column("tried_key", sa.LargeBinary(), nullable=True))
    op.add_column("disclosure", sa.Column("uncertain_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "person_link",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("left_id", sa.String(length=32), nullable=False),
        sa.Column("right_id", sa.String(length=32), nullable=False),
        sa.Column("merge", sa.Boolean(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("said_by", sa.String(length=64), nullable=False),
        sa.Column("known_from", sa.BigInteger(), nullable=False),
        sa.Column("known_to", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["left_id"], ["person.id"]),
        sa.ForeignKeyConstraint(["right_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_person_link_left_id", "person_link", ["left_id"], unique=False)
    op.create_index("ix_person_link_right_id", "person_link", ["right_id"], unique=False)
    op.create_table(
        "kept_refusal",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.String(length=32), nullable=False),
        sa.Column("consent_id", sa.String(length=32), nullable=False),
        sa.Column("from_person", sa.String(length=32), nullable=False),
        sa.Column("series", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=True),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("person_id", "consent_id"),
    )
    op.create_index("ix_kept_refusal_person_id", "kept_refusal", ["person_id"], unique=False)
