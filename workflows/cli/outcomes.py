"""The outcome of a repair on a terminal: awaited for a while, then shown or named as still open."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from workflows.cli.failures import CommandRefused
from workflows.cli.plan_wording import Advise, advising, command_for
from workflows.cli.terminal import print_json, say
from workflows.cli.wording import waiting_sentences
from workflows.orders.event_words import event_sentence
from workflows.orders.words import plain

if TYPE_CHECKING:
    from workflows.cli.order_pages import Hint
    from workflows.client import ExpediterClient
    from workflows.client.incident_json import ActionOutcomeJson
    from workflows.client.order_json import OrderJson

LOOK_EVERY_S = 0.25
"""How often the order is read meanwhile."""

_ENDED = frozenset({"completed", "cancelled", "abandoned"})

_MOVING = frozenset({"delivered", "cancelling"})
"""An order with this status is on its way to its end, also between two calls."""

_CALLS = frozenset(
    {
        "PaymentAuthorizationRequested",
        "PaymentCaptureRequested",
        "PaymentVoidRequested",
        "PaymentRefundRequested",
        "PaymentLookupRequested",
        "PreparationCancellationRequested",
        "CourierReleaseRequested",
    }
)
"""Calls that a provider answers at once. A ticket or an offer waits for a person."""


def show_outcome(
    engine: ExpediterClient,
    done: ActionOutcomeJson,
    order: str,
    action: str,
    *,
    wait_s: float,
    see: Hint,
    json: bool,
) -> None:
    """Print what a repair would do, or what came of it.

    Args:
        action: As in the plans of an incident; the name of a request for a second person begins with it.
        wait_s: How long to wait for the outcome of the calls that follow.

    Raises:
        CommandRefused: A second person must approve first, the order was parked again, or the provider had nothing to
            refund.
    """
    if done["plan"] is not None:
        _show_plan(done, action, advising(order, see), json)
        return
    view = done["order"]
    assert view is not None  # what is no plan has the order
    rested, asked_at = view["parked"], view["version"]
    if not (needed := _needs_approval(done, action)) and not rested:
        view = done["order"] = await_outcome(engine, view, action, wait_s)
    if json:
        print_json(done)
    if needed:
        approve = see(command_for(f"approve {needed}", order))
        raise CommandRefused(f"a second person must approve this first: {approve}")
    if view["parked"] and not rested:
        raise CommandRefused(f"order {order} was parked again in run {view['run']}; {see(f'incidents show {order}')}")
    if action in _MAY_FIND_NOTHING and (why := _not_found(engine, order, asked_at)):
        raise CommandRefused(f"nothing was refunded: {why}; order {order} is {plain(view['status'])}")
    if not json:
        show_order(view, order, action, see)


_MAY_FIND_NOTHING = frozenset({"refund_extra", "approve"})
"""Actions after which an order can be completed although the provider had nothing to refund."""


def _not_found(engine: ExpediterClient, order: str, asked_at: int) -> str:
    """Return the sentence of a look-up that failed after this version of the order; empty if none did."""
    found = (each for each in engine.history(order) if each["version"] > asked_at)
    return next((event_sentence(each, {}) for each in found if each["type"] == "PaymentNotFound"), "")


def show_recorded(done: ActionOutcomeJson, action: str, sentence: str, advise: Advise, json: bool) -> None:
    """Print an outcome that no call follows: it is complete once it is recorded. A plan is printed as such."""
    if json or done["plan"] is not None:
        _show_plan(done, action, advise, json)
    else:
        say(sentence)


def _show_plan(done: ActionOutcomeJson, action: str, advise: Advise, json: bool) -> None:
    if json:
        print_json(done)
    elif done["plan"] is not None:
        from workflows.cli.incident_pages import show_plan

        show_plan(action, done["plan"], advise)


def _needs_approval(done: ActionOutcomeJson, action: str) -> int | None:
    """Return the number of the newest request of this kind that waits for a second person."""
    numbers = [request["approval"] for request in done["approvals"] if request["action"] == action]
    return numbers[-1] if numbers else None


def await_outcome(engine: ExpediterClient, view: OrderJson, action: str, wait_s: float) -> OrderJson:
    """Read the order until the outcome is known, or the time is over."""
    deadline = time.monotonic() + wait_s
    while not _has_outcome(view, action) and time.monotonic() < deadline:
        time.sleep(LOOK_EVERY_S)
        view = engine.get_changed(view["id"], view["version"]) or view
    return view


def _has_outcome(view: OrderJson, action: str) -> bool:
    if view["parked"] or view["status"] in _ENDED:
        return True
    under_way = any(call["intent"] in _CALLS for call in view["pending"])
    return not (under_way or action == "retry" or view["status"] in _MOVING)


def show_order(view: OrderJson, order: str, action: str, see: Hint) -> None:
    """Print the outcome of an action, or that it is not known yet and where it will be seen."""
    status = plain(view["status"])
    if _has_outcome(view, action):
        say(f"order {order} is {status}, run {view['run']}; see {see(f'order history {order}')}")
        return
    waits = "".join(f", {sentence}" for sentence in waiting_sentences(view))
    say(f"the outcome is not known yet: order {order} is {status}, run {view['run']}{waits}")
    say(f"see {see(f'order why {order}')}")
