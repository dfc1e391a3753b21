"""Settings of the functions that run by themselves: the order machine and the time budgets."""

from __future__ import annotations

from dataclasses import dataclass

from workflows.settings import Reader, read_order_machine
from workflows.time_budgets import Budgets, read_budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class UpkeepSettings:
    """``order_machine`` is a logical id (``OrderMachine``) on one machine and an ARN on AWS."""

    order_machine: str
    budgets: Budgets


def read_upkeep(reader: Reader) -> UpkeepSettings:
    """Read both from the environment."""
    return UpkeepSettings(order_machine=read_order_machine(reader), budgets=read_budgets(reader))
