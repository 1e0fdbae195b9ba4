"""Keys: what is sealed opens with the right keys, for the right row, and not otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.errors import HubError
from hub.message import Sealed
from hub.vault import Vault, create_keys, open_vault

CONTENT = b"kanari-hemmelig"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    create_keys(tmp_path / "keys")
    return tmp_path / "keys"


@pytest.fixture
def vault(keys: Path) -> Vault:
    return open_vault(keys)


def refused_open(vault: Vault, key: bytes | None, sealed: Sealed, bound_to: str = "row 1") -> bool:
    with pytest.raises(HubError) as refused:
        vault.open(key, sealed, bound_to)
    assert refused.value.findings == ()
    return refused.value.code == "seal.key-destroyed"


def test_what_is_sealed_opens_again(vault: Vault) -> None:
    key = vault.new_person_key()
    for content in (b"", b"x", bytes(range(256)) * 40, b"\x00" * 1016, b"\x00" * 1017):
        assert vault.open(key, vault.seal(key, content, "row 1"), "row 1") == content


def test_a_ciphertext_does_not_open_in_another_row(vault: Vault) -> None:
    key = vault.new_person_key()
    assert refused_open(vault, key, vault.seal(key, CONTENT, "row 1"), "row 2")


def test_a_ciphertext_does_not_open_for_another_person(vault: Vault) -> None:
    sealed = vault.seal(vault.new_person_key(), CONTENT, "row 1")
    assert refused_open(vault, vault.new_person_key(), sealed)


def test_without_the_data_key_nothing_opens(vault: Vault) -> None:
    key = vault.new_person_key()
    sealed = vault.seal(key, CONTENT, "row 1")
    assert refused_open(vault, key, replace(sealed, wrapped_key=b""))


def test_without_the_person_key_nothing_opens_and_nothing_is_sealed(vault: Vault) -> None:
    sealed = vault.seal(vault.new_person_key(), CONTENT, "row 1")
    for gone in (None, b""):
        assert refused_open(vault, gone, sealed)
        with pytest.raises(HubError) as refused:
            vault.seal(gone, CONTENT, "row 1")
        assert refused.value.code == "seal.key-destroyed"


def test_another_master_key_opens_nothing(vault: Vault, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    key = vault.new_person_key()
    assert refused_open(open_vault(tmp_path / "other"), key, vault.seal(key, CONTENT, "row 1"))


@pytest.mark.parametrize("at", [0, 5, 12, 40, -1])
def test_one_flipped_bit_is_enough(vault: Vault, at: int) -> None:
    key = vault.new_person_key()
    sealed = vault.seal(key, CONTENT, "row 1")
    flipped = bytearray(sealed.ciphertext)
    flipped[at] ^= 1
    assert refused_open(vault, key, replace(sealed, ciphertext=bytes(flipped)))
    wrapped = bytearray(sealed.wrapped_key)
    wrapped[min(at, 39)] ^= 1
    assert refused_open(vault, key, replace(sealed, wrapped_key=bytes(wrapped)))


def test_the_same_content_is_never_sealed_the_same_way(vault: Vault) -> None:
    key = vault.new_person_key()
    one, two = vault.seal(key, CONTENT, "row 1"), vault.seal(key, CONTENT, "row 1")
    assert one.ciphertext != two.ciphertext
    assert one.wrapped_key != two.wrapped_key


def test_sizes_come_in_classes(vault: Vault) -> None:
    key = vault.new_person_key()
    sizes = {len(vault.seal(key, b"x" * length, "row 1").ciphertext) for length in range(0, 1017, 8)}
    assert len(sizes) == 1
    assert len(vault.seal(key, b"x" * 1017, "row 1").ciphertext) == sizes.pop() + 1024


def test_pseudonyms_of_different_kinds_do_not_meet(vault: Vault, tmp_path: Path) -> None:
    assert vault.pseudonym("person", "1") == vault.pseudonym("person", "1")
    assert vault.pseudonym("person", "1") != vault.pseudonym("message", "1")
    create_keys(tmp_path / "other")
    assert vault.pseudonym("person", "1") != open_vault(tmp_path / "other").pseudonym("person", "1")


def test_nothing_of_a_vault_or_of_what_is_sealed_is_shown(vault: Vault) -> None:
    sealed = vault.seal(vault.new_person_key(), CONTENT, "row 1")
    shown = repr(vault) + repr(sealed)
    assert vault.master.hex() not in shown
    assert repr(vault.master) not in shown
    assert repr(sealed.ciphertext) not in shown
    assert repr(vault.pseudonym_key) not in shown


def test_key_files_are_for_their_owner_only(keys: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}
    assert keys.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["master.key", "pseudonym.key", "log-signing.pem"])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_a_key_file_that_others_can_reach_is_refused(keys: Path, name: str, mode: int) -> None:
    (keys / name).chmod(mode)
    with pytest.raises(HubError) as refused:
        open_vault(keys)
    assert refused.value.code == "settings.invalid"
    assert [finding.at for finding in refused.value.findings] == [name]


def test_every_missing_key_file_is_named_at_once(keys: Path) -> None:
    for path in keys.iterdir():
        path.unlink()
    with pytest.raises(HubError) as refused:
        open_vault(keys)
    assert len(refused.value.findings) == 3


def _elliptic() -> bytes:
    key = generate_private_key(SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("master.key", b"short"),
        ("master.key", b""),
        ("pseudonym.key", b"x" * 33),
        ("log-signing.pem", b"not a key"),
        ("log-signing.pem", b""),
        ("log-signing.pem", _elliptic()),
    ],
)
def test_a_key_file_with_something_else_in_it_is_refused(keys: Path, name: str, content: bytes) -> None:
    (keys / name).write_bytes(content)
    with pytest.raises(HubError) as refused:
        open_vault(keys)
    assert refused.value.code == "settings.invalid"
    assert [finding.at for finding in refused.value.findings] == [name]


def test_existing_keys_are_never_overwritten(keys: Path) -> None:
    before = (keys / "master.key").read_bytes()
    with pytest.raises(FileExistsError):
        create_keys(keys)
    assert (keys / "master.key").read_bytes() == before
