"""Opens the sandbox: three counterparties over one file, so that one fsync can serve calls to all of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from workflows.embedded.database import Database
from workflows.gateways.sandbox.counterparty import Surroundings
from workflows.gateways.sandbox.courier import SandboxCouriers
from workflows.gateways.sandbox.kitchen import SandboxKitchen
from workflows.gateways.sandbox.payment import SandboxPayments
from workflows.gateways.sandbox.settings import SandboxSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """The outside world of one engine. ``close`` it when the engine stopped."""

    payments: SandboxPayments
    kitchen: SandboxKitchen
    couriers: SandboxCouriers
    database: Database

    def close(self) -> None:
        self.database.close()


def open_sandbox(
    file: Path, settings: SandboxSettings, surroundings: Surroundings, *, read_only: bool = False
) -> Sandbox:
    """Open or create the sandbox's file, which is not the engine's. Raises DatabaseInUse.

    ``read_only`` runs beside an engine and offers ``entries`` and ``position`` alone, e.g. for a check of the books.
    """
    database = Database(file, read_only=read_only)
    return Sandbox(
        payments=SandboxPayments(database, settings.payment, surroundings),
        kitchen=SandboxKitchen(database, settings.kitchen, surroundings),
        couriers=SandboxCouriers(database, settings.courier, surroundings),
        database=database,
    )
