"""The makers of checkpoints of a world, and their law: an untouched log never contradicts a checkpoint.

Two processes make checkpoints at any time, also at the same time. The store fails before or after it stored a file, and
a process is killed there. They only watch the world. At the end one more checkpoint is made; then all are verified
against each other and against the log, orders are proven, and proofs that were made meanwhile must still hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from random import Random

from workflows.audit.changed_heads import FeedHeads
from workflows.audit.checkpoint_audit import audit_checkpoints
from workflows.audit.checkpoint_store import CheckpointsUnavailable
from workflows.audit.checkpoints import CheckpointFiles, CheckpointMaker
from workflows.audit.proofs import prove
from workflows.audit.signed_notes import LocalSigner
from workflows.audit.verify import verify
from workflows.in_memory.checkpoints import InMemoryCheckpoints
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.simulation.kept_proofs import KeptProofs
from workflows.simulation.scheduler import Scheduler

MAKERS = 2
EVERY_S = (60.0, 2400.0)
FAILING = 0.2
"""The share of files at which the store fails, before or after it stored them."""

PROVEN = 5
"""Orders that are proven at the end."""


class CheckpointMakers:
    """Makes checkpoints of the log of a world."""

    def __init__(self, log: InMemoryEventLog, *, scheduler: Scheduler, seed: int) -> None:
        self._log = log
        self._scheduler = scheduler
        self._random = Random(f"checkpoints of {seed}")  # its own, so that watching changes nothing
        self._signer = LocalSigner(self._random.randbytes(32))
        self._files = InMemoryCheckpoints()
        failing = _FailingStore(self._files, self._random)
        self.proofs = KeptProofs(log, CheckpointFiles(self._files), scheduler=scheduler, seed=seed)
        self._makers = [CheckpointMaker(failing, FeedHeads(log), self._signer) for _ in range(MAKERS)]
        for maker in self._makers:
            scheduler.watch(lambda maker=maker: self._make(maker))  # type: ignore[misc]  # bound now

    def _make(self, maker: CheckpointMaker) -> None:
        while True:
            self._scheduler.watch_pause(self._random.uniform(*EVERY_S))
            with suppress(CheckpointsUnavailable):
                maker.make(self._scheduler.now())

    def violations(self) -> Iterator[str]:
        """Describe in sentences what contradicts the checkpoints of this untouched log."""
        last = CheckpointMaker(self._files, FeedHeads(self._log), self._signer)
        last.make(self._scheduler.now())
        audit = audit_checkpoints({"published": self._files}, self._signer.key)
        for finding in (*audit.findings, *verify(self._log, published=audit.published).findings):
            yield f"{finding.stream} version {finding.version}, although nothing was changed: {finding.what}"
        yield from self.proofs.violations()
        streams = sorted(audit.published.heads)
        for stream in self._random.sample(streams, min(PROVEN, len(streams))):
            proof = prove(last.files, self._log, stream)
            if proof.version != proof.newest:
                yield f"{stream} is proven up to version {proof.version} of {proof.newest} after the last checkpoint"


class _FailingStore(InMemoryCheckpoints):
    """Passes files on to a store, and fails at some."""

    def __init__(self, store: InMemoryCheckpoints, random: Random) -> None:
        super().__init__()
        self.files = store.files
        self._random = random

    def add(self, number: int, content: bytes) -> None:
        if self._random.random() < FAILING:
            raise CheckpointsUnavailable("the store failed before it stored the file")
        super().add(number, content)
        if self._random.random() < FAILING:
            raise CheckpointsUnavailable("the store failed after it stored the file")
