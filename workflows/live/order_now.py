"""An order whose new events are sent: loaded once, folded once for each version, and encoded once for each audience."""

from __future__ import annotations

from collections.abc import Sequence

from domain.identifiers import Actor, OrderId
from domain.order.evolving import evolve_all
from domain.order.order import Order, initial
from workflows.event_store.commits import PastHistory
from workflows.event_store.event_log import EventLog
from workflows.live import messages
from workflows.orders.command_handling import load
from workflows.orders.permissions import Action, may
from workflows.orders.visibility import Audience, audience_of
from workflows.orders.waiting import AwaitedNow, waits_now
from workflows.time_budgets import Budgets


class OrderNow:
    """``order`` is the newest state: it decides what a subscriber may see, also of earlier versions."""

    def __init__(self, log: EventLog, order_id: OrderId, budgets: Budgets) -> None:
        """Load the order. Raises as ``load``."""
        self.history, self.order = load(log, order_id)
        self._budgets = budgets
        self._states: dict[int, Order] = {self.history.version: self.order}
        self._waits: Sequence[AwaitedNow] | None = None
        self._bodies: dict[tuple[int, int, Audience], str] = {}

    @property
    def version(self) -> int:
        return self.history.version

    def may_read(self, actor: Actor) -> bool:
        return may(actor, Action.READ, self.order)

    def at(self, version: int) -> Order:
        """Return the order as it was at a version. It is folded on from the latest known state before that."""
        if version not in self._states:
            before = max((known for known in self._states if known < version), default=0)
            past = PastHistory(stream=self.history.stream, recorded=self.history.recorded[:version])
            state = self._states.get(before) or initial(self.order.order_id)
            self._states[version] = evolve_all(state, past.events_after(before))
        return self._states[version]

    def body(self, actor: Actor, after: int, until: int) -> str:
        """Encode the events after one version up to another, and the order at the second, as the actor sees them."""
        audience = audience_of(actor, self.order)
        key = after, until, audience
        if key not in self._bodies:
            waits = self._waits_now() if until == self.version else None
            recorded = self.history.recorded[after:until]
            self._bodies[key] = messages.order_body(self.at(until), recorded, audience, waits)
        return self._bodies[key]

    def _waits_now(self) -> Sequence[AwaitedNow]:
        if self._waits is None:
            self._waits = waits_now(self.order, self.history.recorded, self._budgets)
        return self._waits
