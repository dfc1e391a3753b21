"""The way to a counterparty and back: it takes time, and calls and answers get lost on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from workflows.gateways.errors import Unavailable
from workflows.sandbox.settings import WireSettings

Answer = TypeVar("Answer")

STILL_RUNS = "the first call under this key still runs"
"""The reason of who comes second, while the first is under way."""


@dataclass(frozen=True, slots=True)
class _Fate:
    latency_s: float
    lost_before: bool
    lost_after: bool


class Wire:
    """Carries calls, many at once, one at a time under a key. What it loses is ``unavailable`` to the caller.

    ``wait(seconds)`` spends the latency; ``random`` decides every call's fate with three draws, so that the same seed
    and the same order of calls give the same losses.
    """

    def __init__(
        self, settings: WireSettings, random: Random, wait: Callable[[float], None], unavailable: type[Unavailable]
    ) -> None:
        self._settings = settings
        self._random = random
        self._wait = wait
        self._unavailable = unavailable
        self._guard = threading.Lock()
        self._running: set[str] = set()

    def carry(self, key: str, timeout_s: float, act: Callable[[], Answer]) -> Answer:
        """The answer of ``act``, if the call and the answer arrive within ``timeout_s``."""
        with self._the_only_call_under(key):
            fate = self._draw()
            self._wait(min(fate.latency_s, timeout_s))
            if fate.lost_before:
                raise self._unavailable(key, "the call was lost")
            answer = act()
            if fate.latency_s > timeout_s:  # the counterparty does not know that the caller has left
                raise self._unavailable(key, f"no answer within {timeout_s:g} s")
            if fate.lost_after:
                raise self._unavailable(key, "the answer was lost")
        return answer

    @contextmanager
    def _the_only_call_under(self, key: str) -> Iterator[None]:
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
