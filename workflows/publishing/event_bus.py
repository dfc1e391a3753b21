"""The bus that carries what happened to orders to whoever subscribes, as a port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from workflows.publishing.cloud_events import CloudEvent


class EventBusUnavailable(Exception):
    """The bus did not take ``not_taken``, for now or for good (too large). Some of them may have gone out all the same.

    Empty when it is not known which. Retryable: yes, those or all of them again.
    """

    def __init__(self, why: str, not_taken: Sequence[CloudEvent] = ()) -> None:
        super().__init__(why)
        self.not_taken = tuple(not_taken)


class EventBus(Protocol):
    """EventBridge, or what stands for it."""

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Hand over any number of events, durably on return; each at least once.

        All are tried, also behind one that is not taken. Raises EventBusUnavailable.
        """
        ...
