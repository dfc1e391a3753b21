"""Count the calls of one order: a real run on the embedded engine, through its HTTP API.

The engine comes to rest before each act of a person, as in a real restaurant, so that the counts are the same every
time. Reads and writes of the log and of documents are recorded with the bytes that DynamoDB would bill.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.driver import HttpDriver
from benchmarks.observed_engine import ObservedPort, observed_engine
from domain.identifiers import OrderId
from workflows.embedded.arns import execution_arn
from workflows.embedded.engine import EmbeddedEngine
from workflows.event_store.commits import Commit
from workflows.event_store.documents import Document
from workflows.event_store.event_log import item_size
from workflows.sandbox.opening import sandbox_gateways
from workflows.sandbox.settings import SandboxSettings

TEMPLATE = Path(__file__).parents[1] / "template.yaml"
QUIET_WITHIN_S = 30.0

BESIDE_ORDERS = "Timer"
"""The scheduled function, whose calls do not belong to an order."""

Story = Literal["happy", "declined", "compensated"]
STORIES: tuple[Story, ...] = ("happy", "declined", "compensated")

ACTS: dict[Story, tuple[str, ...]] = {
    "happy": ("accept", "assign", "ready", "pick-up", "deliver"),
    "declined": (),
    "compensated": ("accept", "assign", "cancel"),
}
"""The acts of people. In "compensated" the customer cancels while the meal is cooked and a courier is assigned."""


@dataclass(frozen=True, slots=True)
class Access:
    """One call of a table by a function.

    ``size`` is what DynamoDB bills: the bytes of the item, or of all items of a query.
    """

    function: str
    table: Literal["events", "documents"]
    kind: Literal["read", "write"]
    size: int


@dataclass(slots=True)
class Counts:
    """The calls of one order.

    ``cpu_s`` is CPU time by function, ``personal`` the keyring's calls by function and method, ``shown`` the answers of
    APIs that have a body.
    """

    states: Counter[str] = field(default_factory=Counter)
    invocations: Counter[str] = field(default_factory=Counter)
    cpu_s: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    accesses: list[Access] = field(default_factory=list)
    outside: Counter[str] = field(default_factory=Counter)
    outside_by: Counter[str] = field(default_factory=Counter)
    machine_calls: Counter[str] = field(default_factory=Counter)
    commits: list[Commit] = field(default_factory=list)
    personal: Counter[str] = field(default_factory=Counter)
    shown: Counter[str] = field(default_factory=Counter)
    answered_bytes: int = 0

    def summary(self) -> dict[str, int]:
        """Sum up the counts that have a budget."""
        tables = Counter(f"{access.table} {access.kind}s" for access in self.accesses)
        return {
            **{f"states of {machine}": count for machine, count in sorted(self.states.items())},
            **{f"invocations of {function}": count for function, count in sorted(self.invocations.items())},
            **dict(sorted(tables.items())),
            "outside calls": self.outside.total(),
            "orders shown": self.shown.total(),
        }


@contextmanager
def counting(folder: Path) -> Iterator[Callable[[Story], Counts]]:
    """Open an engine and yield ``count(story)``, which plays an order to its end and counts its calls."""
    counter, providers = _Counter(), sandbox_gateways(SandboxSettings())
    with observed_engine(counter.wrapped).open(
        folder, template=TEMPLATE, gateways=providers, projector_apart=False
    ) as engine:
        counter.watch(engine)
        driver = HttpDriver(engine, engine.serve(0), minimal=True)
        driver.place("warm", "pm_ok")  # creates tables, imports modules, makes the customer's key
        counter.rest()
        numbers = iter(range(10**6))

        def count(story: Story) -> Counts:
            return _played(engine, driver, counter, story, f"{story}-{next(numbers)}")

        yield count


def _played(engine: EmbeddedEngine, driver: HttpDriver, counter: _Counter, story: Story, key: str) -> Counts:
    counter.begin()
    order_id = driver.place(key, "pm_declined" if story == "declined" else "pm_ok")
    counter.rest()
    for act in ACTS[story]:
        driver.act(act, order_id, _intent_version(engine, order_id, act))
        counter.rest()
    engine.executions.ended(execution_arn("OrderMachine", f"{order_id}-1")).result(QUIET_WITHIN_S)
    counter.rest()
    counts = counter.counts
    for row in engine.reports._journal.family(order_id):
        counts.states[row.machine] += row.state_entries
    counts.commits = [row for row in engine.ports.log.read(f"order#{order_id}") if isinstance(row, Commit)]
    return counts


def _intent_version(engine: EmbeddedEngine, order_id: OrderId, act: str) -> int:
    from workflows.orders.command_handling import load

    order = load(engine.ports.log._port, order_id)[1]  # type: ignore[attr-defined]  # without being counted
    if act in ("accept", "ready"):
        assert order.ticket is not None
        return order.ticket.intent
    return order.delivery.offers[-1].intent if order.delivery.offers else 0


class _Counter:
    """Counts the calls that an engine's functions make to its ports, and knows when the engine is at rest."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._function = threading.local()
        self._gate = threading.Lock()
        self._busy = 0
        self._engine: EmbeddedEngine | None = None

    def begin(self) -> None:
        self.counts = Counts()

    # --- ports ---------------------------------------------------------------------------------------------------

    def wrapped(self, name: str, port: Any) -> Any:
        """Wrap a port, for ``observed_engine``."""
        notes = {"log": self._log, "documents": self._documents, "executions": self._executions}
        return ObservedPort(port, notes.get(name, self._outside))

    def _log(self, call: str, arguments: tuple[Any, ...], _: dict[str, Any], result: Any) -> None:
        if call == "load":
            stored = self._commits(arguments[0])
            self._note("events", "read", sum(map(item_size, stored)))
        elif call == "append" and result.version > arguments[0].version:
            self._note("events", "write", item_size(self._commits(result.stream)[-1]))

    def _commits(self, stream: str) -> list[Commit]:
        assert self._engine is not None
        return list(self._engine.ports.log._port.read(stream))  # type: ignore[attr-defined]  # without being counted

    def _documents(self, call: str, _: tuple[Any, ...], __: dict[str, Any], result: Any) -> None:
        self._note("documents", *billed(call, result))

    def _executions(self, call: str, *_: Any) -> None:
        with self._gate:
            self.counts.machine_calls[call] += 1

    def _outside(self, call: str, *_: Any) -> None:
        with self._gate:
            self.counts.outside[call] += 1
            self.counts.outside_by[self._name()] += 1

    def _note(self, table: Literal["events", "documents"], kind: Literal["read", "write"], size: int) -> None:
        if self._name() != BESIDE_ORDERS:
            with self._gate:
                self.counts.accesses.append(Access(self._name(), table, kind, size))

    def _name(self) -> str:
        return getattr(self._function, "name", "")

    # --- functions -----------------------------------------------------------------------------------------------

    def watch(self, engine: EmbeddedEngine) -> None:
        """Record each invocation with its CPU time, and which function makes which calls."""
        self._engine = engine
        functions = engine._functions
        run = functions._result

        def observed(call: Any, context: Any) -> Any:
            self._function.name = name = call.function.logical_id
            if name == BESIDE_ORDERS:
                return run(call, context)
            with self._gate:
                self._busy += 1
                self.counts.invocations[name] += 1
            began = time.thread_time()
            try:
                result = run(call, context)
                self._answered(name, result)
                return result
            finally:
                took = time.thread_time() - began
                with self._gate:
                    self._busy -= 1
                    self.counts.cpu_s[name] += took

        functions._result = observed  # type: ignore[method-assign]  # observes this engine alone
        keyring = engine.ports.log._port._codec  # type: ignore[attr-defined]  # observes this engine alone
        keyring._keyring = ObservedPort(keyring._keyring, self._personal)

    def _answered(self, name: str, result: Any) -> None:
        if name.endswith("Api"):
            with self._gate:
                self.counts.answered_bytes += len(json.dumps(result))
                self.counts.shown[name] += bool(result["body"])

    def _personal(self, call: str, *_: Any) -> None:
        with self._gate:
            self.counts.personal[f"{self._name()} {call}"] += 1

    def rest(self) -> None:
        """Wait until no function runs or waits and the feed has processed all commits, three times in a row."""
        assert self._engine is not None
        deadline, quiet = time.monotonic() + QUIET_WITHIN_S, 0
        while quiet < 3:
            quiet = quiet + 1 if self._quiet() else 0
            if time.monotonic() > deadline:
                raise TimeoutError("the engine does not come to rest")
            time.sleep(0.01)

    def _quiet(self) -> bool:
        assert self._engine is not None
        engine = self._engine
        feed = engine._feed
        followed = not feed._unfinished and not feed._feed.changes(feed._read_to, 1)
        rounds = engine.executions._rounds
        settled = not rounds._inbox and not rounds._under_way
        return followed and settled and self._busy == 0 and engine._functions.waiting == 0


def billed(call: str, result: Any) -> tuple[Literal["read", "write"], int]:
    """Return the kind of a call of documents, and the bytes that DynamoDB bills for it."""
    match call:
        case "get":
            return "read", document_size(result) if result else 0
        case "list":
            return "read", sum(map(document_size, result))
        case "put":
            return "write", document_size(result)
        case _:
            return "write", 200  # of a typical deleted document; they have between 150 and 700 bytes


def document_size(document: Document) -> int:
    """Return the bytes of a document's item in DynamoDB; its number takes 2 bytes, its write id 16."""
    body = len(json.dumps(document.body, separators=(",", ":")).encode())
    return len("pkskvwbody") + len(document.pk.encode()) + len(document.sk.encode()) + body + 2 + 16
