"""Understands keys: sealing at rest, pseudonyms, and forgetting by destroying a key.

    master key (file) wraps -> person key (one per person) wraps -> data key (one per sealed thing)

Content is sealed with AES-256-GCM under a data key of its own. The data key lies next to it,
wrapped by the person's key (AES key wrap, RFC 3394); the person's key lies in the person's row,
wrapped by the master key. Deleting a wrapped data key makes one thing unreadable wherever its
ciphertext alone was copied to; deleting the person's wrapped key does so for the person. A backup of
the whole database that is older than the deletion still opens, but only with the key files.

Identity numbers never lie in clear outside the sealed part: `pseudonym` is a keyed HMAC-SHA256,
because a plain hash of eleven digits is searched in minutes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from hub.errors import Finding, HubError
from hub.message import Sealed

_KEY_BYTES = 32
_NONCE_BYTES = 12
_PADDED_TO = 1024  # ciphertext sizes come in classes, so that a row's size does not tell its content


@dataclass(frozen=True)
class Vault:
    """All key material of one installation. Its repr shows nothing."""

    master: bytes = field(repr=False)
    pseudonym_key: bytes = field(repr=False)
    log_key: Ed25519PrivateKey = field(repr=False)

    def new_person_key(self) -> bytes:
        """A fresh person key, wrapped by the master key: 40 bytes for the person's row."""
        return aes_key_wrap(self.master, secrets.token_bytes(_KEY_BYTES))

    @property
    def own_key(self) -> bytes:
        """The hub's own key, wrapped like a person's, for what is about no person."""
        return aes_key_wrap(self.master, hmac.new(self.master, b"own", hashlib.sha256).digest())

    def seal(self, person_key: bytes | None, content: bytes, bound_to: str) -> Sealed:
        """Seal `content` under a new data key. `bound_to` must be given again to open it, so a
        ciphertext moved to another row does not open there."""
        data_key = secrets.token_bytes(_KEY_BYTES)
        nonce = os.urandom(_NONCE_BYTES)
        ciphertext = AESGCM(data_key).encrypt(nonce, _pad(content), bound_to.encode())
        return Sealed(nonce + ciphertext, aes_key_wrap(self._unwrap(person_key), data_key))

    def open(self, person_key: bytes | None, sealed: Sealed, bound_to: str) -> bytes:
        """The content again, or `seal.key-destroyed` when a key on the way is gone."""
        try:
            data_key = aes_key_unwrap(self._unwrap(person_key), sealed.wrapped_key)
            nonce, body = sealed.ciphertext[:_NONCE_BYTES], sealed.ciphertext[_NONCE_BYTES:]
            return _unpad(AESGCM(data_key).decrypt(nonce, body, bound_to.encode()))
        except (InvalidUnwrap, InvalidTag, ValueError):
            raise HubError("seal.key-destroyed") from None

    def pseudonym(self, kind: str, value: str) -> str:
        """Keyed hash of an identifier, 64 hex digits. `kind` keeps different uses apart."""
        return hmac.new(self.pseudonym_key, f"{kind}\x00{value}".encode(), hashlib.sha256).hexdigest()

    def handle(self, identifier: str) -> str:
        """An id as the broker may see it: another one each time, and nobody else's to read."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self._handle_key).encrypt(nonce, identifier.encode(), b"handle")
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def read_handle(self, handle: str) -> str | None:
        """The id again, or None for what is not a handle of ours."""
        try:
            blob = base64.urlsafe_b64decode(handle)
            nonce, sealed = blob[:_NONCE_BYTES], blob[_NONCE_BYTES:]
            return AESGCM(self._handle_key).decrypt(nonce, sealed, b"handle").decode()
        except (ValueError, InvalidTag):
            return None

    @property
    def _handle_key(self) -> bytes:
        return hmac.new(self.pseudonym_key, b"handle", hashlib.sha256).digest()

    def digest(self, content: bytes) -> str:
        """Keyed hash of a body, to see whether two are the same without keeping either."""
        return hmac.new(self.pseudonym_key, b"content\x00" + content, hashlib.sha256).hexdigest()

    def _unwrap(self, person_key: bytes | None) -> bytes:
        if not person_key:
            raise HubError("seal.key-destroyed")
        try:
            return aes_key_unwrap(self.master, person_key)
        except (InvalidUnwrap, ValueError):
            raise HubError("seal.key-destroyed") from None


def _pad(content: bytes) -> bytes:
    body = len(content).to_bytes(8, "big") + content
    return body + b"\x00" * (-len(body) % _PADDED_TO)


def _unpad(padded: bytes) -> bytes:
    return padded[8 : 8 + int.from_bytes(padded[:8], "big")]


_FILES = ("master.key", "pseudonym.key", "log-signing.pem")


def create_keys(folder: Path) -> None:
    """Make the three key files, readable by the owner only. Refuses to touch existing ones."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    contents = (secrets.token_bytes(_KEY_BYTES), secrets.token_bytes(_KEY_BYTES), pem)
    for name, content in zip(_FILES, contents, strict=True):
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)


def open_vault(folder: Path) -> Vault:
    """Read the key files, or settings.invalid naming every file that is missing or unfit."""
    findings = [
        Finding(at=name, rule="key-file", expected="a key file of the right kind, mode 0600")
        for name in _FILES
        if not _fit(folder / name)
    ]
    if findings:
        raise HubError("settings.invalid", findings)
    master, pseudonym_key, pem = ((folder / name).read_bytes() for name in _FILES)
    try:
        log_key = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        log_key = None
    if not isinstance(log_key, Ed25519PrivateKey):
        raise HubError(
            "settings.invalid", [Finding(at=_FILES[2], rule="key-file", expected="an Ed25519 key")]
        )
    return Vault(master, pseudonym_key, log_key)


def _fit(path: Path) -> bool:
    if not path.is_file() or path.stat().st_mode & 0o077:
        return False
    return path.suffix == ".pem" or path.stat().st_size == _KEY_BYTES
