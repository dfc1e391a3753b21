"""The tree of heads of one deployment: what the API, the command line and the schedule do with checkpoints."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from workflows.audit.changed_heads import ChangedHeads
from workflows.audit.checkpoint_files import Checkpoint, Header
from workflows.audit.checkpoint_store import CheckpointStore
from workflows.audit.checkpoints import CheckpointFiles, CheckpointMaker
from workflows.audit.findings import Head
from workflows.audit.proofs import Proof, prove
from workflows.audit.signed_notes import Signer, signed
from workflows.event_store.event_log import EventLog

_log = logging.getLogger(__name__)

MADE = "checkpoints were published"
FAILED = "no checkpoint could be published"
"""The messages of log lines that become metrics. The next round makes up for a checkpoint that failed."""


class NoSuchCheckpoint(LookupError):
    """There is no checkpoint of this number. Retryable: no. HTTP: 404."""


class NumberedCheckpoint(NamedTuple):
    """A checkpoint and its number, from 1 on."""

    number: int
    header: Header


class HeadTree:
    """Makes, lists and proves. Arguments have names, so that a port may pass calls on to another thread.

    ``failures`` counts the rounds that could not publish.
    """

    def __init__(self, *, store: CheckpointStore, changed: ChangedHeads, signer: Signer, log: EventLog) -> None:
        self._signer = signer
        self._maker = CheckpointMaker(store, changed, signer)
        self._files = CheckpointFiles(store)
        self._log = log
        self.failures = 0

    def round(self, *, now: datetime, even_if_not_due: bool = False) -> Sequence[Checkpoint]:
        """Make checkpoints if they are due, and log it.

        A failure is logged and counted: it must not fail what called, and the next round makes up for it.
        """
        try:
            if not even_if_not_due and not self._maker.is_due(now):
                return ()
            made = self._maker.make(now)
        except Exception as error:  # whatever it is, the next round tries again
            self.failures += 1
            _log.error(FAILED, extra={"error": type(error).__name__, "why": str(error)})
            return ()
        if made:
            _log.info(MADE, extra={"checkpoints": len(made), "leaves": made[-1].size})
        return made

    def sign(self, *, text: str) -> str:
        """Return a text as a note signed by the key of checkpoints. Raises SignerUnavailable."""
        return signed(text, self._signer)

    def newest(self) -> NumberedCheckpoint | None:
        """Return the newest checkpoint. Raises CheckpointsUnavailable, CheckpointsBroken."""
        number = self._files.refresh()
        return NumberedCheckpoint(number, self._files.header(number)) if number else None

    def list(self, *, before: int | None, limit: int) -> Sequence[NumberedCheckpoint]:
        """Return checkpoints, the newest first.

        Args:
            before: Begin below this number; None: with the newest.

        Raises:
            CheckpointsUnavailable, CheckpointsBroken.
        """
        last = self._files.refresh() if before is None else min(before - 1, self._files.refresh())
        numbers = range(last, max(last - limit, 0), -1)
        return [NumberedCheckpoint(number, self._files.header(number)) for number in numbers]

    def heads(self, *, number: int) -> Sequence[Head]:
        """Return the heads that a checkpoint added, in the order of their leaves.

        Raises:
            NoSuchCheckpoint, CheckpointsUnavailable, CheckpointsBroken.
        """
        if not 1 <= number <= self._files.refresh():
            raise NoSuchCheckpoint(f"there is no checkpoint {number}")
        return self._files.heads(number)

    def published(self, *, first: int, limit: int) -> tuple[Sequence[Head], int]:
        """Return heads of all checkpoints in the order of their leaves, and how many heads there are.

        Args:
            first: The leaf to begin with, from 0 on.

        Raises:
            CheckpointsUnavailable, CheckpointsBroken.
        """
        newest = self._files.refresh()
        size = self._files.header(newest).checkpoint.size if newest else 0
        heads: list[Head] = []
        while len(heads) < limit and first + len(heads) < size:
            number = self._holding(first + len(heads))
            heads += self._files.heads(number)[first + len(heads) - self._files.header(number).first :]
        return heads[:limit], size

    def _holding(self, leaf: int) -> int:
        """Return the checkpoint that added a leaf."""
        return self._files.first(lambda header: leaf < header.checkpoint.size)

    def prove(self, *, stream: str) -> Proof:
        """Prove a stream, as ``proofs.prove`` does and with its errors."""
        return prove(self._files, self._log, stream)
