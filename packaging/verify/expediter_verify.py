#!/usr/bin/env python3
"""Verify a proof of one order, as `expediter audit prove ORDER -o FILE` makes it.

    python expediter_verify.py FILE... [--key KEY] [--events]

It needs Python 3.11 and the package `cryptography`, and nothing of Expediter. It checks, in this order:

1. Form: each file is exactly one bundle, with no value missing, added or written in another way.
2. Chain: each commit's hash is SHA-256 over the hash before it and the commit's own parts, so no commit can be changed,
   removed, added or moved without changing the last hash.
3. Signatures: both checkpoints are signed with the key (Ed25519, signed notes of https://c2sp.org/signed-note).
4. Inclusion: the last hash is a leaf of the tree of the first checkpoint (RFC 9162, section 2.1.3).
5. Consistency: the tree of the newest checkpoint begins with that of the first one (RFC 9162, section 2.1.4).
6. One history, if there are several files: trees of the same size have the same root, and of two proofs of one order
   the commits of the shorter one are the first ones of the longer.

What it cannot find: whether the key belongs to the company it is said to belong to. Get KEY (name+id+key) from the
company by another way than the file, and pass it. Whether the order has later commits: the proof is about a version.
Whether a recorded event is true: the proof is that it was recorded so, by the time of the checkpoint, and not changed.
Two histories in proofs of different orders from trees of different sizes: compare copies of the checkpoints for that.

Exit code 0: verified. 1: refused, with the place. 2: a file cannot be read.
"""

import argparse
import json
import re
import struct
import sys
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "expediter-proof/1"
FIELDS = {
    "format": str,
    "key": str,
    "stream": str,
    "commits": list,
    "leaf": int,
    "inclusion": list,
    "checkpoint": str,
    "consistency": list,
    "newest": str,
}
COMMIT_FIELDS = {"version": int, "key": str, "recorded_at": str, "content": str, "hash": str}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


class Refused(Exception):
    """The bundle does not prove what it says. The message begins with the place."""


def require(condition, place, problem):
    if not condition:
        raise Refused(f"{place}: {problem}")


# --- 1. form ----------------------------------------------------------------------------------------------------------


def read_bundle(content: bytes) -> dict:
    """Read a file, of which every byte is determined by the values in it."""
    try:
        text = content.decode().removesuffix("\n")
        bundle = json.loads(text)
        canonical = json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise Refused(f"file: is not a bundle in JSON: {error}") from None
    check_fields(bundle, FIELDS, "bundle")
    for place, commit in each(bundle, "commits"):
        check_fields(commit, COMMIT_FIELDS, place)
    require(canonical == text.encode(), first_difference(canonical, text.encode()), "is not in canonical form")
    require(bundle["format"] == FORMAT, "format", f"is not {FORMAT}")
    require(bundle["commits"], "commits", "there are none")
    return bundle


def check_fields(value, fields, place):
    require(type(value) is dict, place, "is not an object")
    require(list(value) == list(fields), place, f"does not have exactly the fields {', '.join(fields)}, in this order")
    for name, kind in fields.items():
        where = name if place == "bundle" else f"{place}.{name}"
        require(type(value[name]) is kind, where, f"is not of type {kind.__name__}")


def each(bundle, name):
    return [(f"{name}[{number}]", value) for number, value in enumerate(bundle[name])]


def first_difference(one, other):
    differing = (at for at, (own, its) in enumerate(zip(one, other, strict=False)) if own != its)
    return f"file byte {next(differing, min(len(one), len(other)))}"


def read_hash(text, place) -> bytes:
    require(type(text) is str and re.fullmatch("[0-9a-f]{64}", text), place, "is not a hash: 64 hexadecimal digits")
    return bytes.fromhex(text)


# --- 2. chain ---------------------------------------------------------------------------------------------------------


