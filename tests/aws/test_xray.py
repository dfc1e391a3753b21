"""A function names its order to X-Ray, by one datagram, and only if its trace is sampled."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from workflows.aws.xray import annotated
from workflows.simulation.scheduler import Scheduler

ROOT = "1-4bf92f35-77b34da6a3ce929d0e0e4736"
SAMPLED = f"Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:a:0"


class Daemon:
    """Stands for the daemon of X-Ray in Lambda's environment."""

    def __init__(self, datagrams: socket.socket) -> None:
        self._datagrams = datagrams
        self.address = "{}:{}".format(*datagrams.getsockname())

    def received(self) -> list[Any]:
        """Return the subsegments that have arrived. On one machine they arrive before ``sendto`` returns."""
        segments = []
        while True:
            try:
                head, _, segment = self._datagrams.recv(65536).decode().partition("\n")
            except BlockingIOError:
                return segments
            assert json.loads(head) == {"format": "json", "version": 1}
            segments.append(json.loads(segment))


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("127.0.0.1", 0))
        datagrams.setblocking(False)
        yield Daemon(datagrams)


def step(environment: dict[str, str], error: Exception | None = None) -> None:
    with annotated("settle", {"order_id": "ord_1", "run": 2}, Scheduler(1), environment):
        if error is not None:
            raise error


def test_a_step_of_a_sampled_trace_is_found_by_its_order(daemon: Daemon) -> None:
    """The subsegment belongs to the function's own segment."""
    step({"_X_AMZN_TRACE_ID": SAMPLED, "AWS_XRAY_DAEMON_ADDRESS": daemon.address})
    [segment] = daemon.received()
    assert (segment["trace_id"], segment["parent_id"]) == (ROOT, "53995c3f42cd8ad8")
    assert (segment["name"], segment["type"], segment["fault"]) == ("settle", "subsegment", False)
    assert segment["annotations"] == {"order_id": "ord_1", "run": 2}
    assert len(segment["id"]) == 16
    assert segment["start_time"] <= segment["end_time"]


def test_a_step_that_fails_is_a_fault_in_its_trace(daemon: Daemon) -> None:
    """The error goes on as it was; the machine needs its name."""
    with pytest.raises(KeyError):
        step({"_X_AMZN_TRACE_ID": SAMPLED, "AWS_XRAY_DAEMON_ADDRESS": daemon.address}, KeyError("why"))
    [segment] = daemon.received()
    assert segment["fault"] is True


@pytest.mark.parametrize("header", [SAMPLED.replace("Sampled=1", "Sampled=0"), f"Root={ROOT}", "", "rubbish"])
def test_a_trace_that_is_not_sampled_gets_nothing(daemon: Daemon, header: str) -> None:
    """Nor one whose header is cut."""
    step({"_X_AMZN_TRACE_ID": header, "AWS_XRAY_DAEMON_ADDRESS": daemon.address})
    assert daemon.received() == []


@pytest.mark.parametrize("address", ["", "nowhere", "127.0.0.1:1"])
def test_without_a_daemon_a_step_is_done_all_the_same(address: str) -> None:
    """A trace is worth no failure of an order."""
    step({"_X_AMZN_TRACE_ID": SAMPLED, "AWS_XRAY_DAEMON_ADDRESS": address})
