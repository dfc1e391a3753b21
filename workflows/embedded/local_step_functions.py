"""A durable local Step Functions in one process: clients create machines, and functions are given by name.

The folder holds ``step-functions.sqlite`` (the machines, their executions and the executions' journal) and
``clock.json``. It is the engine's driver without orders: the same hub, journal and transactions. A client's answer
leaves after the fsync of what it says, and executions go on after a crash.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, InvalidStateError
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Final, Self

from workflows.clock import Clock
from workflows.embedded.alarms import Alarms
from workflows.embedded.lambda_.named_functions import FindFunction, NamedFunctions
from workflows.embedded.steady_clock import SAVE_EVERY_S, SteadyClock
from workflows.embedded.step_functions.api import StepFunctionsApi
from workflows.embedded.step_functions.driver import Driver
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.machine_operations import MachineOperations
from workflows.embedded.step_functions.machine_store import MachineStore
from workflows.embedded.step_functions.one_state import StateTests
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.running import Definitions
from workflows.embedded.step_functions.version_operations import VersionOperations
from workflows.embedded.step_functions.version_store import VersionStore
from workflows.hub.hub import Hub
from workflows.hub.watch import Watch
from workflows.sqlite.database import Database

log = logging.getLogger(__name__)

DATABASE: Final = "step-functions.sqlite"


class LocalStepFunctions:
    """One service on one folder: ``open`` it, use ``url``, then ``close`` it."""

    @classmethod
    def open(cls, folder: Path, *, find: FindFunction, port: int = 0, clock: Clock | None = None) -> Self:
        """Open the folder, or create it, continue the executions in it and serve.

        Args:
            find: Finds the callable for a function's name or ARN, or for a Resource of another service
                (``arn:aws:states:::sqs:sendMessage``).
            port: On 127.0.0.1; 0 takes a free one.
            clock: Instead of the folder's own clock, which does not jump.

        Raises:
            DatabaseInUse: Another service runs on the folder.
            DatabaseForeign: The folder has a database of another program.
            InvalidDefinition: A stored machine calls a service for which ``find`` has no callable any more.
            PortTaken: The port cannot be listened on.
        """
        with ExitStack() as opened:
            service = cls(folder, find, port, clock, opened)
            service._opened = opened.pop_all()
        return service

    def __init__(self, folder: Path, find: FindFunction, port: int, clock: Clock | None, opened: ExitStack) -> None:
        """Only for ``open``. What is pushed on ``opened`` is closed in reverse order."""
        self._opened = opened
        self.failed: Future[None] = Future()
        """Gets an exception when the service cannot go on, e.g. because the disk is full."""
        folder.mkdir(parents=True, exist_ok=True)
        hub = self._hub = opened.enter_context(closing(Hub()))
        opened.enter_context(closing(Watch(hub)))
        database = opened.enter_context(Database(folder / DATABASE, hub=hub, on_break=self._fail))
        clock = clock or self._steady_clock(folder, opened)
        alarms = opened.enter_context(closing(Alarms(clock, hub)))
        journal = Journal(database)
        definitions = Definitions(journal)
        reports = Reports(journal, definitions)
        machines = MachineStore(database, definitions, clock, can_call := lambda service: find(service) is not None)
        versions = VersionStore(database, definitions, machines, clock, can_call)
        functions = NamedFunctions(find, clock=clock)
        self.driver = Driver(
            database,
            journal,
            definitions,
            versions,
            functions,
            clock=clock,
            hub=hub,
            alarms=alarms,
            on_break=self._fail,
        )
        opened.callback(self.driver.close)
        self.driver.begin()
        more = {
            **MachineOperations(machines, versions, reports, can_call).by_name(),
            **VersionOperations(machines, versions).by_name(),
            **StateTests(functions.call, can_call).by_name(),
        }
        api = opened.enter_context(closing(StepFunctionsApi(self.driver, reports, more=more, port=port)))
        opened.callback(self.driver.release_waiters)  # or the API would wait for the ends of Express executions
        self.url = api.url

    def close(self) -> None:
        """Answer the requests under way, then stop. The next service continues the executions."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _steady_clock(self, folder: Path, opened: ExitStack) -> Clock:
        clock, hub = SteadyClock.of(folder), self._hub

        def save() -> None:
            clock.save(folder)
            hub.after(SAVE_EVERY_S, save)

        hub.soon(lambda: hub.after(SAVE_EVERY_S, save))
        opened.callback(clock.save, folder)
        return clock

    def _fail(self, error: BaseException) -> None:
        with suppress(InvalidStateError):  # only the first error is kept
            self.failed.set_exception(error)
