"""Merkle trees as of RFC 6962 and RFC 9162: tree heads, inclusion proofs and consistency proofs.

A tree of n leaves is a list of stored hashes that is only ever appended to: the hash of each leaf, followed by the hash
of each perfect subtree that this leaf completes. A subtree is addressed by its level (0: a leaf) and its index within
the level. ``stored_index`` gives its place in the list, so a head or a proof reads a logarithmic number of hashes, and
adding a leaf costs the same for a tree of any size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import TypeAlias

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The head of a tree without leaves."""

ReadHash: TypeAlias = Callable[[int], bytes]
"""Returns the stored hash at an index of ``stored_index``."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees side by side."""
    return sha256(b"\x01" + left + right).digest()


def stored_count(size: int) -> int:
    """Return the number of stored hashes of a tree of ``size`` leaves."""
    return 2 * size - size.bit_count()


def stored_index(level: int, index: int) -> int:
    """Return the place of a perfect subtree's hash: it is stored once its last leaf was added."""
    last_leaf = ((index + 1) << level) - 1
    return stored_count(last_leaf) + level


class MerkleTree:
    """The right edge of a tree: what adding a leaf and computing the head need, in logarithmic memory."""

    def __init__(self, size: int = 0, read: ReadHash | None = None) -> None:
        """Begin with an empty tree, or continue one of ``size`` leaves, whose stored hashes ``read`` returns."""
        self.size = size
        self._edge = [read(stored_index(level, start >> level)) for level, start in _perfect(size)] if read else []
        if len(self._edge) != size.bit_count():
            raise ValueError("a tree with leaves is continued from its stored hashes")

    def add(self, leaf: bytes) -> list[bytes]:
        """Add a leaf by its hash. Returns the hashes to store: the leaf's, and those of the subtrees it completes."""
        stored = [leaf]
        completed = self.size
        while completed & 1:
            stored.append(node_hash(self._edge.pop(), stored[-1]))
            completed >>= 1
        self._edge.append(stored[-1])
        self.size += 1
        return stored

    @property
    def root(self) -> bytes:
        """The tree's head."""
        return _joined(self._edge)


def inclusion_proof(index: int, size: int, read: ReadHash) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of ``size`` leaves. Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    proof, first, after = list[bytes](), 0, size
    while after - first > 1:
        middle = first + _split(after - first)
        if index < middle:
            proof.append(_range_hash(middle, after, read))
            after = middle
        else:
            proof.append(_range_hash(first, middle, read))
            first = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, read: ReadHash) -> list[bytes]:
    """Return the proof that the tree of ``new`` leaves begins with that of ``old`` leaves. Raises ValueError."""
    if not 1 <= old <= new:
        raise ValueError(f"the trees have {old} and {new} leaves; the older one has 1 to as many as the newer one")
    proof, first, after = list[bytes](), 0, new
    while after != old:
        middle = first + _split(after - first)
        if old <= middle:
            proof.append(_range_hash(middle, after, read))
            after = middle
        else:
            proof.append(_range_hash(first, middle, read))
            first = middle
    if first > 0:  # otherwise the old tree is a subtree of the new one, and the verifier has its head
        proof.append(_range_hash(first, after, read))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Iterable[bytes], root: bytes) -> bool:
    """Whether the proof leads from the hash of leaf ``index`` to the head of a tree of ``size`` leaves."""
    if not 0 <= index < size:
        return False
    node, last, found = index, size - 1, leaf
    for each in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            found = node_hash(each, found)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            found = node_hash(found, each)
        node, last = node >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Iterable[bytes]) -> bool:
    """Whether the proof shows that the newer tree begins with the older one."""
    hashes = list(proof)
    if not 1 <= old <= new:
        return False
    if old == new:
        return not hashes and old_root == new_root
    if old & (old - 1) == 0:  # a perfect subtree of the newer tree
        hashes.insert(0, old_root)
    if not hashes:
        return False
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = node_hash(each, before), node_hash(each, after)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, each)
        node, last = node >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def _split(count: int) -> int:
    """Return the largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


def _perfect(size: int) -> Iterator[tuple[int, int]]:
    """Yield level and first leaf of the perfect subtrees of a tree, from left to right."""
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            yield level, start
            start += 1 << level


def _range_hash(first: int, after: int, read: ReadHash) -> bytes:
    """Return the hash of the leaves from ``first`` to before ``after``; ``first`` is where a split begins."""
    return _joined([read(stored_index(level, (first + at) >> level)) for level, at in _perfect(after - first)])


def _joined(edge: list[bytes]) -> bytes:
    """Return the head over perfect subtrees that stand side by side, the largest first."""
    if not edge:
        return EMPTY_ROOT
    joined = edge[-1]
    for left in reversed(edge[:-1]):
        joined = node_hash(left, joined)
    return joined
