"""Turn histories of the domain's world into recorded events and whole logs, for tests of everything above the log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from domain.identifiers import SYSTEM, OrderId
from domain.order.commands import Command
from domain.order.order import Order
from tests.domain.order.stories import ORDER_ID, StoryLine, command_of
from tests.domain.order.world import World
from workflows.asl.signals import JSON
from workflows.clock import timestamp
from workflows.engine import EVENT_TYPES, Engine, assemble
from workflows.event_store.codec import Codec
from workflows.event_store.commits import Meta, RecordedEvent
from workflows.executions import TokenGone
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.orders.command_handling import Caller, handle, load

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
META = Meta(SYSTEM, "", "", "")


def recorded(world: World) -> tuple[RecordedEvent, ...]:
    """Return all events of the world as recorded, each commit a minute after the one before it."""
    return tuple(
        RecordedEvent(version, event, f"key-{minute}", timestamp(START + timedelta(minutes=minute)), META)
        for minute, version, event in _numbered(world)
    )


def _numbered(world: World) -> Iterator[tuple[int, int, Any]]:
    version = 0
    for minute, sent in enumerate(sent for sent in world.sent if sent.events):
        for event in sent.events:
            version += 1
            yield minute, version, event


class HandClock:
    """A clock that stands still until a test advances it."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


class Runs:
    """Executions that do not run: keeps the names of started ones and the settled tokens with their answers."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.waiting: set[str] = set()
        self.woken: list[tuple[str, str]] = []

    def start(self, machine: str, name: str, input: JSON) -> None:  # noqa: A002 - the API's own word
        if name not in self.started:
            self.started.append(name)

    def succeed(self, token: str, output: JSON) -> None:
        self._settle(token, output["answer"])

    def fail(self, token: str, error: str, cause: str) -> None:
        self._settle(token, error)

    def _settle(self, token: str, how: str) -> None:
        if token not in self.waiting:
            raise TokenGone("no task waits with this token")
        self.waiting.remove(token)
        self.woken.append((token, how))


@dataclass
class Shop:
    """Stores, executions and a clock, without providers: the test records the outcomes of provider calls."""

    clock: HandClock = field(default_factory=HandClock)
    executions: Runs = field(default_factory=Runs)
    documents: InMemoryDocuments = field(default_factory=InMemoryDocuments)

    def __post_init__(self) -> None:
        self.keyring = InMemoryKeyRing()
        self.log = InMemoryEventLog(Codec(self.keyring, EVENT_TYPES), self.clock)
        no_provider: Any = None  # no step is performed here
        self.engine: Engine = assemble(
            log=self.log,
            documents=self.documents,
            executions=self.executions,
            payments=no_provider,
            kitchen=no_provider,
            couriers=no_provider,
            clock=self.clock,
        )
        self._keys = count()

    def play(self, *lines: StoryLine, order_id: OrderId = ORDER_ID) -> Order:
        """Handle the commands of a story, each as one commit, and return the order."""
        for line in lines:
            self.record(command_of(line, self.order(order_id)), order_id)
        return self.order(order_id)

    def record(self, command: Command, order_id: OrderId = ORDER_ID) -> None:
        caller = Caller(SYSTEM, "test", "test")
        handle(self.log, command, order_id=order_id, key=f"test/{next(self._keys)}", caller=caller)

    def order(self, order_id: OrderId = ORDER_ID) -> Order:
        return load(self.log, order_id)[1]
