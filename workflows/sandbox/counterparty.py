"""The base of the sandbox's three providers: a simulated network in front, and a ledger that gives the receipts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

from workflows.clock import Clock
from workflows.gateways.errors import Unavailable
from workflows.hub.hub import sleep
from workflows.sandbox.ledger import Entry, Ledger, Lines, ProviderCall
from workflows.sandbox.network import UnreliableNetwork
from workflows.sandbox.settings import NetworkSettings
from workflows.sqlite.database import DatabaseUnavailable

Receipt = TypeVar("Receipt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Time and chance, passed in. ``wait(seconds)`` spends a latency."""

    clock: Clock
    random: Random
    wait: Callable[[float], None] = sleep


class Counterparty:
    """A simulated provider. Threads may share it. Every call that was answered is in its ledger, even after a kill."""

    def __init__(
        self, ledger: Ledger, network: NetworkSettings, surroundings: Surroundings, unavailable: type[Unavailable]
    ) -> None:
        self._ledger = ledger
        self._clock = surroundings.clock
        self._network = UnreliableNetwork(network, surroundings.random, surroundings.wait, unavailable)
        self._unavailable = unavailable

    def entries(self, reference: str | None = None) -> tuple[Entry, ...]:
        """Return the ledger's lines of one order, or all lines, oldest first."""
        return self._ledger.entries(reference)

    def damaged(self) -> Iterator[str]:
        """Name each line of the ledger that is not what this provider wrote."""
        return self._ledger.damaged()

    def _call(self, call: ProviderCall, timeout_s: float, perform: Callable[[Lines, datetime], Receipt]) -> Receipt:
        return self._network.carry(call.key, timeout_s, lambda: self._answer(call, perform))

    def _answer(self, call: ProviderCall, perform: Callable[[Lines, datetime], Receipt]) -> Receipt:
        at = self._clock.now()
        try:
            return self._ledger.answer(call, at, lambda lines: perform(lines, at))
        except DatabaseUnavailable as down:
            raise self._unavailable(call.key, f"the sandbox's ledger is down: {down}") from down
