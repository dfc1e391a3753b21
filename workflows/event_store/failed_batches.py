"""Batches of the log's stream that a function gave up on, as the timer sees them: their names, and trying one again."""

from __future__ import annotations

from typing import Protocol


class FailedBatchesUnavailable(Exception):
    """The store of failed batches, or the function that processes them, did not answer. Retryable: yes."""


class RedrivableBatches(Protocol):
    """The failed batches of a deployment. Processing a record twice has no effect."""

    def keys(self) -> list[str]:
        """List the names of all failed batches. Raises FailedBatchesUnavailable."""
        ...

    def redrive(self, key: str) -> str:
        """Have the batch processed again by its function, and delete it if none of its records failed.

        Returns:
            Why it was kept; empty if it was deleted, now or meanwhile by another caller.

        Raises:
            FailedBatchesUnavailable: The batch was kept.
        """
        ...
