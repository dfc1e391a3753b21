"""Checkpoints on AWS: a bucket that keeps the first object under a name, a key of KMS, and notes of changed streams."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.audit.trees import SIGNER, Published
from workflows.audit.checkpoint_store import CheckpointTaken
from workflows.audit.checkpoints import CheckpointMaker
from workflows.audit.noted_heads import NotedHeads, note_heads
from workflows.audit.signed_notes import signed
from workflows.aws import clients
from workflows.aws.checkpoints import KmsSigner, S3Checkpoints
from workflows.in_memory.documents import InMemoryDocuments


@pytest.fixture
def bucket(moto: Any) -> S3Checkpoints:
    client = clients.s3()
    client.create_bucket(
        Bucket="checkpoints",
        ObjectLockEnabledForBucket=True,
        CreateBucketConfiguration={"LocationConstraint": client.meta.region_name},  # type: ignore[typeddict-item]
    )
    return S3Checkpoints(client, "checkpoints")


def test_a_bucket_keeps_the_first_file_under_a_number(bucket: S3Checkpoints) -> None:
    """The same contract as that of the folder."""
    assert (bucket.newest(), bucket.read(1), bucket.read(1, 5, 5)) == (0, b"", b"")
    bucket.add(1, b"first")
    with pytest.raises(CheckpointTaken):
        bucket.add(1, b"second")
    assert (bucket.newest(), bucket.read(1), bucket.read(1, 2, 2), bucket.read(1, 9)) == (1, b"first", b"rs", b"")


def test_checkpoints_in_a_bucket_are_made_and_read_again(bucket: S3Checkpoints) -> None:
    """By another process too, which has seen none of them."""
    tree = Published()
    tree.files = bucket  # type: ignore[assignment]
    tree.__post_init__()
    for hour in range(3):
        tree.append(f"order#{hour}", "order#always")
        assert tree.checkpoint()
    assert tree.audit().findings == []
    assert S3Checkpoints(clients.s3(), "checkpoints").newest() == 3


def test_the_signature_of_kms_is_one_that_the_verifier_key_accepts() -> None:
    """KMS signs the text itself (RAW), and its public key comes in DER."""
    private = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    client = boto3.client("kms", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    der = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = "expediter\n1\nroot\n"
    with Stubber(client) as stub:
        stub.add_response("get_public_key", {"PublicKey": der}, {"KeyId": "key"})
        sent = {
            "KeyId": "key",
            "Message": text.encode(),
            "MessageType": "RAW",
            "SigningAlgorithm": "ED25519_SHA_512",
        }
        stub.add_response("sign", {"Signature": private.sign(text.encode())}, sent)
        signer = KmsSigner(client, "key")
        note = signed(text, signer)
    assert signer.key.public == private.public_key().public_bytes_raw()
    assert signer.key.check(note) == text


# --- notes of changed streams -----------------------------------------------------------------------------------------


class Noting(Published):
    """A log whose changes are noted, as the publisher does on AWS."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.documents = InMemoryDocuments()
        self.maker = CheckpointMaker(self.files, NotedHeads(self.documents, self.log, self.clock), SIGNER)

    def note(self, *streams: str) -> None:
        self.append(*streams)
        note_heads(self.documents, [list(self.log.read(stream))[-1] for stream in streams], self.clock.now())


def streams_of(tree: Published, number: int) -> set[tuple[str, int]]:
    return {(head.stream, head.version) for head in tree.maker.files.heads(number)}


def test_the_first_checkpoint_has_the_heads_of_the_whole_log_and_later_ones_those_that_were_noted() -> None:
    """A stack that is upgraded has orders that no note names."""
    tree = Noting()
    tree.append("order#old", "order#old")
    tree.note("order#new")
    tree.checkpoint()
    assert streams_of(tree, 1) == {("order#old", 2), ("order#new", 1)}
    tree.note("order#new", "order#newer")
    tree.note("order#new")
    tree.checkpoint()
    assert streams_of(tree, 2) == {("order#new", 3), ("order#newer", 1)}
    assert tree.audit().findings == []
    assert tree.checkpoint() == []


def test_notes_of_batches_in_another_order_give_the_newest_head() -> None:
    """The stream of DynamoDB keeps the order of changes to one item only."""
    tree = Noting()
    tree.note("order#a")
    tree.checkpoint()
    tree.append("order#a", "order#a")
    commits = list(tree.log.read("order#a"))
    note_heads(tree.documents, commits[2:], tree.clock.now())
    note_heads(tree.documents, commits[1:2], tree.clock.now())
    tree.checkpoint()
    assert streams_of(tree, 2) == {("order#a", 3)}


def test_checkpoints_that_failed_for_longer_than_notes_are_kept_begin_with_the_whole_log() -> None:
    """Nothing is left out."""
    tree = Noting()
    tree.note("order#a")
    tree.checkpoint()
    tree.append("order#b")
    tree.clock.advance(days=31)
    tree.checkpoint()
    assert ("order#b", 1) in streams_of(tree, 2)


def test_notes_are_read_for_each_hour_since_the_last_checkpoint() -> None:
    """Also if it was made many hours ago, and over midnight."""
    tree = Noting()
    tree.note("order#a")
    tree.checkpoint()
    for hour in range(30):
        tree.clock.time += timedelta(hours=1)
        tree.note(f"order#{hour}")
    tree.checkpoint()
    assert len(streams_of(tree, 2)) == 30
