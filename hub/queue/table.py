"""Understands the one table in which the embedded queue keeps its work."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table


def queue_table(metadata: MetaData) -> Table:
    """`queue_item` on the given metadata. Times are seconds since 1970 (UTC).

    `state` is `waiting` or `dead`. An item is leased while `leased_until` lies in the future; `lease`
    then tells whose, so that a settlement after the lease ran out does not touch another's.
    """
    return Table(
        "queue_item",
        metadata,
        Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
        Column("ref", String(100), nullable=False),
        Column("shard", Integer, nullable=False),
        Column("state", String(10), nullable=False),
        Column("created_at", Double, nullable=False),
        Column("available_at", Double, nullable=False),
        Column("leased_until", Double, nullable=False),
        Column("lease", String(40), nullable=False),
        Column("deliveries", Integer, nullable=False),
        Index("queue_item_next", "state", "shard", "id"),
        sqlite_autoincrement=True,
    )
