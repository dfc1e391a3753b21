"""Checkpoints of the log, the heads in them, and proofs of orders in JSON."""

from __future__ import annotations

import json
from typing import Annotated, TypedDict

from msgspec import Meta

from .order_json import TimeText, VersionNumber

HashText = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 in hexadecimal.")]
NoteText = Annotated[str, Meta(description="A checkpoint as of C2SP: its text and its signature.")]
KeyText = Annotated[
    str, Meta(description="The key that signs, as of C2SP: name+id+key. Compare it with your own copy.")
]
CheckpointNumber = Annotated[int, Meta(ge=1, description="Counts checkpoints from 1 on.")]
LeafNumber = Annotated[int, Meta(ge=0, description="The place of a head in the tree.")]


class CheckpointJson(TypedDict):
    """A signed head of the tree of heads."""

    number: CheckpointNumber
    size: Annotated[int, Meta(ge=1, description="How many heads the tree has.")]
    root: HashText
    made_at: TimeText
    complete_to: Annotated[
        TimeText | None, Meta(description="Each stream with a commit recorded by then is in the tree. Null: not known.")
    ]
    note: NoteText


class CheckpointsJson(TypedDict):
    """A page of checkpoints, the newest first."""

    checkpoints: list[CheckpointJson]
    next: Annotated[int | None, Meta(description="`before` of the next page; null on the last page.")]
    key: KeyText | None


class HeadJson(TypedDict):
    """The end of a stream when a checkpoint was made."""

    leaf: LeafNumber
    stream: str
    version: VersionNumber
    hash: HashText


class HeadsJson(TypedDict):
    """A page of the heads that a checkpoint added to the tree."""

    checkpoint: CheckpointJson
    heads: list[HeadJson]
    next: Annotated[int | None, Meta(description="`after` of the next page; null on the last page.")]


class FindingJson(TypedDict):
    """A place of the log that is not what was written."""

    stream: str
    version: Annotated[int, Meta(ge=0, description="That the commit has, or should have. 0: the stream itself.")]
    what: str


class VerificationJson(TypedDict):
    """What one page of a verification examined, and what it found."""

    streams: Annotated[int, Meta(ge=0)]
    commits: Annotated[int, Meta(ge=0)]
    events: Annotated[int, Meta(ge=0)]
    opaque: Annotated[int, Meta(ge=0, description="Events of types that this version does not know.")]
    heads: Annotated[int, Meta(ge=0, description="Published heads that the streams were compared with.")]
    published: Annotated[int, Meta(ge=0, description="How many heads are in checkpoints: that many are compared.")]
    findings: list[FindingJson]
    next: Annotated[str | None, Meta(description="The cursor of the next page; null on the last page.")]


class ProvenCommitJson(TypedDict):
    """A commit as it is stored. Personal fields in its content are encrypted."""

    version: VersionNumber
    key: str
    recorded_at: TimeText
    content: Annotated[str, Meta(description="The author and the events in JSON, byte for byte as they were hashed.")]
    hash: HashText


class ProofJson(TypedDict):
    """What `expediter-verify` checks. Keep it exactly as it is answered: every byte counts."""

    format: Annotated[str, Meta(examples=["expediter-proof/1"])]
    key: KeyText
    stream: Annotated[str, Meta(description="`order#` and the order's id.")]
    commits: list[ProvenCommitJson]
    leaf: LeafNumber
    inclusion: list[HashText]
    checkpoint: NoteText
    consistency: list[HashText]
    newest: NoteText


def proof_file(proof: ProofJson) -> bytes:
    """Return the file of a proof: the JSON text as the API sends it."""
    return json.dumps(proof, ensure_ascii=False, separators=(",", ":")).encode()
