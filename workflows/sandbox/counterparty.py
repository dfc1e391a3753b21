"""What every counterparty of the sandbox is: a wire to it, and a ledger that it answers from."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

from workflows.clock import Clock
from workflows.gateways.errors import Unavailable
from workflows.sandbox.ledger import Call, Entry, Ledger, Lines
from workflows.sandbox.settings import WireSettings
from workflows.sandbox.wire import Wire
from workflows.sqlite.database import DatabaseUnavailable

Receipt = TypeVar("Receipt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Time and chance, passed in. ``wait(seconds)`` spends a latency."""

    clock: Clock
    random: Random
    wait: Callable[[float], None] = time.sleep


class Counterparty:
    """Many threads may call at once; a killed process leaves every answered call in the ledger."""

    def __init__(
        self, ledger: Ledger, wire: WireSettings, surroundings: Surroundings, unavailable: type[Unavailable]
    ) -> None:
        self._ledger = ledger
        self._clock = surroundings.clock
        self._wire = Wire(wire, surroundings.random, surroundings.wait, unavailable)
        self._unavailable = unavailable

    def entries(self, reference: str | None = None) -> tuple[Entry, ...]:
        """For the books check: the lines of one order, or all, oldest first."""
        return self._ledger.entries(reference)

    def _call(self, call: Call, timeout_s: float, perform: Callable[[Lines, datetime], Receipt]) -> Receipt:
        return self._wire.carry(call.key, timeout_s, lambda: self._answer(call, perform))

    def _answer(self, call: Call, perform: Callable[[Lines, datetime], Receipt]) -> Receipt:
        at = self._clock.now()
        try:
            return self._ledger.answer(call, at, lambda lines: perform(lines, at))
        except DatabaseUnavailable as down:
            raise self._unavailable(call.key, f"the sandbox's ledger is down: {down}") from down