def check_chain(bundle) -> int:
    """Follow the chain from the first commit. Returns the version of the last event."""
    version, head, time = 0, b"", ""
    for place, commit in each(bundle, "commits"):
        require(
            commit["version"] == version + 1,
            f"{place}.version",
            f"is not {version + 1}, which follows the commits before",
        )
        require(TIME.fullmatch(commit["recorded_at"]), f"{place}.recorded_at", "is not a time")
        require(commit["recorded_at"] >= time, f"{place}.recorded_at", f"is earlier than the commit before it, {time}")
        stored = read_hash(commit["hash"], f"{place}.hash")
        require(chain_hash(head, bundle["stream"], commit) == stored, place, "does not fit its hash and the one before")
        events = events_of(commit, place)
        version, head, time = version + len(events), stored, commit["recorded_at"]
    return version


def chain_hash(before: bytes, stream: str, commit) -> bytes:
    """SHA-256 over six big-endian 32-bit lengths and then the six parts."""
    texts = (stream, str(commit["version"]), commit["key"], commit["recorded_at"], commit["content"])
    parts = [before, *(text.encode() for text in texts)]
    return sha256(struct.pack(">6I", *map(len, parts)) + b"".join(parts)).digest()


def events_of(commit, place):
    try:
        events = json.loads(commit["content"])["e"]
        kinds = [event["t"] for event in events]
    except (ValueError, TypeError, KeyError, RecursionError):
        kinds = []
    require(kinds, f"{place}.content", "holds no events")
    return events


# --- 3. signatures ----------------------------------------------------------------------------------------------------


def read_key(text, place):
    """Read a key of https://c2sp.org/signed-note: name+id+key. Returns the name, the id and the public key."""
    name, _, rest = text.partition("+")
    try:
        blob = b64decode(rest.partition("+")[2], validate=True)
    except ValueError:
        blob = b""
    require(len(blob) == 33 and blob[:1] == b"\x01", place, "is not a key of Ed25519: name+id+key")
    key_id = sha256(name.encode() + b"\n" + blob).digest()[:4]
    require(text == f"{name}+{key_id.hex()}+{b64encode(blob).decode()}", place, "its id or base64 does not fit its key")
    return name, key_id, blob[1:]


def read_checkpoint(note, key, place):
    """Check a checkpoint of https://c2sp.org/tlog-checkpoint. Returns the tree's size and root, and its time."""
    name, key_id, public = key
    body, _, signature = note.partition("\n\n")
    match = re.fullmatch(f"— {re.escape(name)} ([A-Za-z0-9+/=]+)\n", signature)
    require(match, place, f"is not signed by {name}")
    try:
        blob = b64decode(match[1], validate=True)
        require(blob[:4] == key_id and b64encode(blob).decode() == match[1], place, f"is not signed by {name}")
        Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], f"{body}\n".encode())
    except (ValueError, InvalidSignature):
        raise Refused(f"{place}: its signature by {name} does not fit its text") from None
    lines = body.split("\n")
    require(len(lines) == 6 and lines[0] == name and lines[3].startswith("made_at "), place, "is not a checkpoint")
    require(re.fullmatch("[1-9][0-9]{0,17}", lines[1]), place, "has no size")
    return int(lines[1]), b64decode(lines[2]), lines[3].removeprefix("made_at ")


# --- 4. inclusion, 5. consistency -------------------------------------------------------------------------------------


def leaf_hash(stream, version, head: str) -> bytes:
    leaf = json.dumps([stream, version, head], separators=(",", ":"))
    return sha256(b"\x00" + leaf.encode()).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def check_inclusion(leaf, index, size, proof, root):
    require(0 <= index < size, "leaf", f"is not in a tree of {size} leaves")
    node, last, found = index, size - 1, leaf
    for hash_ in proof:
        require(last > 0, "inclusion", "has too many hashes")
        if node % 2 == 1 or node == last:
            found = node_hash(hash_, found)
            while node % 2 == 0 and node > 0:
                node, last = node // 2, last // 2
        else:
            found = node_hash(found, hash_)
        node, last = node // 2, last // 2
    require(last == 0 and found == root, "inclusion", "does not lead from the last commit and leaf to the checkpoint")


