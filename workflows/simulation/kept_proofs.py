"""Proofs that are made while a world goes on, and kept: at its end the log and the checkpoints must still fit them.

In between, customers are erased and orders are archived: neither may change what a proof shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from random import Random

from workflows.audit.checkpoints import CheckpointFiles
from workflows.audit.merkle import consistency_proof, verify_consistency
from workflows.audit.proofs import NotProvable, Proof, prove
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.simulation.scheduler import Scheduler

EVERY_S = (300.0, 1800.0)
KEPT_MAX = 20
"""Proofs that are kept; each is made again at the end."""


class KeptProofs:
    """Makes proofs of random streams of a world. ``made`` are those kept, with the newest checkpoint of their time."""

    def __init__(self, log: InMemoryEventLog, files: CheckpointFiles, *, scheduler: Scheduler, seed: int) -> None:
        self.made: list[tuple[int, Proof]] = []
        self._log = log
        self._files = files
        self._scheduler = scheduler
        self._random = Random(f"proofs of {seed}")  # its own, so that watching changes nothing
        self._streams: dict[str, None] = {}
        log.on_commit(lambda entry: self._streams.setdefault(entry.commit.pk))
        scheduler.watch(self._keep)

    def _keep(self) -> None:
        while len(self.made) < KEPT_MAX:
            self._scheduler.watch_pause(self._random.uniform(*EVERY_S))
            if self._streams:
                with suppress(NotProvable):
                    proof = prove(self._files, self._log, self._random.choice(list(self._streams)))
                    self.made.append((self._files.newest, proof))

    def violations(self) -> Iterator[str]:
        """Describe in sentences which proofs the log or the checkpoints do not fit any more."""
        for number, proof in self.made:
            bundle = proof.bundle
            again = prove(self._files, self._log, bundle["stream"])
            if again.bundle["commits"][: len(bundle["commits"])] != bundle["commits"]:
                yield f"{bundle['stream']} has other commits than a proof of it up to version {proof.version}"
            if self._files.header(number).note != bundle["newest"] or not self._continues(number):
                yield f"the checkpoints do not continue that of a proof of {bundle['stream']}"

    def _continues(self, number: int) -> bool:
        first, last = (self._files.header(each).checkpoint for each in (number, self._files.newest))
        steps = consistency_proof(first.size, last.size, self._files.stored_hash)
        return verify_consistency(first.size, last.size, first.root, last.root, steps)
