"""Understands the tables. It knows no rule of the hub beyond what a row may hold.

No table holds an identity number, a word from a message or a name in clear, but for the names of those
who answer for a policy row. Times are microseconds since 1970 UTC, the same on SQLite and PostgreSQL.
Changes go through `migrations/`; a test compares what they build with what stands here.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    true,
)

from hub.queue.table import queue_table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 250_000_000_000_000_000  # microseconds; the year 9892


def microseconds(at: datetime) -> int:
    """Since 1970 UTC, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(count: int) -> datetime:
    """The other way; anything beyond the calendar is its end."""
    return _EPOCH + timedelta(microseconds=min(count, _LAST))


class Instant(TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970 UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else instant(int(value))


metadata = MetaData()

_SERIAL = BigInteger().with_variant(Integer, "sqlite")

person = Table(
    "person",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("epoch", Integer, nullable=False, default=0),  # raised by every consent or link change
    Column("wrapped_key", LargeBinary),  # NULL: the person is forgotten
    Column("protected_address", Boolean, nullable=False, default=False),
    Column("deceased", Boolean, nullable=False, default=False),
    Column("release_asked_by", String(64)),  # pseudonym of who asked to lift the above; another must agree
    # False: made for one message whose patient was described; no number leads here
    Column("numbered", Boolean, nullable=False, server_default=true()),
    Column("created_at", Instant, nullable=False),
)

identifier = Table(
    "identifier",
    metadata,
    Column("pseudonym", String(64), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
)

person_link = Table(
    "person_link",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("left_id", ForeignKey("person.id"), nullable=False, index=True),  # the lesser of the two ids
    Column("right_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("merge", Boolean, nullable=False),  # two records of one person, not two numbers of one person
    Column("confirmed", Boolean, nullable=False),
    Column("said_by", String(64), nullable=False),  # pseudonym; the name is sealed in the audit leaf
    Column("known_from", Instant, nullable=False),
    Column("known_to", Instant),  # NULL: as it stands; otherwise the next row, or nothing, took over
)

kept_refusal = Table(
    "kept_refusal",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),  # who keeps it
    Column("consent_id", String(32), nullable=False),  # the document it is a copy of
    Column("from_person", String(32), nullable=False),  # for whom that was recorded
    Column("series", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("kept_at", Instant, nullable=False),
    Column("withdrawn_at", Instant),
    Column("permissions_ended_at", Instant),  # as it was of the document when it was copied
    Column("ciphertext", LargeBinary),
    Column("wrapped_key", LargeBinary),
    UniqueConstraint("person_id", "consent_id"),
)

message = Table(
    "message",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("sender", String(9), nullable=False),
    Column("sender_key", String(64), nullable=False),  # pseudonym of the sender's own message id
    Column("content", String(64), nullable=False),  # keyed digest: the same id must bring the same
    Column("type", String(60), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("series", String(64)),  # pseudonym; newer versions of a series replace older ones
    Column("version", BigInteger),
    Column("superseded", Boolean, nullable=False, default=False),
    Column("received_at", Instant, nullable=False),
    Column("ciphertext", LargeBinary),
    Column("wrapped_key", LargeBinary),
    Column("head", LargeBinary),  # how its sender knows it, sealed; stays when its content is destroyed
    Column("head_key", LargeBinary),
    Column("answers", String(32), index=True),  # the disclosure that its sender answers with it
    Column("answer_no", Integer),  # the first answer to it, the second, ... in the order they were taken in
    Column("owes_at", Instant),  # when the next answer is due that this one promises; NULL: none
    UniqueConstraint("sender", "sender_key"),
    Index("message_series", "series", "version"),
)

disclosure = Table(
    "disclosure",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("message_id", ForeignKey("message.id"), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False),
    Column("agreement", String(80), nullable=False),
    Column("recipient", String(9), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("place", BigInteger, nullable=False),  # order among what the recipient gets on the person
    Column("state", String(10), nullable=False),
    Column("outcome", String(10)),
    Column("code", String(40)),
    Column("attempts", Integer, nullable=False, default=0),
    Column("permitted", String(64)),  # keyed digest of the set of permitted paths
    Column("adapter", String(60)),
    Column("ciphertext", LargeBinary),  # the rendering, sealed
    Column("wrapped_key", LargeBinary),
    Column("sent", LargeBinary),  # paths an earlier revision delivered, sealed
    Column("sent_key", LargeBinary),
    Column("consents", Text),  # ids of the consents the hand-over rested on, space between
    Column("tried", LargeBinary),  # paths that an attempt of unknown outcome carried, sealed
    Column("tried_key", LargeBinary),
    Column("uncertain_at", Instant),  # since then the recipient may have it without our knowing
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),  # QUEUED: next attempt; WAITING: give up
    Column("offered_at", Instant),
    Column("handed_over_at", Instant),
    Column("acknowledged_at", Instant),
    Column("answer_due_at", Instant),
    Column("answered_at", Instant),
    Column("because_of", String(32)),  # the answer without which it would not have been planned
    UniqueConstraint("message_id", "agreement", "recipient", "revision"),
    Index("disclosure_order", "person_id", "recipient", "place"),
    Index("disclosure_state", "state", "due_at"),
    Index("disclosure_inbox", "recipient", "state", "offered_at"),
)

consent = Table(
    "consent",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("series", String(64), nullable=False),  # pseudonym of the consent document's own id
    Column("version", Integer, nullable=False),
    Column("recorded_by", String(9), nullable=False),
    Column("recorded_at", Instant, nullable=False),  # known from
    Column("withdrawn_at", Instant),
    Column("permissions_ended_at", Instant),  # of a refusal: what its exceptions permitted is withdrawn
    Column("ciphertext", LargeBinary),
    Column("wrapped_key", LargeBinary),
    UniqueConstraint("person_id", "series", "version"),
)

information_request = Table(
    "information_request",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("series", String(64), nullable=False),  # pseudonym of the asker's own reference
    Column("version", Integer, nullable=False),
    Column("recorded_at", Instant, nullable=False),  # known from
    Column("ended_at", Instant),
    Column("ciphertext", LargeBinary, nullable=False),  # who asked whom for what, and who wrote it down
    Column("wrapped_key", LargeBinary),
    UniqueConstraint("person_id", "series", "version"),
)

registered_gp = Table(
    "registered_gp",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("recorded_at", Instant, nullable=False),  # known from
    Column("ciphertext", LargeBinary, nullable=False),  # which agency, from when to when, who says so
    Column("wrapped_key", LargeBinary),
)

hold_entry = Table(
    "hold_entry",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("disclosure_id", ForeignKey("disclosure.id"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),  # who, what and why, sealed
    Column("wrapped_key", LargeBinary),
    sqlite_autoincrement=True,  # a confirmation names the id it confirms
)

audit_leaf = Table(
    "audit_leaf",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("position", BigInteger, unique=True),  # NULL until it stands in the tree
    Column("public", Text, nullable=False),  # canonical JSON; the tree's leaf is made of it
    Column("person_id", String(32), nullable=False),
    Column("disclosure_id", String(32), index=True),
    Column("ciphertext", LargeBinary, nullable=False),  # salt and private part, sealed
    Column("wrapped_key", LargeBinary),
    sqlite_autoincrement=True,  # an id is never used twice
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True),
    Column("frontier", Text, nullable=False),  # roots of the full subtrees, left to right, hex
    Column("note", Text, nullable=False),  # signed checkpoint
    Column("at", Instant, nullable=False),
)

policy_step = Table(
    "policy_step",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("flow", String(8), nullable=False),
    Column("did", String(10), nullable=False),
    Column("digest", String(64), nullable=False),  # of the rows it was done about
    Column("by", Text, nullable=False),  # who answers for it, by name: to be shown to everybody
    Column("document", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

queue_item = queue_table(metadata)
