"""The event bus as a port: it delivers the events of orders to subscribers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.picklable import Picklable
from workflows.publishing.cloud_events import CloudEvent


class EventBusUnavailable(Picklable, Exception):
    """The bus did not accept some events. Some of them may have been published anyway. Retryable: yes.

    Attributes:
        not_accepted: The events to publish again; those that are too large are refused again. Empty if it is unknown
            which events were accepted: then all are to be published again.
    """

    def __init__(self, why: str, not_accepted: Sequence[CloudEvent] = ()) -> None:
        super().__init__(why)
        self.not_accepted = tuple(not_accepted)


class EventBus(Protocol):
    """EventBridge, or its stand-in on one machine."""

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Publish any number of events, each at least once, durably on return.

        All are tried, also after one that was not accepted. Raises EventBusUnavailable.
        """
        ...
