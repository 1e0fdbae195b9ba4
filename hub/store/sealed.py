"""Understands the two columns of a row that hold a document sealed: its ciphertext and its wrapped key. What
the document says, and whose key it is, is for the tables that have them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hub.message import Sealed
from hub.vault import Vault


def columns(
    vault: Vault, person_key: bytes | None, document: Mapping[str, Any], *, bound_to: str
) -> dict[str, bytes]:
    """The columns of a row for a document of JSON values. Raises seal.key-destroyed."""
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return body_columns(vault, person_key, body, bound_to=bound_to)


def body_columns(vault: Vault, person_key: bytes | None, body: bytes, *, bound_to: str) -> dict[str, bytes]:
    """The same for bytes as they are, readable or not. Raises seal.key-destroyed."""
    sealed = vault.seal(person_key, body, bound_to=bound_to)
    return {"ciphertext": sealed.ciphertext, "wrapped_key": sealed.wrapped_key}


def document(vault: Vault, person_key: bytes | None, row: Any, *, bound_to: str) -> Any:
    """What a row with these columns says. Raises seal.key-destroyed, and ValueError for what is no JSON."""
    return json.loads(vault.open(person_key, of(row), bound_to=bound_to))


def of(row: Any) -> Sealed:
    """What is sealed in a row; nothing opens it when a column is empty."""
    return Sealed(row.ciphertext or b"", row.wrapped_key or b"")
