"""Understands the audit log: one leaf per decision, hand-over and consent change, in the same
transaction as the thing it proves.

A leaf has a public part (kind, time, commitment) that goes into the tree, and a private part (who,
to whom, on what ground, which fields) that is sealed under the person's key. The commitment is
SHA-256 over a random salt and the private part: when the person's key is destroyed the tree stands
and the person is forgotten. No part holds a value, a name or an identity number.

Leaves enter the tree in batches (`integrate`), each with a signed checkpoint in the C2SP
tlog-checkpoint format. Dying between a commit and the next batch leaves leaves without a position;
the next batch takes them in.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, insert, select, update

from hub.audit import tree
from hub.message import Sealed
from hub.store.engine import Store
from hub.store.schema import audit_checkpoint, audit_leaf
from hub.vault import Vault

ORIGIN = "brobygger.audit"
_BATCH = 5_000
_LEAF = insert(audit_leaf)


class Kind(StrEnum):
    """What a leaf proves."""

    DECISION = "decision"
    HAND_OVER = "hand-over"
    RECEIPT = "receipt"
    CONSENT = "consent"
    WITHDRAWAL = "withdrawal"
    OPERATOR = "operator"
    POLICY = "policy"
    PREVIEW = "preview"
    READ = "read"  # somebody is about to see held content
    HOLD = "hold"  # somebody at the desk answered a hold
    IDENTITY = "identity"
    REQUEST = "request"  # an agency's request for information was recorded, or ended
    LENIENT = "lenient"  # a message was read although it breaks its format in a way that changes nothing


@dataclass(frozen=True)
class Person:
    """What the log needs of a person: the opaque id and the wrapped key."""

    id: str
    key: bytes | None


def nobody(vault: Vault) -> Person:
    """For a leaf that is about no person: sealed under a key of the hub's own, which is never destroyed."""
    return Person("", vault.own_key)


def canonical(value: Mapping[str, Any]) -> str:
    """RFC 8785 for what we write: strings, integers, booleans, lists, objects with ASCII names."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def commitment(salt: str, private: str) -> str:
    return sha256(f"{salt}\n{private}".encode()).hexdigest()


def append(
    tx: Connection,
    vault: Vault,
    person: Person,
    kind: Kind,
    at: datetime,
    private: Mapping[str, Any],
    *,
    disclosure: str | None = None,
) -> None:
    """Write one leaf in the caller's transaction: no commit without its leaf, no leaf without it."""
    body = canonical({**private, "person": person.id, "disclosure": disclosure or ""})
    salt = secrets.token_hex(16)
    public = canonical(
        {
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "commitment": commitment(salt, body),
            "kind": kind.value,
            "v": 1,
        }
    )
    sealed = vault.seal(person.key, f"{salt}\n{body}".encode(), bound_to=public)
    tx.execute(
        _LEAF,
        {
            "public": public,
            "person_id": person.id,
            "disclosure_id": disclosure,
            "ciphertext": sealed.ciphertext,
            "wrapped_key": sealed.wrapped_key,
        },
    )


def open_private(vault: Vault, key: bytes | None, row: Any) -> dict[str, Any]:
    """The private part of a leaf row, checked against its commitment.

    Raises seal.key-destroyed when the person is forgotten, ValueError when it does not match.
    """
    sealed = Sealed(row.ciphertext, row.wrapped_key or b"")
    salt, _, body = vault.open(key, sealed, bound_to=row.public).decode().partition("\n")
    if commitment(salt, body) != json.loads(row.public)["commitment"]:
        raise ValueError("commitment")
    private: dict[str, Any] = json.loads(body)
    return private


def kind_of(row: Any) -> Kind:
    return Kind(json.loads(row.public)["kind"])


def time_of(row: Any) -> datetime:
    return datetime.fromisoformat(json.loads(row.public)["at"])


def integrate(store: Store, vault: Vault, now: datetime) -> int:
    """Give the leaves that have no position one, and sign the new root. Returns how many."""
    with store.gate("audit-tree"), store.writing() as tx:
        fresh = tx.execute(
            select(audit_leaf.c.id, audit_leaf.c.public)
            .where(audit_leaf.c.position.is_(None))
            .order_by(audit_leaf.c.id)
            .limit(_BATCH)
        ).all()
        if not fresh:
            return 0
        last = tx.execute(
            select(audit_checkpoint.c.size, audit_checkpoint.c.frontier)
            .order_by(audit_checkpoint.c.size.desc())
            .limit(1)
        ).first()
        size = last.size if last else 0
        frontier = [bytes.fromhex(node) for node in last.frontier.split()] if last else []
        for leaf in fresh:
            frontier = tree.grow(frontier, size, tree.leaf_hash(leaf.public.encode()))
            tx.execute(update(audit_leaf).where(audit_leaf.c.id == leaf.id).values(position=size))
            size += 1
        tx.execute(
            insert(audit_checkpoint).values(
                size=size,
                frontier=" ".join(node.hex() for node in frontier),
                note=sign(vault.log_key, size, tree.root(frontier)),
                at=now,
            )
        )
    return len(fresh)


def sign(key: Ed25519PrivateKey, size: int, root: bytes) -> str:
    """A C2SP signed-note checkpoint: origin, size, root, blank line, signature line."""
    body = f"{ORIGIN}\n{size}\n{base64.b64encode(root).decode()}\n"
    signature = _key_id(key.public_key()) + key.sign(body.encode())
    return f"{body}\n— {ORIGIN} {base64.b64encode(signature).decode()}\n"


def read_note(note: str, key: Ed25519PublicKey) -> tuple[int, bytes] | None:
    """Size and root of a checkpoint whose signature is good, else None."""
    body, separator, signature_line = note.partition("\n\n")
    lines = body.split("\n")
    words = signature_line.strip().split(" ")
    if not separator or len(lines) != 3 or lines[0] != ORIGIN or len(words) != 3:
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
        size, root = int(lines[1]), base64.b64decode(lines[2], validate=True)
        if words[0] != "—" or words[1] != ORIGIN or blob[:4] != _key_id(key):
            return None
        key.verify(blob[4:], f"{body}\n".encode())
    except (ValueError, InvalidSignature):
        return None
    return size, root


def _key_id(key: Ed25519PublicKey) -> bytes:
    return sha256(ORIGIN.encode() + b"\n\x01" + key.public_bytes_raw()).digest()[:4]
