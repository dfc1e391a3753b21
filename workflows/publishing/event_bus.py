"""The event bus as a port: it delivers the events of orders to subscribers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.picklable import Picklable
from workflows.publishing.cloud_events import CloudEvent


class EventBusUnavailable(Picklable, Exception):
    """The bus did not accept ``not_taken``, for now or for good (too large). Some may have been published anyway.

    Empty if it is unknown which. Retryable: yes, these events or all of them.
    """

    def __init__(self, why: str, not_taken: Sequence[CloudEvent] = ()) -> None:
        super().__init__(why)
        self.not_taken = tuple(not_taken)


class EventBus(Protocol):
    """EventBridge, or its stand-in on one machine."""

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Publish any number of events, each at least once, durably on return.

        All are tried, even after one that was not accepted. Raises EventBusUnavailable.
        """
        ...
