"""Live updates: a thousand sockets on one engine that runs whole orders, from the commit to the socket.

The engine and the people run in this process, the projector of the views and the subscribers in two others: each
socket is a customer's, with the topic of the customer's own orders. The time of a message counts from the oldest event
in it (recorded before its fsync) until the subscriber has parsed it. The rate is compared with that of the same orders
without subscribers, and with that without views as well: then the projector's process is stopped (SIGSTOP). One
subscriber to all orders is measured by itself, because on two cores a thousand sockets and their client take the
engine's place. The processor time of each process shows what bounds the rate.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import count
from pathlib import Path
from statistics import quantiles
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
from benchmarks.results import Beside, Row, at_least, at_most, publish
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


def main() -> None:
    chosen = options(__doc__)
    sockets, orders = chosen.size(1000, 50), chosen.size(1500, 60)
    with TemporaryDirectory() as folder:
        results = _measure(Path(folder), sockets, orders)
    bare, bare_cpu, bare_projector = results["bare"]
    watched, watched_cpu, watched_projector = results["watched"]
    alone, alone_cpu, _ = results["alone"]
    one, one_cpu, _ = results["one"]
    seen = results["seen"]
    cut = quantiles(seen["latencies_s"], n=100)
    detail = {"sockets": sockets, "orders": orders, "messages": seen["messages"], "events": seen["events"]}
    rows = [
        Row(
            name=f"whole orders, {sockets} sockets",
            value=orders / watched,
            unit="orders/s",
            peer=Beside("without sockets", orders / bare),
            target=at_least(50, of="value"),
            detail=detail,
        ),
        Row(
            name=f"whole orders, views and {sockets} sockets",
            value=orders / watched,
            unit="orders/s",
            peer=Beside("without both", orders / alone),
            detail=detail,
        ),
        Row(
            name="whole orders, views and a subscriber to all orders",
            value=orders / one,
            unit="orders/s",
            peer=Beside("without both", orders / alone),
            target=at_least(0.8),
            detail=detail,
        ),
        Row(
            name="CPU of the engine an order, views and a subscriber to all orders",
            value=one_cpu / orders * 1000,
            unit="ms",
            peer=Beside("without both", alone_cpu / orders * 1000),
            detail=detail,
        ),
        Row(
            name="whole orders, views",
            value=orders / bare,
            unit="orders/s",
            peer=Beside("without views", orders / alone),
            detail=detail,
        ),
        Row(
            name="CPU of the engine an order, views",
            value=bare_cpu / orders * 1000,
            unit="ms",
            peer=Beside("without views", alone_cpu / orders * 1000),
            detail=detail,
        ),
        Row(
            name=f"CPU an order, {sockets} sockets",
            value=watched_cpu / orders * 1000,
            unit="ms",
            peer=Beside("without sockets", bare_cpu / orders * 1000),
            target=at_most(1.25),
            detail=detail,
        ),
        Row(
            name=f"CPU of the projector an order, {sockets} sockets",
            value=watched_projector / orders * 1000,
            unit="ms",
            peer=Beside("without sockets", bare_projector / orders * 1000),
            detail=detail,
        ),
        Row(
            name=f"CPU of the subscribers' process an order, {sockets} sockets",
            value=seen["cpu_s"] / orders * 1000,
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
        Row(
            name="events lost or repeated", value=seen["faults"], unit="", target=at_most(0, of="value"), detail=detail
        ),
    ]
    publish("live", rows, quick=chosen.quick, as_json=chosen.json)


def _measure(folder: Path, sockets: int, orders: int) -> dict[str, Any]:
    with closing(People()) as people:
        engines = observed_engine(people.wrapped)
        with engines.open(folder, template=TEMPLATE, gateways=sandbox_gateways(SandboxSettings())) as engine:
            port = engine.serve(0)
            driver = ManyCustomers(engine, sockets)

            def play(name: str, number: int) -> tuple[float, float, float]:
                """Play orders; return the seconds, and the CPU seconds of this process and of the projector."""
                began = time.perf_counter(), time.process_time(), _projector_cpu_s(engine)
                people.play(engine, driver, orders=number, in_flight=32, cancelled=0.0, name=name)
                ended = time.perf_counter(), time.process_time(), _projector_cpu_s(engine)
                seconds, cpu_s, projector_cpu_s = (after - before for before, after in zip(began, ended, strict=True))
                return seconds, cpu_s, projector_cpu_s

            play("warm", max(32, orders // 10))
            with _without_views(engine):
                alone = play("alone", orders)
            bare = play("bare", orders)
            with _subscribers(folder, port, ["orders"]):
                one = play("one", orders)
            with _subscribers(folder, port, [f"customer/cus_{number}" for number in range(sockets)]) as seen:
                watched = play("watched", orders)
    return {"alone": alone, "bare": bare, "one": one, "watched": watched, "seen": seen}


@contextmanager
def _subscribers(folder: Path, port: int, topics: list[str]) -> Iterator[dict[str, Any]]:
    """Run one subscriber for each topic within. The yielded dictionary holds what they received afterwards."""
    seen: dict[str, Any] = {}
    command = [sys.executable, "-m", "benchmarks.live", "subscribe", str(folder), str(port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as subscribers:
        assert subscribers.stdin is not None
        assert subscribers.stdout is not None
        subscribers.stdin.write(json.dumps(topics) + "\n")
        subscribers.stdin.flush()
        assert subscribers.stdout.readline() == "ready\n"
        yield seen
        time.sleep(SETTLES_WITHIN_S / 5)
        seen.update(json.loads(subscribers.communicate()[0]))


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
    """What all sockets of this process received."""

    def __init__(self) -> None:
        self.latencies_s: list[float] = []
        self.messages = self.events = self.faults = 0
        self._versions: dict[str, int] = {}

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
        cpu_s = time.process_time() - began_cpu_s
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    result = {name: getattr(seen, name) for name in ("latencies_s", "messages", "events", "faults")}
    print(json.dumps({**result, "cpu_s": cpu_s}), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["subscribe"]:
        asyncio.run(subscribe(Path(sys.argv[2]), int(sys.argv[3]), json.loads(sys.stdin.readline())))
    else:
        main()
