"""Settings -> Engine: the only place where an adapter is chosen.

A handler asks for ``engine()``. The embedded engine and the simulation put theirs in place for the call (``serving``);
so one process can run many functions, each under its own environment, and handlers read no ``os.environ`` themselves.
Where nobody put one in place this is a function on AWS, and its engine is opened from its environment, once.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflows.breakers.breaker import Breaker, open_breakers
from workflows.breakers.events import Dependency
from workflows.breakers.settings import DEFAULTS, BreakerSettings
from workflows.clock import Clock
from workflows.documents import Documents
from workflows.event_log import EventLog
from workflows.executions import Executions
from workflows.gateways.courier import CourierGateway
from workflows.gateways.guarded import Guard, GuardedCouriers, GuardedKitchen, GuardedPayments
from workflows.gateways.kitchen import KitchenGateway
from workflows.gateways.payment import PaymentGateway

if TYPE_CHECKING:
    from workflows.event_bus import EventBus

KEYS = ("KEYS_TABLE", "CUSTOMER_KEY")
PROVIDERS = ("PAYMENTS_URL", "KITCHEN_URL", "COURIERS_URL", "PROVIDERS_SECRET")
"""Variables that are of use together, for ``engine(*KEYS)``: a function on AWS has all of a group or none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The ports of one process."""

    log: EventLog
    documents: Documents
    executions: Executions
    payments: PaymentGateway
    kitchen: KitchenGateway
    couriers: CourierGateway
    breakers: Mapping[Dependency, Breaker]
    clock: Clock


def assemble(
    *,
    log: EventLog,
    documents: Documents,
    executions: Executions,
    payments: PaymentGateway,
    kitchen: KitchenGateway,
    couriers: CourierGateway,
    clock: Clock,
    breakers: Mapping[Dependency, BreakerSettings] = DEFAULTS,
) -> Engine:
    """The ports of one process, with a circuit breaker before each gateway."""
    opened = open_breakers(breakers, log, documents, clock)
    return Engine(
        log=log,
        documents=documents,
        executions=executions,
        payments=GuardedPayments(payments, Guard(opened[Dependency.PAYMENTS], clock)),
        kitchen=GuardedKitchen(kitchen, Guard(opened[Dependency.KITCHEN], clock)),
        couriers=GuardedCouriers(couriers, Guard(opened[Dependency.COURIERS], clock)),
        breakers=opened,
        clock=clock,
    )


_engine: ContextVar[Engine | None] = ContextVar("engine", default=None)
_event_bus: ContextVar[EventBus | None] = ContextVar("event_bus", default=None)
_environment: ContextVar[Mapping[str, str] | None] = ContextVar("environment", default=None)

_opening = threading.Lock()
_opened: dict[str, Any] = {}


class EnvironmentIncomplete(RuntimeError):
    """A function is called without variables that it needs, and no engine was put in place for it."""

    def __init__(self, missing: Sequence[str]) -> None:
        what = f"the environment variable{'s' if len(missing) > 1 else ''} {', '.join(missing)}"
        super().__init__(f"{what} must be set for this function on AWS; elsewhere run it through an engine")
        self.missing = tuple(missing)


def engine(*needs: str) -> Engine:
    """The engine of this call. ``needs`` are the variables that the function reads besides, for it to miss none later.

    Raises EnvironmentIncomplete.
    """
    return _engine.get() or _process_engine(needs)


def event_bus() -> EventBus:
    """Where this call publishes: ask for ``engine("EVENT_BUS")`` before. Raises EnvironmentIncomplete."""
    return _event_bus.get() or _process_event_bus()


def environment() -> Mapping[str, str]:
    """The environment variables of the function that is being called."""
    found = _environment.get()
    return os.environ if found is None else found


def _process_engine(needs: tuple[str, ...]) -> Engine:
    with _opening:
        if "engine" not in _opened:
            from workflows.aws.opening import open_engine

            _opened["engine"] = open_engine(os.environ, needs)
        missing = [name for name in needs if not os.environ.get(name)]
        if missing:
            raise EnvironmentIncomplete(missing)
        opened: Engine = _opened["engine"]
        return opened


def _process_event_bus() -> EventBus:
    with _opening:
        if "event_bus" not in _opened:
            from workflows.aws.opening import open_event_bus

            _opened["event_bus"] = open_event_bus(os.environ)
        opened: EventBus = _opened["event_bus"]
        return opened


@contextmanager
def serving(engine: Engine, environment: Mapping[str, str], event_bus: EventBus | None = None) -> Iterator[None]:
    """Put an engine and a function's environment in place for the calls within, in this thread."""
    engine_token, environment_token = _engine.set(engine), _environment.set(environment)
    event_bus_token = _event_bus.set(event_bus)
    try:
        yield
    finally:
        _engine.reset(engine_token)
        _environment.reset(environment_token)
        _event_bus.reset(event_bus_token)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # While a function's process starts it has a whole CPU; from its first call on only its share. What is wrong with
    # its environment is told by that call.
    with suppress(Exception):
        engine()
