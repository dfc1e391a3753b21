"""Parts of the circuit breaker tests: stores, a clock that tests advance, task tokens, orders that call and wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from domain.identifiers import Actor, OrderId, Role, order_id_for
from workflows.asl.signals import JSON
from workflows.breakers.breaker import Breaker, CircuitOpen, Permit
from workflows.breakers.circuit import CircuitState
from workflows.breakers.dependencies import Dependency
from workflows.breakers.events import CircuitEvent
from workflows.breakers.settings import BreakerSettings
from workflows.breakers.transitions import Transition, transitions
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.executions import TokenGone
from workflows.in_memory.documents import InMemoryDocuments
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.in_memory.keyring import InMemoryKeyRing
from workflows.sagas.circuit_waits import CircuitWait, register, tick

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ALICE = Actor(Role.SUPPORT, "alice")
SETTINGS = BreakerSettings(
    window_s=30,
    failures_min=5,
    failure_rate=0.5,
    slow_s=8,
    probe_interval_s=15,
    probe_lease_s=20,
    release_per_s=10,
    read_every_s=2,
)


class HandClock:
    """A clock that stands still until a test advances it."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Killed(BaseException):
    """The process ended here."""


class Tokens:
    """Tasks that wait. ``woken`` holds the time, order and answer of each settled task; any other token is gone."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.waiting: dict[str, OrderId] = {}
        self.woken: list[tuple[datetime, OrderId, str]] = []
        self.before_settling: Callable[[], None] = lambda: None
        self.after_settling: Callable[[], None] = lambda: None

    def start(self, machine: str, name: str, input: JSON) -> None:  # noqa: A002 - the API's own word
        raise NotImplementedError("breakers start nothing")

    def succeed(self, token: str, output: JSON) -> None:
        self._settle(token, output["answer"])

    def fail(self, token: str, error: str, cause: str) -> None:
        self._settle(token, error)

    def _settle(self, token: str, how: str) -> None:
        self.before_settling()
        order_id = self.waiting.pop(token, None)
        if order_id is None:
            raise TokenGone("no task waits with this token")
        self.woken.append((self._clock.now(), order_id, how))
        self.after_settling()


class Store(InMemoryDocuments):
    """Documents that count reads and writes, and can kill the process at a write or run another write before it."""

    def __init__(self) -> None:
        super().__init__()
        self.kill_next_put_of = ""
        self.kill_next_delete = False
        self.before_next_put: Callable[[], object] | None = None
        self.puts = 0
        self.gets = 0
        self.longest_page = 0

    def get(self, pk, sk):
        self.gets += 1
        return super().get(pk, sk)

    def put(self, document, expected):
        first, self.before_next_put = self.before_next_put, None
        if first is not None:
            first()
        if self.kill_next_put_of and document.pk.startswith(self.kill_next_put_of):
            self.kill_next_put_of = ""
            raise Killed
        self.puts += 1
        return super().put(document, expected)

    def delete(self, pk, sk, expected):
        if self.kill_next_delete:
            self.kill_next_delete = False
            raise Killed
        super().delete(pk, sk, expected)

    def list(self, pk, *, limit=100, after=None):
        page = super().list(pk, limit=limit, after=after)
        self.longest_page = max(self.longest_page, len(page))
        return page


def order(number: int) -> OrderId:
    return order_id_for("circuits", str(number))


@dataclass
class World:
    """One circuit, its stores, and the tasks that wait for it."""

    settings: BreakerSettings = SETTINGS
    dependency: Dependency = Dependency.PAYMENTS
    clock: HandClock = field(default_factory=HandClock)
    documents: Store = field(default_factory=Store)

    def __post_init__(self) -> None:
        self.log = InMemoryEventLog(Codec(InMemoryKeyRing(), EVENT_TYPES), self.clock)
        self.executions = Tokens(self.clock)
        self.breaker = self.process()
        self._tokens = 0

    def process(self) -> Breaker:
        """Open the circuit as another process does: it shares only the stores."""
        return Breaker(self.dependency, self.settings, self.log, self.documents, self.clock)

    def admit(self, number: int = 0, breaker: Breaker | None = None) -> Permit:
        return (breaker or self.breaker).admit(order(number), f"{order(number)}/2")

    def refuses(self, number: int = 0, breaker: Breaker | None = None) -> bool:
        try:
            self.admit(number, breaker)
        except CircuitOpen:
            return True
        return False

    def call(self, *, fails: bool, number: int = 0, breaker: Breaker | None = None) -> None:
        breaker = breaker or self.breaker
        permit = self.admit(number, breaker)
        if fails:
            breaker.failed(permit, "PaymentsUnavailable: no answer")
        else:
            breaker.succeeded(permit)

    def open(self) -> None:
        for _ in range(self.settings.failures_min):
            self.call(fails=True)
        assert self.state is CircuitState.OPEN

    @property
    def state(self) -> CircuitState:
        return self.process().read().state_at(self.clock.now())

    @property
    def history(self) -> list[Transition]:
        until = self.clock.now() + timedelta(days=2)
        return list(transitions(self.log, self.dependency, NOON - timedelta(days=30), until))

    @property
    def events(self) -> list[type[CircuitEvent]]:
        return [type(transition.event) for transition in self.history]

    def wait(self, number: int, breaker: Breaker | None = None) -> CircuitWait:
        """Register a wait, as an order does that met an open circuit."""
        self._tokens += 1
        wait = CircuitWait(
            order_id=order(number),
            run=1,
            action="authorize",
            dependency=self.dependency,
            opened="breaker#payments#2026-05-04/1",
            since=self.clock.now(),
            token=f"token-{self._tokens}",
        )
        self.executions.waiting[wait.token] = wait.order_id
        register(self.documents, self.executions, breaker or self.breaker, wait)
        return wait

    def tick(self, breaker: Breaker | None = None) -> None:
        tick(self.documents, self.executions, [breaker or self.breaker], self.clock.now())

    def woken(self, how: str) -> list[OrderId]:
        return [order_id for _, order_id, answer in self.executions.woken if answer == how]
