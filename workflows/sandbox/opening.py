"""Opens the sandbox: three simulated providers over one file, so that one fsync can serve calls to all of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from workflows.clock import Clock
from workflows.hub.hub import Hub
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.courier import SandboxCouriers
from workflows.sandbox.kitchen import SandboxKitchen
from workflows.sandbox.payment import SandboxPayments
from workflows.sandbox.settings import SandboxSettings
from workflows.sqlite.database import Database

SANDBOX = "sandbox.sqlite"
"""The file of the ledgers, in the engine's folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """The simulated providers of one engine. ``close`` them after the engine."""

    payments: SandboxPayments
    kitchen: SandboxKitchen
    couriers: SandboxCouriers
    database: Database

    def close(self) -> None:
        self.database.close()


def open_sandbox(
    file: Path,
    settings: SandboxSettings,
    surroundings: Surroundings,
    *,
    hub: Hub | None = None,
    read_only: bool = False,
) -> Sandbox:
    """Open or create the sandbox's file, which is not the engine's.

    Args:
        read_only: Open beside a running engine, only for ``entries`` and ``position``.

    Raises:
        DatabaseInUse: Another process has the file.
    """
    database = Database(file, hub=hub, read_only=read_only, readers=2)  # only checks of the books read
    return Sandbox(
        payments=SandboxPayments(database, settings.payment, surroundings),
        kitchen=SandboxKitchen(database, settings.kitchen, surroundings),
        couriers=SandboxCouriers(database, settings.courier, surroundings),
        database=database,
    )


def sandbox_gateways(settings: SandboxSettings) -> Callable[[Path, Clock, Hub], AbstractContextManager[Sandbox]]:
    """Return what ``EmbeddedEngine.open`` takes as its gateways: the sandbox, in the engine's folder."""

    def open_(folder: Path, clock: Clock, hub: Hub) -> AbstractContextManager[Sandbox]:
        surroundings = Surroundings(clock=clock, random=SystemRandom())
        return closing(open_sandbox(folder / SANDBOX, settings, surroundings, hub=hub))

    return open_
