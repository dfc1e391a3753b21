"""The equal order on Temporal's dev server: ``python -m benchmarks.peers.temporal_order FOLDER``.

The server is the command line's ``server start-dev`` with a SQLite file in WAL mode and ``synchronous`` FULL, the most
durable that it can be. The worker has the SDK's defaults, and runs the activities on 32 threads.
"""

# mypy: ignore-errors
# It runs in a virtual environment of its own, whose packages mypy cannot see.

from __future__ import annotations

import asyncio
import inspect
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.peers.order_people import CANCEL, AnsweringPeople
from benchmarks.peers.order_rounds import answer_orders
from benchmarks.peers.order_steps import OrderSteps
from benchmarks.peers.temporal_workflow import OrderWorkflow

QUEUE = "orders"
ACTIVITIES_AT_ONCE = 32
_STEPS = ("place", "authorize", "send_ticket", "make_offer", "record", "capture")
_COMPENSATIONS = ("withdraw_offer", "cancel_ticket", "void")
_SERVER = Path(sys.executable).with_name("temporal")


def main(folder: Path) -> None:
    people = AnsweringPeople()
    steps = OrderSteps(folder, people.observe)
    activities = [_activity(name, getattr(steps, name)) for name in _STEPS + _COMPENSATIONS]
    with _server(folder) as address, closing(_Loop()) as loop:
        client, worker = loop.wait(_connected(address, activities))
        working = loop.begin(worker.run())

        def answer(order: str, act: str) -> None:
            handle = client.get_workflow_handle(order)
            loop.wait(handle.cancel() if act == CANCEL else handle.signal(OrderWorkflow.answer, act))

        def placed(order: str) -> str:
            return loop.wait(client.execute_workflow(OrderWorkflow.run, order, id=order, task_queue=QUEUE))

        people.answer = answer
        answer_orders(placed, steps, people)
        loop.wait(worker.shutdown())
        working.result()


class _Loop:
    """An event loop on a thread of its own, for the client and the worker."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.begin(work).result(120)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def _activity(name: str, step: Callable[..., str]) -> Callable[..., str]:
    """Make an activity of a bound method, which takes no attributes itself."""

    def run(*arguments: str) -> str:
        return step(*arguments)

    run.__signature__ = inspect.signature(step)
    return activity.defn(name=name)(run)


async def _connected(address: str, activities: list[Callable[..., str]]) -> tuple[Client, Worker]:
    """Connect to the server once it is up, and make the worker."""
    deadline = time.monotonic() + 60
    while True:
        try:
            client = await Client.connect(address)
            break
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
    threads = ThreadPoolExecutor(ACTIVITIES_AT_ONCE)
    return client, Worker(
        client,
        task_queue=QUEUE,
        workflows=[OrderWorkflow],
        activities=activities,
        activity_executor=threads,
        max_concurrent_activities=ACTIVITIES_AT_ONCE,
    )


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """Run the server until the end of the block, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [_SERVER, "server", "start-dev", "--headless", "--log-level", "never", "--ip", "127.0.0.1"]
    command += ["--port", str(port), "--db-filename", str(folder / "temporal.sqlite")]
    command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=2"]
    environment = os.environ | {"TEMPORAL_VERSION_CHECK_DISABLED": "1"}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
