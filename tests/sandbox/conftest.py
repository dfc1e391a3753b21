"""Fixtures of the sandbox's tests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from tests.sandbox.opened import HandClock, clock, ignore_latency, opened
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import Sandbox, open_sandbox
from workflows.sandbox.settings import NetworkSettings, PaymentSettings, SandboxSettings

__all__ = ["clock", "opened"]


@pytest.fixture(scope="module")
def lossy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, HandClock]]:
    """One sandbox for all examples of a law; payments lose two calls in five, one way or the other."""
    clock = HandClock()
    network = NetworkSettings(lost_before_rate=0.2, lost_after_rate=0.2)
    sandbox = open_sandbox(
        tmp_path_factory.mktemp("lossy") / "sandbox.sqlite",
        SandboxSettings(payment=PaymentSettings(network=network, remembers=timedelta(days=365 * 100))),
        Surroundings(clock=clock, random=Random(1), wait=ignore_latency),
    )
    yield sandbox, clock
    sandbox.close()
