"""Understands the Merkle tree of RFC 6962 section 2.1: roots, and proofs that anyone can check.

Pure functions over bytes; it knows nothing of what a leaf means or where leaves are kept. Unmodified
on purpose: home-made variants of this construction have been broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """MTH({d}) = SHA-256(0x00 || d)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def grow(frontier: Sequence[bytes], size: int, leaf: bytes) -> list[bytes]:
    """The frontier (roots of the full subtrees, left to right) of a tree of `size` leaves after one
    more leaf hash: as many merges as the binary count has trailing ones."""
    grown = list(frontier)
    while size & 1:
        leaf = node_hash(grown.pop(), leaf)
        size >>= 1
    return [*grown, leaf]


def root(frontier: Sequence[bytes]) -> bytes:
    """The root of the tree with this frontier."""
    if not frontier:
        return EMPTY_ROOT
    acc = frontier[-1]
    for left in reversed(frontier[:-1]):
        acc = node_hash(left, acc)
    return acc


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier: list[bytes] = []
    for size, leaf in enumerate(leaves):
        frontier = grow(frontier, size, leaf)
    return root(frontier)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.1, from the leaf upwards."""
    size = len(leaves)
    if size <= 1:
        return []
    split = _split(size)
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root_of(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root_of(leaves[:split])]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """PROOF(m, D[n]) of section 2.1.2. 0 < old_size <= len(leaves)."""
    return _subproof(leaves, old_size, whole=True)


def _subproof(leaves: Sequence[bytes], old_size: int, *, whole: bool) -> list[bytes]:
    size = len(leaves)
    if old_size == size:
        return [] if whole else [root_of(leaves)]
    split = _split(size)
    if old_size <= split:
        return [*_subproof(leaves[:split], old_size, whole=whole), root_of(leaves[split:])]
    return [*_subproof(leaves[split:], old_size - split, whole=False), root_of(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


def includes(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Does `proof` show that `leaf` stands at `index` in the tree of `size` with root `expected`?
    (RFC 9162 section 2.1.3.2)"""
    if not 0 <= index < size or not _hashes(leaf, expected, *proof):
        return False
    node, last, acc = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            acc = node_hash(sibling, acc)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            acc = node_hash(acc, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and acc == expected


def consistent(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Does `proof` show that the new tree only appended to the old one? (RFC 9162 section 2.1.4.2)
    An old size of 0 proves nothing and is refused."""
    if not 0 < old_size <= new_size or not _hashes(old_root, new_root, *proof):
        return False
    if old_size == new_size:
        return not proof and old_root == new_root
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_acc = new_acc = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old_acc, new_acc = node_hash(sibling, old_acc), node_hash(sibling, new_acc)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_acc = node_hash(new_acc, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old_acc == old_root and new_acc == new_root


def _hashes(*values: bytes) -> bool:
    return all(len(value) == 32 for value in values)
