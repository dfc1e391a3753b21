"""What happens to every commit, in the order of its stream: the relay acts on it, and the views follow it.

The feed may lose a commit: it failed until nobody brought it any more, or came after those behind it. So the view of
open orders, which knows up to where it has followed each order, has the relay act on what it passes over as well. The
view reads its row and the log anyway, so this costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.identifiers import OrderId
from workflows.bootstrap import Engine
from workflows.commits import Commit
from workflows.projections.open_orders import refresh
from workflows.relay import ORDERS, relay, start_missed
from workflows.time_budgets import budgets


def follow(engine: Engine, commit: Commit, environment: Mapping[str, str]) -> None:
    """Raises what the executions and the stores raise; then it is to be asked again, and does no harm."""
    if not commit.pk.startswith(ORDERS):
        return
    order_id, machine = OrderId(commit.pk.removeprefix(ORDERS)), environment["ORDER_MACHINE"]
    relay(engine, commit, machine)
    refresh(
        engine,
        order_id,
        budgets(environment),
        first=lambda unseen: start_missed(engine, order_id, unseen, commit, machine),
    )
