"""The messages to a subscriber, as JSON text: see docs/live.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.order.order import Order, RunState
from workflows.asl.json_text import to_text
from workflows.boundary.problem_types import PROBLEM_URN
from workflows.event_store.commits import RecordedEvent
from workflows.live.topics import Topic
from workflows.orders.views import event_views, order_view
from workflows.orders.visibility import Audience
from workflows.orders.waiting import AwaitedNow


def subscribed(topic: Topic, place: int) -> str:
    """Confirm a subscription.

    Args:
        place: The order's version, or the position of a list of orders, up to which the subscriber has everything.
    """
    return _text({"subscribed": str(topic), **_place(topic, place)})


def order_body(
    order: Order, recorded: Sequence[RecordedEvent], audience: Audience, waits: Sequence[AwaitedNow] | None
) -> str:
    """Build the part of a message that is the same for all subscribers of one audience: an order and its new events.

    Args:
        order: The order at the version of the last event.
        waits: What its run waits for; None for a past version.
    """
    return _text(
        {
            "order_id": order.order_id,
            "version": order.version,
            "events": event_views(recorded, audience),
            "order": order_view(order, audience, waits),
            "ended": order.run_state is RunState.ENDED,
        }
    )


def pushed(topic: Topic, place: int, body: str) -> str:
    """Address the text of ``order_body`` to the subscribers of a topic."""
    head = {"topic": str(topic)} if topic.is_one_order else {"topic": str(topic), **_place(topic, place)}
    return f"{_text(head)[:-1]},{body[1:]}"


def gone(topic: Topic, place: int, order: Order) -> str:
    """Report that an order left the topic, or that the subscriber may no longer see it."""
    where = {} if topic.is_one_order else _place(topic, place)
    return _text({"topic": str(topic), **where, "order_id": order.order_id, "gone": True})


def unreadable(topic: Topic, place: int, order_id: str) -> str:
    """Report that an order changed and cannot be shown: its log is damaged, or a newer release wrote to it."""
    return _text({"topic": str(topic), **_place(topic, place), "order_id": order_id, "unreadable": True})


def courier_moved(topic: Topic, order_id: str, position: Mapping[str, Any]) -> str:
    """Report where the courier of an order is."""
    return _text({"topic": str(topic), "order_id": order_id, "courier": position})


def refused(error: Exception, request: str | None, detail: str = "") -> str:
    """Answer a message that could not be served with the name of the refusal and what to do.

    Args:
        request: The topic that it named, if it named one.
        detail: In place of the error's own words.
    """
    problem = {"type": PROBLEM_URN + type(error).__name__, "detail": detail or str(error)}
    return _text({"error": problem} | ({} if request is None else {"topic": request}))


def unavailable(topic: str | None) -> str:
    """Answer a message that could not be served now, for a reason that is in the log."""
    detail = "the order could not be read this time; send the same message again"
    return _text(
        {"error": {"type": PROBLEM_URN + "Unavailable", "detail": detail}} | ({} if topic is None else {"topic": topic})
    )


def pong(value: Any) -> str:
    """Answer a ping."""
    return _text({"pong": value})


def _place(topic: Topic, place: int) -> dict[str, Any]:
    return {"version": place} if topic.is_one_order else {"position": place}


def _text(message: Mapping[str, Any]) -> str:
    return to_text(message)
