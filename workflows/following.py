"""What happens to every commit, in the order of its stream: the relay acts on it, and the views follow it."""

from __future__ import annotations

from collections.abc import Mapping

from domain.identifiers import OrderId
from workflows.bootstrap import Engine
from workflows.commits import Commit
from workflows.projections.open_orders import refresh
from workflows.relay import ORDERS, relay
from workflows.time_budgets import budgets


def follow(engine: Engine, commit: Commit, environment: Mapping[str, str]) -> None:
    """Raises what the executions and the stores raise; then it is to be asked again, and does no harm."""
    if commit.pk.startswith(ORDERS):
        relay(engine, commit, environment["ORDER_MACHINE"])
        refresh(engine, OrderId(commit.pk.removeprefix(ORDERS)), budgets(environment))
