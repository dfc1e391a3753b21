"""Settings -> Engine: the only place where an adapter is chosen.

A handler asks for ``engine()``. The embedded engine and the simulation put theirs in place for the call (``serving``);
so one process can run many functions, each under its own environment, and handlers read no ``os.environ`` themselves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

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
_environment: ContextVar[Mapping[str, str] | None] = ContextVar("environment", default=None)


class NotServing(RuntimeError):
    """A handler was called where no engine is in place."""


def engine() -> Engine:
    """The engine of this call. Raises NotServing."""
    found = _engine.get()
    if found is None:
        raise NotServing("no engine is in place for this call: run the handlers through the embedded engine")
    return found


def environment() -> Mapping[str, str]:
    """The environment variables of the function that is being called."""
    found = _environment.get()
    return os.environ if found is None else found


@contextmanager
def serving(engine: Engine, environment: Mapping[str, str]) -> Iterator[None]:
    """Put an engine and a function's environment in place for the calls within, in this thread."""
    engine_token, environment_token = _engine.set(engine), _environment.set(environment)
    try:
        yield
    finally:
        _engine.reset(engine_token)
        _environment.reset(environment_token)
