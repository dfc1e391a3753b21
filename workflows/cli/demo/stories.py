"""The demo's stories: what the customer, the restaurant and the couriers of one order do, and when.

A story is a list of rules. A rule has a condition on the order and an action, and the first rule whose condition holds
acts. It acts once for each ticket or offer, so that a courier whose answer came too late can answer the next offer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from workflows.cli.demo.parties import Parties
from workflows.client.order_json import OrderJson


@dataclass(frozen=True, slots=True)
class StoryRule:
    """Calls ``act`` when ``when`` holds for the order."""

    name: str
    when: Callable[[OrderJson], bool]
    act: Callable[[Parties, OrderJson], OrderJson]


@dataclass(frozen=True, slots=True)
class DemoStory:
    """``title`` is shown with the progress. How the order ended is read from the log, not from the story."""

    title: str
    rules: tuple[StoryRule, ...]
    payment_method: str = "pm_ok"


def cast(orders: int, random: Random) -> list[DemoStory]:
    """Choose the stories of this many orders: each story once, then mostly orders without a problem.

    The slow ones begin first.
    """
    often = random.choices(STORIES, weights=[_HAPPY_WEIGHT if s is STORIES[0] else 1 for s in STORIES], k=orders)
    happy = [STORIES[0]] * min(_HAPPY_AT_LEAST, orders - len(STORIES))
    chosen = [*STORIES, *happy, *often][:orders]
    return sorted(chosen, key=lambda story: story not in SLOW)


_HAPPY_AT_LEAST = 7  # with the story itself eight of the demo's 25 orders have no problem
_HAPPY_WEIGHT = 20  # more than half of the orders beyond those


# --- conditions -----------------------------------------------------------------------------------------------------


def _ticket(view: OrderJson, state: str) -> bool:
    ticket = view["preparation"]
    return ticket is not None and ticket["state"] == state and view["cancellation"] is None


def _offer(view: OrderJson, state: str) -> bool:
    offer = view["delivery"]["offer"]
    return offer is not None and offer["state"] == state and view["cancellation"] is None


def _attempt(view: OrderJson) -> int:
    offer = view["delivery"]["offer"]
    return int(offer["attempt"]) if offer is not None else 0


# --- actions -----------------------------------------------------------------------------------------------------


def _in_minutes(minutes: int) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


ACCEPT = StoryRule("accept", lambda v: _ticket(v, "requested"), lambda p, v: p.accept(v, _in_minutes(18)))
REJECT = StoryRule("reject", lambda v: _ticket(v, "requested"), lambda p, v: p.reject(v, "the oven is broken"))
ONE_LINE_OUT = StoryRule("line out", lambda v: _ticket(v, "accepted"), lambda p, v: p.item_unavailable(v, line=1))


def _line_out(line: int) -> StoryRule:
    return StoryRule(
        f"line {line} out",
        lambda v: _ticket(v, "requested") and len(v["lines"]) >= line,
        lambda p, v: p.item_unavailable(v, line=line),
    )


ALL_OUT = tuple(_line_out(line) for line in (1, 2, 3))
READY = StoryRule("ready", lambda v: _ticket(v, "accepted"), lambda p, v: p.ready(v))
ASSIGN = StoryRule("assign", lambda v: _offer(v, "requested"), lambda p, v: p.assign(v))
PICK_UP = StoryRule("pick up", lambda v: _offer(v, "assigned") and _ticket(v, "ready"), lambda p, v: p.pick_up(v))
DELIVER = StoryRule("deliver", lambda v: _offer(v, "picked_up"), lambda p, v: p.deliver(v))
FAIL = StoryRule("fail", lambda v: _offer(v, "picked_up"), lambda p, v: p.fail(v, "nobody opened the door", "customer"))

FIRST_DECLINES = StoryRule(
    "decline", lambda v: _offer(v, "requested") and _attempt(v) == 1, lambda p, v: p.decline(v, "too far away")
)
FIRST_GIVES_BACK = StoryRule(
    "give back", lambda v: _offer(v, "assigned") and _attempt(v) == 1, lambda p, v: p.decline(v, "flat tyre")
)
SECOND_ASSIGNS = StoryRule("assign", lambda v: _offer(v, "requested") and _attempt(v) > 1, lambda p, v: p.assign(v))


def _customer_cancels(when: Callable[[OrderJson], bool], reason: str) -> StoryRule:
    return StoryRule("customer cancels", when, lambda p, v: p.cancel_as_customer(v, reason))


CANCEL_BEFORE_ACCEPTED = _customer_cancels(lambda v: _ticket(v, "requested"), "ordered by mistake")
CANCEL_WHILE_COOKING = _customer_cancels(lambda v: _ticket(v, "accepted"), "it takes too long")
CANCEL_WITH_COURIER = _customer_cancels(lambda v: _offer(v, "assigned"), "we have to leave")
CANCEL_TOO_LATE = _customer_cancels(lambda v: _offer(v, "picked_up"), "not hungry any more")
RESTAURANT_CANCELS = StoryRule(
    "restaurant cancels", lambda v: _ticket(v, "ready"), lambda p, v: p.cancel_as_restaurant(v, "the cook dropped it")
)

_TO_THE_DOOR = (READY, PICK_UP, DELIVER)

NO_COURIER = DemoStory("no courier ever answers", (ACCEPT, READY))
SILENT_RESTAURANT = DemoStory("the restaurant never answers", ())
FIRST_COURIER_SILENT = DemoStory("the first courier never answers", (ACCEPT, SECOND_ASSIGNS, *_TO_THE_DOOR))
SLOW = (NO_COURIER, SILENT_RESTAURANT, FIRST_COURIER_SILENT)

STORIES = (
    DemoStory("no hitch", (ACCEPT, ASSIGN, *_TO_THE_DOOR)),
    DemoStory("the card is declined", (), "pm_declined"),
    NO_COURIER,
    DemoStory("the restaurant rejects", (REJECT,)),
    DemoStory("an item is out of stock", (ACCEPT, ONE_LINE_OUT, ASSIGN, *_TO_THE_DOOR)),
    DemoStory("the customer cancels while it is cooked", (ACCEPT, CANCEL_WHILE_COOKING)),
    FIRST_COURIER_SILENT,
    DemoStory("the delivery fails after pickup", (ACCEPT, ASSIGN, READY, PICK_UP, FAIL)),
    DemoStory("everything is out of stock", ALL_OUT),
    DemoStory("the customer cancels too late", (ACCEPT, ASSIGN, READY, PICK_UP, CANCEL_TOO_LATE, DELIVER)),
    DemoStory("the customer cancels at once", (CANCEL_BEFORE_ACCEPTED,)),
    DemoStory("the first courier declines", (ACCEPT, FIRST_DECLINES, ASSIGN, *_TO_THE_DOOR)),
    DemoStory("the restaurant cancels a cooked meal", (ACCEPT, READY, RESTAURANT_CANCELS)),
    DemoStory("the first courier gives it back", (ACCEPT, FIRST_GIVES_BACK, ASSIGN, *_TO_THE_DOOR)),
    DemoStory("the customer cancels with a courier under way", (ACCEPT, ASSIGN, CANCEL_WITH_COURIER)),
    SILENT_RESTAURANT,
    DemoStory("funds are insufficient", (), "pm_insufficient_funds"),
    DemoStory(
        "two couriers in a row, one item missing", (ACCEPT, ONE_LINE_OUT, FIRST_DECLINES, SECOND_ASSIGNS, *_TO_THE_DOOR)
    ),
)
