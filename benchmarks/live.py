"""Live updates: a thousand sockets on one engine that runs whole orders, from the commit to the socket.

The engine and the people run in this process, the projector of the views and the subscribers in two others: each
socket is a customer's, with the topic of the customer's own orders. The time of a message counts from the oldest event
in it (recorded before its fsync) until the subscriber has parsed it. The rate is compared with that of the same orders
without subscribers, and with that without views as well: then the projector's process is stopped (SIGSTOP). One
subscriber to all orders is measured by itself, because on two cores a thousand sockets and their client take the
engine's place. A block of orders of each kind is played once a round, in random order; values are medians, and ratios
the medians of those within a round. The processor time of each process shows what bounds the rate.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from random import Random
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from benchmarks import histories
from benchmarks.driver import CommandDriver
from benchmarks.engine_process import TEMPLATE
from benchmarks.observed_engine import observed_engine
from benchmarks.options import options
from benchmarks.people import People
from benchmarks.process_tree import tree_cpu_s
from benchmarks.results import Beside, Row, Target, at_least, at_most, publish
from domain.identifiers import CustomerId, OrderId, order_id_for
from workflows.embedded.engine import EmbeddedEngine
from workflows.embedded.http.tokens import AccessTokens
from workflows.embedded.projector_process import ProjectorProcess
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings

OPENED_AT_ONCE = 32
SETTLES_WITHIN_S = 10.0


class ManyCustomers(CommandDriver):
    """Places each order for another customer, in turn."""

    def __init__(self, engine: Any, customers: int) -> None:
        super().__init__(engine)
        self._customers = customers
        self._numbers = count()

    def place(self, key: str, payment_method: str) -> OrderId:
        order_id = order_id_for(histories.CUSTOMER, key)
        placed = histories.place(order_id, payment_method=payment_method, at=self._now())
        customer = CustomerId(f"cus_{next(self._numbers) % self._customers}")
        self._handle(replace(placed, customer=customer), order_id, key)
        return order_id


@dataclass(frozen=True, slots=True)
class Played:
    """A block of orders. CPU times are in milliseconds an order."""

    orders_a_second: float
    engine_cpu_ms: float
    projector_cpu_ms: float


def main() -> None:
    chosen = options(__doc__)
    sockets, rounds, orders = chosen.size(1000, 50), chosen.size(6, 2), chosen.size(300, 60)
    with TemporaryDirectory() as folder:
        blocks, seen = _measure(Path(folder), sockets, rounds, orders)
    cut = quantiles(seen.latencies_s, n=100)
    detail = {"sockets": sockets, "rounds": rounds, "orders": orders, "messages": seen.messages, "events": seen.events}

    def compared(name: str, of: str, part: str, beside: tuple[str, str], target: Target | None = None) -> Row:
        ours, theirs = ([getattr(each, of) for each in blocks[each_part]] for each_part in (part, beside[0]))
        ratio = median(our / their for our, their in zip(ours, theirs, strict=True)) if all(theirs) else None
        unit = "orders/s" if of == "orders_a_second" else "ms"
        peer = Beside(beside[1], median(theirs))
        return Row(name=name, value=median(ours), unit=unit, peer=peer, ratio=ratio, target=target, detail=detail)

    rate, engine_cpu, projector_cpu = "orders_a_second", "engine_cpu_ms", "projector_cpu_ms"
    many, one = f"{sockets} sockets", "views and a subscriber to all orders"
    no_sockets, no_views, neither = ("views", "without sockets"), ("alone", "without views"), ("alone", "without both")
    rows = [
        compared(f"whole orders, {many}", rate, "many", no_sockets, at_least(50, of="value")),
        compared(f"whole orders, views and {many}", rate, "many", neither),
        compared(f"whole orders, {one}", rate, "one", neither, at_least(0.8)),
        compared(f"CPU of the engine an order, {one}", engine_cpu, "one", neither),
        compared("whole orders, views", rate, "views", no_views),
        compared("CPU of the engine an order, views", engine_cpu, "views", no_views),
        compared(f"CPU an order, {many}", engine_cpu, "many", no_sockets, at_most(1.25)),
        compared(f"CPU of the projector an order, {many}", projector_cpu, "many", no_sockets),
        Row(
            name=f"CPU of the subscribers' process an order, {many}",
            value=seen.cpu_s / (rounds * orders) * 1000,
            unit="ms",
            detail=detail,
        ),
        Row(name="commit to socket, p50", value=cut[49] * 1000, unit="ms", detail=detail),
        Row(
            name="commit to socket, p99",
            value=cut[98] * 1000,
            unit="ms",
            target=at_most(1000, of="value"),
            detail=detail,
        ),
        Row(name="events lost or repeated", value=seen.faults, unit="", target=at_most(0, of="value"), detail=detail),
    ]
    publish("live", rows, quick=chosen.quick, as_json=chosen.json)


def _measure(folder: Path, sockets: int, rounds: int, orders: int) -> tuple[dict[str, list[Played]], Seen]:
    """Play a block of orders of each part once a round, in random order.

    Returns:
        The blocks of each part, and what the many sockets received.
    """
    seen = Seen()
    customers = [f"customer/cus_{number}" for number in range(sockets)]
    with closing(People()) as people:
        engines = observed_engine(people.wrapped)
        with engines.open(folder, template=TEMPLATE, gateways=sandbox_gateways(SandboxSettings())) as engine:
            port = engine.serve(0)
            driver = ManyCustomers(engine, sockets)

            def play(name: str) -> Played:
                began = time.perf_counter(), time.process_time(), _projector_cpu_s(engine)
                people.play(engine, driver, orders=orders, in_flight=32, cancelled=0.0, name=name)
                ended = time.perf_counter(), time.process_time(), _projector_cpu_s(engine)
                seconds, cpu_s, projector_cpu_s = (after - before for before, after in zip(began, ended, strict=True))
                return Played(orders / seconds, cpu_s / orders * 1000, projector_cpu_s / orders * 1000)

            parts: dict[str, Callable[[], AbstractContextManager[object]]] = {
                "alone": lambda: _without_views(engine),
                "views": nullcontext,
                "one": lambda: _subscribers(folder, port, ["orders"], Seen()),
                "many": lambda: _subscribers(folder, port, customers, seen),
            }
            blocks: dict[str, list[Played]] = {name: [] for name in parts}
            play("warm")
            random = Random(1)
            for number in range(rounds):
                for name in random.sample(list(parts), len(parts)):
                    with parts[name]():
                        blocks[name].append(play(f"{name}-{number}"))
    return blocks, seen


@contextmanager
def _subscribers(folder: Path, port: int, topics: list[str], seen: Seen) -> Iterator[None]:
    """Run one subscriber for each topic within. Afterwards ``seen`` holds also what they received."""
    command = [sys.executable, "-m", "benchmarks.live", "subscribe", str(folder), str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as subscribers:
        assert subscribers.stdin is not None
        assert subscribers.stdout is not None
        subscribers.stdin.write(json.dumps(topics) + "\n")
        subscribers.stdin.flush()
        assert subscribers.stdout.readline() == "ready\n"
        yield
        time.sleep(SETTLES_WITHIN_S / 5)
        seen.add(json.loads(subscribers.communicate()[0]))


def _projector_cpu_s(engine: EmbeddedEngine) -> float:
    projector = engine.projector
    assert isinstance(projector, ProjectorProcess)
    return 0.0 if projector.pid is None else tree_cpu_s(projector.pid)


@contextmanager
def _without_views(engine: EmbeddedEngine) -> Iterator[None]:
    """Stop the projector's process within, and let it catch up afterwards."""
    projector = engine.projector
    assert isinstance(projector, ProjectorProcess)
    while projector.progress().state.failure or projector.pid is None:
        time.sleep(0.1)
    os.kill(projector.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(projector.pid, signal.SIGCONT)
    while projector.progress().lag_commits:
        time.sleep(0.1)


# --- the subscribers' process ----------------------------------------------------------------------------------------


class Seen:
    """What all sockets of a process received."""

    def __init__(self) -> None:
        self.latencies_s: list[float] = []
        self.messages = self.events = self.faults = 0
        self.cpu_s = 0.0
        self._versions: dict[str, int] = {}

    def report(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("latencies_s", "messages", "events", "faults", "cpu_s")}

    def add(self, report: dict[str, Any]) -> None:
        """Add what another process received."""
        for name, value in report.items():
            setattr(self, name, getattr(self, name) + value)

    def take(self, text: str) -> None:
        message = json.loads(text)
        if "events" not in message:
            return
        self.messages += 1
        for event in message["events"]:
            self.events += 1
            self.faults += event["version"] != self._versions.get(message["order_id"], 0) + 1
            self._versions[message["order_id"]] = event["version"]
        oldest = datetime.fromisoformat(message["events"][0]["recorded_at"])
        self.latencies_s.append(time.time() - oldest.timestamp())


def _reader_of(topic: str) -> tuple[str, str]:
    """Return the role and the name of the subscriber: a customer to their own orders, support to all."""
    role, _, name = topic.partition("/")
    return (role, name) if name else ("support", "anna")


async def subscribe(folder: Path, port: int, topics: list[str]) -> None:
    """Open a socket for each topic, print "ready", and print what they received once stdin is closed."""
    seen, opening, opened = Seen(), asyncio.Semaphore(OPENED_AT_ONCE), asyncio.Semaphore(0)
    tokens = AccessTokens.of(folder)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:

        async def follow(number: int) -> None:
            async with opening:
                token = tokens.mint(*_reader_of(topics[number]))
                answer = await http.post("/live-tickets", headers={"Authorization": f"Bearer {token}"})
                address = f"ws://127.0.0.1:{port}/live?ticket={answer.json()['ticket']}"
                socket = await connect(address, compression=None, open_timeout=60, ping_interval=None)
                await socket.send(json.dumps({"subscribe": topics[number]}))
                await socket.recv()
                opened.release()
            try:
                while True:
                    seen.take(str(await socket.recv()))
            except ConnectionClosed:
                return

        following = [asyncio.create_task(follow(number)) for number in range(len(topics))]
        for _ in topics:
            await opened.acquire()
        began_cpu_s = time.process_time()
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        seen.cpu_s = time.process_time() - began_cpu_s
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    print(json.dumps(seen.report()), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["subscribe"]:
        asyncio.run(subscribe(Path(sys.argv[2]), int(sys.argv[3]), json.loads(sys.stdin.readline())))
    else:
        main()
