"""Shared by tests that open a sandbox: a clock moved by hand, and a sandbox that can be closed and opened again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Protocol

import pytest

from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import Sandbox, open_sandbox
from workflows.sandbox.settings import SandboxSettings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class HandClock:
    """A clock that stands still until a test moves it."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def advance(self, by: timedelta) -> None:
        self.at += by


class OpenSandbox(Protocol):
    def __call__(
        self, settings: SandboxSettings = ..., *, wait: Callable[[float], None] = ..., seed: int = ...
    ) -> Sandbox: ...


def ignore_latency(_seconds: float) -> None:
    """Let simulated latency take no time."""


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def opened(tmp_path: Path, clock: HandClock) -> Iterator[OpenSandbox]:
    """Open the sandbox of this test; opening it again closes it first, as a restart does."""
    sandboxes: list[Sandbox] = []

    def open_again(
        settings: SandboxSettings | None = None, *, wait: Callable[[float], None] = ignore_latency, seed: int = 1
    ) -> Sandbox:
        for sandbox in sandboxes:
            sandbox.close()
        surroundings = Surroundings(clock=clock, random=Random(seed), wait=wait)
        sandboxes.append(open_sandbox(tmp_path / "sandbox.sqlite", settings or SandboxSettings(), surroundings))
        return sandboxes[-1]

    yield open_again
    for sandbox in sandboxes:
        sandbox.close()
