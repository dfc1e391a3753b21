"""A log with checkpoints in memory, for tests of the audit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from domain.identifiers import SYSTEM
from domain.order.events import CourierRequested
from tests.stores import SettableClock, Store, in_memory_store
from workflows.audit.changed_heads import FeedHeads
from workflows.audit.checkpoint_audit import CheckpointAudit, audit_checkpoints
from workflows.audit.checkpoint_files import Checkpoint
from workflows.audit.checkpoints import CheckpointMaker
from workflows.audit.findings import Report
from workflows.audit.proofs import Proof, prove
from workflows.audit.signed_notes import LocalSigner
from workflows.audit.verify import verify
from workflows.event_store.commits import NewCommit
from workflows.in_memory.checkpoints import InMemoryCheckpoints
from workflows.in_memory.keyring import InMemoryKeyRing

SIGNER = LocalSigner(b"s" * 32)


@dataclass
class Published:
    """A log, its clock, and the checkpoints of it."""

    clock: SettableClock = field(default_factory=SettableClock)
    files: InMemoryCheckpoints = field(default_factory=InMemoryCheckpoints)
    signer: LocalSigner = SIGNER

    def __post_init__(self) -> None:
        self.store: Store = in_memory_store(self.clock, InMemoryKeyRing())
        self.log: Any = self.store.open()
        self.maker = CheckpointMaker(self.files, FeedHeads(self.log), self.signer)

    def append(self, *streams: str) -> None:
        """Append a commit to each stream, a second later each."""
        for stream in streams:
            self.clock.advance(seconds=1)
            history = self.log.load(stream)
            new = NewCommit(
                key=f"k{history.version}",
                events=(CourierRequested(attempt=history.version),),
                actor=SYSTEM,
                correlation="",
                causation="",
                body_hash="b",
            )
            self.log.append(history, new)

    def checkpoint(self, *, after_s: float = 3600) -> list[Checkpoint]:
        """Make checkpoints some time later."""
        return self.maker.make(self.clock.advance(seconds=after_s))

    def audit(self, **others: InMemoryCheckpoints) -> CheckpointAudit:
        return audit_checkpoints({"own": self.files, **others}, None)

    def report(self) -> Report:
        return verify(self.log, published=self.audit().published)

    def prove(self, stream: str) -> Proof:
        return prove(self.maker.files, self.log, stream)


def published(*hours: tuple[str, ...], signer: LocalSigner = SIGNER) -> Published:
    """Append to the streams of each hour, and make a checkpoint after it."""
    tree = Published(signer=signer)
    for streams in hours:
        tree.append(*streams)
        tree.checkpoint()
    return tree


FIVE_HOURS = (
    ("order#a", "order#b"),
    ("order#b", "order#c"),
    ("order#d",),
    ("order#d", "order#e", "order#f"),
    ("order#g",),
)
