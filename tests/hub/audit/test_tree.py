"""The tree against RFC 6962's own numbers, its properties, and public proof vectors where present."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hub.audit import tree

VECTORS = Path(__file__).parents[4] / "shared/consent/fixtures/merkle-vectors/testdata"

leaves = st.lists(st.binary(max_size=8).map(tree.leaf_hash), min_size=1, max_size=40)


def defined_root(hashes: list[bytes]) -> bytes:
    """MTH as RFC 6962 section 2.1 writes it: the slow way, to compare with."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    both = defined_root(hashes[:split]) + defined_root(hashes[split:])
    return sha256(b"\x01" + both).digest()


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert tree.root([]) == sha256(b"").digest()


@given(leaves)
def test_growing_leaf_by_leaf_gives_the_root_as_defined(hashes: list[bytes]) -> None:
    assert tree.root_of(hashes) == defined_root(hashes)


@given(leaves, st.data())
def test_every_leaf_can_be_proved_and_no_other_in_its_place(hashes: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(hashes) - 1))
    proof = tree.inclusion_proof(hashes, index)
    root = tree.root_of(hashes)

    assert tree.includes(hashes[index], index, len(hashes), proof, root)
    assert not tree.includes(tree.leaf_hash(b"another leaf"), index, len(hashes), proof, root)
    assert not tree.includes(hashes[index], index, len(hashes), [*proof, root], root)


@given(leaves, st.data())
def test_an_older_tree_can_be_proved_a_beginning_and_no_other_tree(
    hashes: list[bytes], data: st.DataObject
) -> None:
    old = data.draw(st.integers(1, len(hashes)))
    old_root, root = tree.root_of(hashes[:old]), tree.root_of(hashes)
    proof = tree.consistency_proof(hashes, old)

    assert tree.consistent(old, old_root, len(hashes), root, proof)
    assert not tree.consistent(old, tree.leaf_hash(b"other"), len(hashes), root, proof)


def test_the_public_proof_vectors_are_judged_as_they_say(
    absent_reference: Callable[[str, int], None],
) -> None:
    if not VECTORS.exists():
        absent_reference("merkle proof vectors", 170)
        return
    judged = 0
    for file in sorted(VECTORS.rglob("*.json")):
        case = json.loads(file.read_text())
        proof = [base64.b64decode(node) for node in case["proof"] or []]
        if "leafIdx" in case:
            good = tree.includes(
                base64.b64decode(case["leafHash"]),
                case["leafIdx"],
                case["treeSize"],
                proof,
                base64.b64decode(case["root"]),
            )
        else:
            good = tree.consistent(
                case["size1"],
                base64.b64decode(case["root1"]),
                case["size2"],
                base64.b64decode(case["root2"]),
                proof,
            )
        assert good is not case["wantErr"], file.name
        judged += 1
    assert judged >= 170
