"""Merkle trees: the test vectors of certificate-transparency's reference implementation, and laws for any tree."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from workflows.audit.merkle import (
    EMPTY_ROOT,
    MerkleTree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    stored_count,
    verify_consistency,
    verify_inclusion,
)

# https://github.com/transparency-dev/merkle, testonly/constants.go
LEAVES = [
    *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
    "606162636465666768696a6b6c6d6e6f",
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
A = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
B = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
C = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
D = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
E = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
F = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
INCLUSION = {(0, 1): [], (0, 8): [A, B, C], (5, 8): [D, E, ROOTS[3]], (2, 3): [ROOTS[1]], (1, 5): [ROOTS[0], B, D]}
CONSISTENCY = {(1, 1): [], (1, 8): [A, B, C], (6, 8): [F, E, ROOTS[3]], (2, 5): [B, D]}


@dataclass
class Grown:
    """A tree, its stored hashes, and its head at each size."""

    tree: MerkleTree
    stored: list[bytes]
    leaves: list[bytes]
    roots: list[bytes]

    def read(self, index: int) -> bytes:
        return self.stored[index]


def grown(leaves: list[bytes]) -> Grown:
    tree, stored, roots = MerkleTree(), list[bytes](), [EMPTY_ROOT]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    for each in hashes:
        stored += tree.add(each)
        roots.append(tree.root)
    return Grown(tree, stored, hashes, roots)


REFERENCE = grown([bytes.fromhex(leaf) for leaf in LEAVES])


def test_the_heads_are_those_of_the_reference_implementation():
    """Any other implementation of RFC 6962 computes the same heads; the empty tree's is the hash of nothing."""
    assert [root.hex() for root in REFERENCE.roots[1:]] == ROOTS
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_inclusion_proofs_are_those_of_the_reference_implementation(index: int, size: int):
    """Hash by hash, from the leaf up."""
    proof = inclusion_proof(index, size, REFERENCE.read)
    assert [each.hex() for each in proof] == INCLUSION[index, size]
    assert verify_inclusion(REFERENCE.leaves[index], index, size, proof, REFERENCE.roots[size])


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_consistency_proofs_are_those_of_the_reference_implementation(old: int, new: int):
    """Hash by hash, from below."""
    proof = consistency_proof(old, new, REFERENCE.read)
    assert [each.hex() for each in proof] == CONSISTENCY[old, new]
    assert verify_consistency(old, new, REFERENCE.roots[old], REFERENCE.roots[new], proof)


SIZES = st.integers(1, 200)
FOREST = grown([str(number).encode() for number in range(200)])


@given(SIZES, st.data())
def test_every_leaf_has_a_proof_that_verifies_for_every_size(size: int, data: st.DataObject):
    """And for no other leaf, index, size, head or proof."""
    index, other = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(index, size, FOREST.read), FOREST.roots[size]
    assert verify_inclusion(FOREST.leaves[index], index, size, proof, root)
    assert len(proof) <= (size - 1).bit_length()
    assume(other != index)
    assert not verify_inclusion(FOREST.leaves[other], index, size, proof, root)
    assert not verify_inclusion(FOREST.leaves[index], other, size, proof, root)
    assert not verify_inclusion(FOREST.leaves[index], index, size, [*proof, root], root)
    assert not verify_inclusion(FOREST.leaves[index], index, size, proof[:-1], root)
    assert not verify_inclusion(FOREST.leaves[index], index, size, proof, FOREST.roots[size - 1])
    assert not verify_inclusion(FOREST.leaves[index], index - size, size, proof, root)


@given(SIZES, SIZES, st.data())
def test_every_tree_is_consistent_with_each_that_it_grew_from_and_with_no_other(
    one: int, other: int, data: st.DataObject
):
    """A head of another history is refused, and so is a proof with a hash changed, removed or added."""
    old, new = sorted((one, other))
    proof = consistency_proof(old, new, FOREST.read)
    old_root, new_root = FOREST.roots[old], FOREST.roots[new]
    assert verify_consistency(old, new, old_root, new_root, proof)
    assert not verify_consistency(old, new, leaf_hash(b"other"), new_root, proof)
    assert not verify_consistency(old, new, old_root, leaf_hash(b"other"), proof)
    assert not verify_consistency(old, new, old_root, new_root, [*proof, old_root])
    assert not verify_consistency(new + 1, new, old_root, new_root, proof)
    assert not verify_consistency(0, new, EMPTY_ROOT, new_root, proof)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_consistency(old, new, old_root, new_root, proof[:at] + proof[at + 1 :])
        changed = [*proof[:at], leaf_hash(proof[at]), *proof[at + 1 :]]
        assert not verify_consistency(old, new, old_root, new_root, changed)


@settings(max_examples=50)
@given(SIZES, st.lists(st.binary(max_size=5), max_size=20))
def test_a_tree_is_continued_from_a_logarithmic_number_of_its_stored_hashes(size: int, more: list[bytes]):
    """With the same result as if it had been grown at once."""
    reads: list[int] = []

    def read(index: int) -> bytes:
        reads.append(index)
        return FOREST.stored[index]

    continued = MerkleTree(size, read)
    whole = grown([str(number).encode() for number in range(size)] + more)
    stored = [each for leaf in more for each in continued.add(leaf_hash(leaf))]
    assert continued.root == whole.tree.root
    assert FOREST.stored[: stored_count(size)] + stored == whole.stored
    assert len(reads) <= size.bit_length()


def test_leaves_and_nodes_are_hashed_apart():
    """Otherwise a subtree could be passed off as a leaf."""
    left, right = leaf_hash(b"l"), leaf_hash(b"r")
    assert leaf_hash(left + right) != node_hash(left, right)


@pytest.mark.parametrize("call", [lambda: inclusion_proof(8, 8, REFERENCE.read), lambda: MerkleTree(3)])
def test_a_proof_of_what_is_not_there_is_refused(call):
    """It names what is wrong instead of reading past the end."""
    with pytest.raises(ValueError, match="leaves"):
        call()
    with pytest.raises(ValueError, match="9 and 8 leaves"):
        consistency_proof(9, 8, REFERENCE.read)
