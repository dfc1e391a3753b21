"""The bus that carries what happened to orders to whoever subscribes, as a port."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from workflows.published import CloudEvent


class EventBusUnavailable(Exception):
    """The bus did not take all of the events; some may have gone out. Retryable: yes, all of them again."""


class EventBus(Protocol):
    """EventBridge, or what stands for it."""

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Hand over any number of events, durably on return; each at least once. Raises EventBusUnavailable."""
        ...
