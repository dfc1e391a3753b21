"""The people of a peer's orders: each answers at once, when the order has come to wait for the answer.

They are those of ``benchmarks.people``: the kitchen answers once its ticket arrived and again once the acceptance was
recorded, the courier once the offer arrived and after each record. A customer cancels in place of the pick-up.
"""

from __future__ import annotations

import os
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

THREADS = 32
"""People who can act at the same time."""

_ACTS = {
    "accepted": {"send_ticket"},
    "ready": {"accepted"},
    "assigned": {"make_offer"},
    "picked_up": {"assigned", "ready"},
    "delivered": {"picked_up"},
}
"""Each answer, and the calls and records it comes after."""

CANCEL = "cancel"


def is_cancelled(number: int, share: float) -> bool:
    """Choose whether the customer cancels the order of this number, so that a share of all orders is cancelled."""
    return share > 0 and number % round(1 / share) == 0


@dataclass(slots=True)
class _Observed:
    cancels: bool
    seen: set[str] = field(default_factory=set)
    acted: set[str] = field(default_factory=set)


class AnsweringPeople:
    """Answers orders through ``answer(order, act)``, which the peer provides; the act may be ``CANCEL``."""

    def __init__(self) -> None:
        self._orders: dict[str, _Observed] = {}
        self._gate = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="people")
        self.answer: Callable[[str, str], None]

    def expect(self, order: str, *, cancels: bool) -> None:
        """Get ready for an order, before it is placed."""
        self._orders[order] = _Observed(cancels)

    def observe(self, order: str, what: str) -> None:
        """Act on a call or record of an order, once for any number of repeats."""
        with self._gate:
            observed = self._orders[order]
            observed.seen.add(what)
            acts = [act for act, after in _ACTS.items() if act not in observed.acted and after <= observed.seen]
            observed.acted.update(acts)
        for act in acts:
            self._threads.submit(self._act, order, CANCEL if act == "picked_up" and observed.cancels else act)

    def _act(self, order: str, act: str) -> None:
        try:
            self.answer(order, act)
        except BaseException:
            traceback.print_exc()
            os._exit(1)  # an order without its answer would wait for ever
