"""Plays orders, each in a thread of its own, by the rules of its story until the order has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from workflows.cli.demo.menu import DemoOrder
from workflows.cli.demo.parties import Parties, SignIn
from workflows.cli.demo.stories import DemoStory, StoryRule
from workflows.client import ApiProblem
from workflows.client.order_json import OrderJson

TOGETHER_MAX = 32
"""Orders played at the same time."""

ENDS_WITHIN_S = 50.0
"""The longest story takes ten seconds on an idle machine."""

ENDED = frozenset({"completed", "cancelled"})

_RULES = {403, 404, 409}
"""Statuses by which the API refuses an action that the order no longer allows. Any other is a bug."""

_LOOK_FIRST_S, _LOOK_LAST_S = 0.02, 0.4  # an order is read again soon at first, and then less often


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """An order after its story, as the API showed it last. ``refused`` are the names of the refusals it met."""

    story: DemoStory
    view: OrderJson
    refused: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        return self.view["status"] in ENDED and not self.view["parked"]


@dataclass(slots=True)
class _OrderUnderWay:
    """One order in play, and which rules have acted for which offer."""

    story: DemoStory
    parties: Parties
    view: OrderJson
    acted: set[tuple[str, int]] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)


def play(
    orders: Sequence[tuple[DemoStory, DemoOrder]],
    sign_in: SignIn,
    name: str,
    on_ended: Callable[[Played], None],
    *,
    together: int = TOGETHER_MAX,
    within_s: float = ENDS_WITHIN_S,
) -> list[Played]:
    """Play all orders.

    Args:
        name: Prefix of the idempotency keys, so that another demo in the same folder places other orders.
        on_ended: Called with each order that has ended, from many threads.
    """

    def one(number: int) -> Played:
        story, demo_order = orders[number]
        parties = Parties(sign_in, demo_order.customer, demo_order.body["restaurant"], f"courier-{number + 1}")
        view = parties.customer.place(demo_order.body, f"{name}-{number + 1}")
        played = _to_the_end(_OrderUnderWay(story, parties, view), within_s)
        on_ended(played)
        return played

    with ThreadPoolExecutor(max_workers=together) as threads:
        return list(threads.map(one, range(len(orders))))


def _to_the_end(order: _OrderUnderWay, within_s: float) -> Played:
    deadline = time.monotonic() + within_s
    wait_s = _LOOK_FIRST_S
    while order.view["status"] not in ENDED and not order.view["parked"] and time.monotonic() < deadline:
        if _react(order):
            wait_s = _LOOK_FIRST_S
            continue
        time.sleep(wait_s)
        changed = order.parties.customer.get_changed(order.view["id"], order.view["version"])
        order.view = changed or order.view
        wait_s = _LOOK_FIRST_S if changed else min(_LOOK_LAST_S, wait_s * 1.6)
    return Played(story=order.story, view=order.view, refused=tuple(order.refused))


def _react(order: _OrderUnderWay) -> bool:
    """Let the first rule that applies act. Returns False if none applies."""
    for rule in order.story.rules:
        about = (rule.name, _intent_version(order.view))
        if about not in order.acted and rule.when(order.view):
            order.acted.add(about)
            _act(order, rule)
            return True
    return False


def _act(order: _OrderUnderWay, rule: StoryRule) -> None:
    try:
        rule.act(order.parties, order.view)
    except ApiProblem as refused:  # the order changed meanwhile, or the story is about this refusal
        if refused.status not in _RULES:
            raise
        order.refused.append(refused.name)
    changed = order.parties.customer.get_changed(order.view["id"], order.view["version"])
    order.view = changed or order.view


def _intent_version(view: OrderJson) -> int:
    """Return the number of the newest offer; 0 before there is one."""
    offer = view["delivery"]["offer"]
    return int(offer["offer"]) if offer else 0
