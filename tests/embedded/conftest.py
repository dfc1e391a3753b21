"""A driver with toy functions and toy machines, on a database in a temporary folder and a clock that a test moves."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from workflows.asl.reading import definition
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.lambda_.functions import Functions
from workflows.embedded.step_functions.driver import Driver, ExecutionUnknown
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.running import Definitions
from workflows.embedded.template import Function
from workflows.engine import assemble
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database

sys.path.append(str(Path(__file__).parent / "toys"))

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
DEADLINE_S = 20.0


class ManualClock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


def make_function(
    name: str, handler: str, timeout_s: int = 30, environment: Mapping[str, str] | None = None
) -> Function:
    """A function of the toy module."""
    return Function(
        logical_id=name,
        handler=f"toy_handlers.{handler}",
        timeout_s=timeout_s,
        memory_mb=128,
        environment=environment or {},
        routes=(),
    )


FUNCTIONS = {
    name: make_function(name, handler)
    for name, handler in {
        "Echo": "echo",
        "Visit": "visit",
        "WaitAtGate": "wait_at_gate",
        "LeaveToken": "leave_token",
        "Fail": "fail",
        "SettleOwnToken": "settle_own_token",
        "Record": "record",
        "RecordSlowly": "record_slowly",
    }.items()
}


class World:
    """The executions of one engine. Open another on the same folder after ``close`` to see what survived."""

    def __init__(
        self,
        folder: Path,
        machines: Mapping[str, str],
        *,
        in_memory_max: int = 1024,
        workers: int = 8,
        clock: Any = None,
    ) -> None:
        self.clock = clock or ManualClock()
        self.hub = Hub()
        self.alarms = Alarms(self.clock, self.hub)
        self.database = Database(folder / "engine.sqlite", hub=self.hub)
        self.journal = Journal(self.database)
        definitions = Definitions(self.journal)
        self.reports = Reports(self.journal, definitions)
        self.functions = Functions(FUNCTIONS, clock=self.clock, hub=self.hub, alarms=self.alarms, workers=workers)
        self.broken: list[BaseException] = []
        self.driver = Driver(
            self.database,
            self.journal,
            definitions,
            {name: _machine(name, text) for name, text in machines.items()},
            self.functions,
            clock=self.clock,
            hub=self.hub,
            alarms=self.alarms,
            in_memory_max=in_memory_max,
            on_break=self.broken.append,
        )

    def begin(self) -> World:
        nothing: Any = None  # toys use no other port
        self.functions.start(
            assemble(
                log=nothing,
                documents=nothing,
                executions=self.driver,
                payments=nothing,
                kitchen=nothing,
                couriers=nothing,
                clock=self.clock,
            )
        )
        self.driver.begin()
        return self

    def start(self, machine: str, name: str, sent: Any = None) -> str:
        self.driver.start(machine, name, sent if sent is not None else {})
        return arns.execution_arn(machine, name)

    def end_of(self, arn: str) -> dict[str, Any]:
        """The description of an execution once it has ended."""
        self.driver.ended(arn).result(DEADLINE_S)
        return self.reports.describe(arn)

    def run(self, machine: str, sent: Any = None, name: str = "one") -> dict[str, Any]:
        return self.end_of(self.start(machine, name, sent))

    def advance(self, seconds: float) -> None:
        """Move the clock, until every timer that is due by then has arrived."""
        self.clock.time += timedelta(seconds=seconds)
        self.catch_up()

    def catch_up(self) -> None:
        """Wait until every timer that is due has arrived."""
        due: Deferred[None] = Deferred()
        self.alarms.set(self.clock.now(), lambda: due.set_result(None))
        self.alarms.look()
        due.result(DEADLINE_S)
        with suppress(ExecutionUnknown):
            self.driver.ended("nobody").result(DEADLINE_S)

    def close(self) -> None:
        self.functions.close(DEADLINE_S)
        self.driver.close()
        self.alarms.close()
        self.database.close()
        self.hub.close()


def _machine(name: str, text: str) -> Machine:
    """Parse a machine; it is an Express machine if its name contains Express."""
    return Machine(name, "Express" in name, definition.parse("QueryLanguage: JSONata\n" + text, name=name))


OpenWorld = Callable[..., World]


@pytest.fixture
def open_world(tmp_path: Path) -> Iterator[OpenWorld]:
    """Opens worlds in one folder, one after the other, and closes the last."""
    opened: list[World] = []

    def open_(machines: Mapping[str, str], **options: Any) -> World:
        if opened:
            opened[-1].close()
        opened.append(World(tmp_path, machines, **options).begin())
        return opened[-1]

    yield open_
    for world in opened[-1:]:
        with suppress(Exception):  # a test that broke it fails by itself
            world.close()


@pytest.fixture
def new_world() -> type[World]:
    """For tests that open several in folders of their own."""
    return World


@pytest.fixture
def manual_clock() -> ManualClock:
    """A clock that a test moves."""
    return ManualClock()


@pytest.fixture
def toy_function() -> Callable[..., Function]:
    """Makes a function of the toy module: name, handler, and more."""
    return make_function
