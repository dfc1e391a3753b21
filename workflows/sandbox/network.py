"""Simulates the network to a provider: it takes time, and it loses calls and answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from workflows.gateways.errors import Unavailable
from workflows.sandbox.settings import NetworkSettings

Receipt = TypeVar("Receipt")

STILL_RUNS = "the first call under this key still runs"
"""The reason given to a second call that arrives while the first under its key is under way."""


@dataclass(frozen=True, slots=True)
class _Fate:
    latency_s: float
    lost_before: bool
    lost_after: bool


class UnreliableNetwork:
    """Carries calls, many at once, but one at a time under a key. A lost call is ``unavailable`` to the caller.

    ``wait(seconds)`` spends the latency. Each call takes three draws from ``random``, so the same seed and the same
    order of calls give the same losses.
    """

    def __init__(
        self, settings: NetworkSettings, random: Random, wait: Callable[[float], None], unavailable: type[Unavailable]
    ) -> None:
        self._settings = settings
        self._random = random
        self._wait = wait
        self._unavailable = unavailable
        self._guard = threading.Lock()
        self._running: set[str] = set()

    def carry(self, key: str, timeout_s: float, act: Callable[[], Receipt]) -> Receipt:
        """Return the result of ``act`` if neither the call nor its answer is lost or takes longer than ``timeout_s``.

        Raises:
            Unavailable: Of the provider's own class; ``act`` may have happened all the same.
        """
        with self._only_call_under(key):
            fate = self._draw()
            self._wait(min(fate.latency_s, timeout_s))
            if fate.lost_before:
                raise self._unavailable(key, "the call was lost")
            receipt = act()
            if fate.latency_s > timeout_s:  # the provider acts although the caller has given up
                raise self._unavailable(key, f"no answer within {timeout_s:g} s")
            if fate.lost_after:
                raise self._unavailable(key, "the answer was lost")
        return receipt

    @contextmanager
    def _only_call_under(self, key: str) -> Iterator[None]:
        with self._guard:
            if key in self._running:
                raise self._unavailable(key, STILL_RUNS)
            self._running.add(key)
        try:
            yield
        finally:
            with self._guard:
                self._running.remove(key)

    def _draw(self) -> _Fate:
        with self._guard:
            return _Fate(
                self._random.uniform(self._settings.latency_min_s, self._settings.latency_max_s),
                self._random.random() < self._settings.lost_before_rate,
                self._random.random() < self._settings.lost_after_rate,
            )
