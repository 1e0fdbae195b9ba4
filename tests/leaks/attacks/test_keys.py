"""Copies that outlive: attack 46. What is destroyed in the store is destroyed in its files, and no copy is
readable without the key files, which lie elsewhere.
"""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.errors import HubError
from hub.message import Sealed
from hub.parts import Parts
from hub.rows import open_rendering
from hub.store import people
from hub.store.engine import Store
from hub.store.schema import consent, disclosure, message, person
from hub.vault import create_keys, open_vault
from tests.leaks import messages as m
from tests.leaks.attacking import accepted, agree, bare_brik, got, post_brik, withdraw
from tests.leaks.lab import Lab
from tests.servers import PostgreSQL

ROOT = Path(__file__).parents[3]


def _copy(lab: Lab, folder: Path) -> Store:
    """A backup as an operator makes one: the database with its side files, while it runs."""
    folder.mkdir()
    for file in lab.folder.glob("bro.sqlite*"):
        if file.is_file():
            shutil.copy(file, folder / file.name)
    return Store(f"sqlite:///{folder}/bro.sqlite")


def _sealed(store: Store) -> Iterator[tuple[str, bytes | None, bytes, bytes]]:
    """Everything sealed in a store: what it is bound to, the person's key, ciphertext, wrapped key."""
    with store.reading() as view:
        keys = {row.id: row.wrapped_key for row in view.execute(person.select())}
        for row in view.execute(disclosure.select()):
            if row.wrapped_key:
                yield f"rendering {row.id}", keys[row.person_id], row.ciphertext, row.wrapped_key
        for table, kind in ((message, "message"), (consent, "consent")):
            for row in view.execute(table.select()):
                if row.wrapped_key:
                    yield f"{kind} {row.id}", keys[row.person_id], row.ciphertext, row.wrapped_key


def test_a_backup_without_the_key_files_opens_nothing(lab: Lab, tmp_path: Path) -> None:
    """Attack 46: whoever has the backup and makes keys of their own."""
    agree(lab, "nav", "tsb")
    accepted(post_brik(lab, bare_brik()))
    lab.work_off()
    create_keys(tmp_path / "keys")
    stranger = open_vault(tmp_path / "keys")
    backup = _copy(lab, tmp_path / "backup")
    sealed = list(_sealed(backup))
    assert len(sealed) > 3
    for bound_to, key, ciphertext, wrapped in sealed:
        with pytest.raises(HubError):
            stranger.open(key, Sealed(ciphertext, wrapped), bound_to)
    backup.close()


def _bytes_on_disk(lab: Lab) -> bytes:
    with sqlite3.connect(lab.folder / "bro.sqlite") as direct:
        direct.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    direct.close()
    return b"".join(file.read_bytes() for file in lab.folder.glob("bro.sqlite*") if file.is_file())


@pytest.mark.parametrize("how", ["withdrawn", "acknowledged"])
def test_a_destroyed_key_is_in_no_page_of_the_file(lab: Lab, how: str) -> None:
    """Attack 46: free pages and the write-ahead log keep what was deleted, unless they are made not to."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    lab.work_off()
    with lab.parts.store.reading() as view:
        keys = [row.wrapped_key for row in view.execute(disclosure.select()) if row.wrapped_key]
    assert keys
    if how == "withdrawn":
        withdraw(lab, m.to_nav())
    lab.settle()
    lab.parts.store.close()
    kept = _bytes_on_disk(lab)
    assert [key for key in keys if key in kept] == []


def test_after_a_withdrawal_the_live_store_cannot_open_what_was_made_under_it(lab: Lab) -> None:
    """Attack 46: the ciphertext put back from a backup finds no key."""
    agree(lab, "nav")
    accepted(post_brik(lab, bare_brik()))
    lab.work_off()
    with lab.parts.store.reading() as view:
        row = next(r for r in view.execute(disclosure.select()) if r.wrapped_key)
        old = dict(row._mapping)
    withdraw(lab, m.to_nav())
    lab.settle()
    with lab.parts.store.writing() as tx:
        tx.execute(
            disclosure.update().where(disclosure.c.id == old["id"]).values(ciphertext=old["ciphertext"])
        )
    with lab.parts.store.reading() as view:
        owner = people.load(view, old["person_id"])
        with pytest.raises(HubError):
            open_rendering(lab.parts, owner, old["id"], Sealed(old["ciphertext"], b""))
    assert got(lab, "nav") == []


def test_on_postgresql_no_payload_and_no_number_stands_in_the_files_of_the_server(
    first: Parts, tmp_path: Path, postgres: PostgreSQL
) -> None:
    """Attack 46: tables, write-ahead log and temporary files, searched as they lie."""
    mark = "kanarikopi"
    with Lab(first, tmp_path, postgres.fresh_database()) as lab:
        lab.step("attack")
        agree(lab, "nav", "tsb")
        fields = bare_brik()
        fields["rus"]["merknad"] = f"Ber om avrusning, {mark}."
        accepted(post_brik(lab, fields))
        lab.settle()
        with lab.parts.store.engine.begin() as tx:
            tx.execute(text("SELECT pg_switch_wal()"))
    assert mark.encode() in b"".join(got(lab, "tsb"))
    files = [file for file in postgres._folder.rglob("*") if file.is_file()]
    assert len(files) > 100
    for file in files:
        try:
            data = file.read_bytes()
        except FileNotFoundError:
            continue  # the server lives, and takes away what it needs no more
        assert mark.encode() not in data, file.name
        assert m.PERSON["id"].encode() not in data, file.name


def test_no_process_of_the_hub_leaves_a_core_dump() -> None:
    """Attack 46: memory holds what no key protects."""
    code = "import resource, hub.cli.main as c; c.main(['policy', 'list']); print(resource.getrlimit(resource.RLIMIT_CORE)[0])"
    raised = resource.getrlimit(resource.RLIMIT_CORE)[1]
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import resource; resource.setrlimit(resource.RLIMIT_CORE, ({raised},) * 2)\n{code}",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.splitlines()[-1] == "0", done.stderr