def check_consistency(first, second, first_root, second_root, proof):
    problem = "does not lead from the checkpoint to the newest one: it is of another history"
    require(first <= second, "newest", "is older than the checkpoint")
    if first == second:
        require(not proof and first_root == second_root, "consistency", problem)
        return
    hashes = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    require(hashes, "consistency", problem)
    node, last = first - 1, second - 1
    while node % 2 == 1:
        node, last = node // 2, last // 2
    before = after = hashes[0]
    for hash_ in hashes[1:]:
        require(last > 0, "consistency", "has too many hashes")
        if node % 2 == 1 or node == last:
            before, after = node_hash(hash_, before), node_hash(hash_, after)
            while node % 2 == 0 and node > 0:
                node, last = node // 2, last // 2
        else:
            after = node_hash(after, hash_)
        node, last = node // 2, last // 2
    require(last == 0 and before == first_root and after == second_root, "consistency", problem)


# --- all of it --------------------------------------------------------------------------------------------------------


def verify(content: bytes, pinned: str | None = None) -> dict:
    """Verify the content of a file.

    Returns what it proves: ``stream``, ``version``, ``key``, the ``bundle``, and ``roots``: for both checkpoints the
    size of the tree with its root and time. Raises Refused.
    """
    bundle = read_bundle(content)
    version = check_chain(bundle)
    key = read_key(bundle["key"], "key")
    require(pinned in (None, bundle["key"]), "key", "is not the one that was passed: another party signed")
    size, root, made_at = read_checkpoint(bundle["checkpoint"], key, "checkpoint")
    newest_size, newest_root, newest_at = read_checkpoint(bundle["newest"], key, "newest")
    require(made_at <= newest_at, "newest", "was made before the checkpoint")
    proofs = {name: [read_hash(*pair[::-1]) for pair in each(bundle, name)] for name in ("inclusion", "consistency")}
    leaf = leaf_hash(bundle["stream"], version, bundle["commits"][-1]["hash"])
    check_inclusion(leaf, bundle["leaf"], size, proofs["inclusion"], root)
    check_consistency(size, newest_size, root, newest_root, proofs["consistency"])
    roots = {size: (root, made_at), newest_size: (newest_root, newest_at)}
    return {"stream": bundle["stream"], "version": version, "key": bundle["key"], "roots": roots, "bundle": bundle}


def check_one_history(proven: list):
    """6. What one key signed must not contradict itself. ``proven``: file names and results."""
    trees, chains = {}, {}
    for file, result in proven:
        for size, (root, _) in result["roots"].items():
            other, known = trees.setdefault((result["key"], size), (file, root))
            require(root == known, f"{file}: checkpoint of size {size}", f"differs from that in {other}: two histories")
        for number, (place, commit) in enumerate(each(result["bundle"], "commits")):
            seen = commit["version"], commit["hash"]
            other, known = chains.setdefault((result["key"], result["stream"], number), (file, seen))
            require(seen == known, f"{file}: {place}", f"differs from that in {other}: two histories")


def main() -> int:
    parser = argparse.ArgumentParser(prog="expediter-verify", description="Verify proofs of orders.")
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--key", help="the company's key, name+id+key, got by another way than the files")
    parser.add_argument("--events", action="store_true", help="print what was recorded")
    options = parser.parse_args()
    proven, refused = [], False
    for file in options.files:
        try:
            result = verify(Path(file).read_bytes(), options.key)
            check_one_history([*proven, (file, result)])
        except OSError as error:
            print(f"{file}: cannot be read: {error.strerror}", file=sys.stderr)
            return 2
        except Refused as problem:
            print(f"{file}: REFUSED: {problem}", file=sys.stderr)
            refused = True
            continue
        proven.append((file, result))
        times = ", ".join(f"{size} leaves at {made_at}" for size, (_, made_at) in result["roots"].items())
        print(f"{file}: verified: {result['stream']!a} up to version {result['version']}, in the tree of {times}")
        compared = "" if options.key else " (not compared with a key of yours: see --key)"
        print(f"  signed by {result['key']}{compared}")
        for place, commit in each(result["bundle"], "commits") if options.events else ():
            kinds = ", ".join(ascii(event["t"]) for event in events_of(commit, place))
            print(f"  version {commit['version']} at {commit['recorded_at']}: {kinds}")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
