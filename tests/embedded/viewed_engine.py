"""An engine that runs no machine and keeps views, and what its tests do with it."""

from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from time import monotonic

from domain.identifiers import SYSTEM, OrderId, order_id_for
from domain.personal import Contact
from tests.domain.order.stories import place
from workflows.embedded.engine import EmbeddedEngine
from workflows.embedded.files import VIEWS
from workflows.orders.command_handling import Caller, handle
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings

DEADLINE_S = 30.0
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Echo: {Type: "AWS::Serverless::Function", Properties: {Handler: toy_handlers.echo}}
"""
ADA = Contact(
    name="Zacharina Quillfeather",
    phone="+49 30 987654321",
    address="Schwanenwerder 77b",
    note="beware of the otter",
    email="zq@quillfeather.example",
)


@contextmanager
def engine(folder: Path, *, projector_apart: bool = False) -> Iterator[EmbeddedEngine]:
    """An engine that runs no machine; a test appends to its log."""
    template = folder.parent / "template.yaml"
    template.write_text(TEMPLATE)
    gateways = sandbox_gateways(SandboxSettings())
    with EmbeddedEngine.open(folder, template=template, gateways=gateways, projector_apart=projector_apart) as opened:
        yield opened


def order(opened: EmbeddedEngine, name: str) -> OrderId:
    order_id = order_id_for("app", name)
    command = place(order_id=order_id, contact=ADA)
    handle(opened.ports.log, command, order_id=order_id, key=f"place/{name}", caller=Caller(SYSTEM, "test", "test"))
    return order_id


def wait_until_current(opened: EmbeddedEngine) -> None:
    """Wait until the views have every commit of the log."""
    wait_until(lambda: is_current(opened))


def is_current(opened: EmbeddedEngine) -> bool:
    progress = opened.projector.progress()
    return not (progress.lag_commits or progress.state.failure)


def orders_in(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / VIEWS)) as views:
        return {order_id for (order_id,) in views.execute("SELECT order_id FROM orders")}


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + DEADLINE_S
    while not is_so():
        assert monotonic() < deadline
        Event().wait(0.05)


def running_projectors(folder: Path) -> set[int]:
    """Return the ids of the processes that project the log of this folder."""
    listed = subprocess.run(["ps", "-wweo", "pid=,args="], capture_output=True, text=True, check=True).stdout
    lines = (line.split(maxsplit=1) for line in listed.splitlines())
    return {int(pid) for pid, args in lines if "projector_main" in args and str(folder) in args}
