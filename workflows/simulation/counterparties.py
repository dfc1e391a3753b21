"""The counterparties of a simulated world: the sandbox, with its books in memory and couriers who are named."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import apsw

from domain.identifiers import CourierId, OrderId, RestaurantId
from workflows.gateways.courier import Offered
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.courier import SandboxCouriers
from workflows.sandbox.kitchen import SandboxKitchen
from workflows.sandbox.opening import Sandbox
from workflows.sandbox.payment import SandboxPayments
from workflows.sandbox.settings import SandboxSettings
from workflows.simulation.scheduler import Scheduler

T = TypeVar("T")


class SimulatedCouriers(SandboxCouriers):
    """Couriers whose dispatcher makes every second offer to two couriers by name, and the others to all."""

    def offer(  # type: ignore[override]  # the sandbox names no couriers
        self, *, reference: OrderId, restaurant: RestaurantId, attempt: int, key: str, timeout_s: float
    ) -> Offered | None:
        super().offer(reference=reference, restaurant=restaurant, attempt=attempt, key=key, timeout_s=timeout_s)
        if attempt % 2:
            return None
        at = next(entry.at for entry in self.entries(reference) if entry.id == key)
        return Offered(couriers=(CourierId("courier-ann"), CourierId("courier-bob")), at=at)


class MemoryDatabase:
    """A counterparty's database in memory: each write is one transaction."""

    read_only = False

    def __init__(self) -> None:
        self._connection = apsw.Connection(":memory:")

    def write(self, work: Callable[[apsw.Connection], T]) -> T:
        result: list[T] = []
        with self._connection:
            result.append(work(self._connection))
        return result[0]

    def read(self, work: Callable[[apsw.Connection], T]) -> T:
        return self.write(work)

    def content(self) -> bytes:
        """Return the bytes of the database, as they would be in its file."""
        return self._connection.serialize("main")

    def close(self) -> None:
        self._connection.close()


def sandbox_in_memory(scheduler: Scheduler, ledgers: MemoryDatabase) -> Sandbox:
    """Open a sandbox on the scheduler's clock, with its books in ``ledgers``."""
    surroundings = Surroundings(clock=scheduler, random=Random(0), wait=lambda _: None)
    settings = SandboxSettings()
    database: Any = ledgers
    return Sandbox(
        payments=SandboxPayments(database, settings.payment, surroundings),
        kitchen=SandboxKitchen(database, settings.kitchen, surroundings),
        couriers=SimulatedCouriers(database, settings.courier, surroundings),
        database=database,
    )
