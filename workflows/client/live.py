"""The client's side of live updates, without I/O: what to ask for, and what a message means.

A connection may end at any time: the engine restarts, the access token expires, the network fails. The next one asks
with the version or position that was received last, so nothing is missed or repeated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from .errors import ApiProblem

if TYPE_CHECKING:
    from .live_json import LiveUpdateJson
    from .order_json import EventJson, LiveTicketJson, OrderJson

MESSAGE_BYTES_MAX = 16 * 1024 * 1024
"""More than an order with all of its events."""

WAIT_S = 25
"""How long a read waits for a change, where the deployment serves no sockets."""

POLL_EVERY_S = 1.0
"""The pause after a read that did not wait as long as it was asked to."""

NO_SOCKETS = "LiveUpdatesUnavailable"
"""The problem of a deployment that serves no sockets."""

_NOT_NOW = "Unavailable"
"""The error of a subscription that could not be served this time, like a 503 of HTTP."""


class NotServedNow(ApiProblem):
    """A subscription could not be served, or ended, for a passing reason: subscribe again."""


class LiveTopic:
    """A topic and the version, or position, up to which everything was received. None before anything was."""

    def __init__(self, name: str, since: int | None) -> None:
        self.name = name
        self.since = since

    def request(self) -> str:
        """Return the message that subscribes."""
        return json.dumps({"subscribe": self.name, **({} if self.since is None else {"since": self.since})})

    def take(self, text: str | bytes) -> LiveUpdateJson | None:
        """Read a message. Returns None for a confirmation.

        Raises:
            NotServedNow: Subscribe again.
            ApiProblem: The subscription was refused.
        """
        message: Mapping[str, Any] = json.loads(text)
        if "error" in message:
            raise _refused(message["error"])
        if "subscribed" in message:
            self.since = message.get("position") if self.since is None else self.since
            return None
        place = message.get("position", message.get("version"))
        self.since = self.since if place is None else place
        return cast("LiveUpdateJson", message)


def order_topic(order_id: str) -> str:
    return f"order/{order_id}"


def socket_address(url: str, ticket: LiveTicketJson) -> str:
    """Return the address that a ticket opens, below the engine's address."""
    return f"ws{url.removeprefix('http')}{ticket['path']}?ticket={quote(ticket['ticket'])}"


def is_over(update: LiveUpdateJson) -> bool:
    """Whether nothing more comes of an order: it has ended, or is out of the caller's sight."""
    return bool(update.get("ended") or update.get("gone"))


def polled(order: OrderJson, events: list[EventJson]) -> LiveUpdateJson:
    """Make the update that a socket would have brought from two reads."""
    return {
        "topic": order_topic(order["id"]),
        "order_id": order["id"],
        "version": order["version"],
        "events": [event for event in events if event["version"] <= order["version"]],
        "order": order,
        "ended": _has_ended(order),
    }


def is_seen(order: OrderJson, since: int) -> bool:
    """Whether an order has ended and all its events were received, so that no further update comes."""
    return order["version"] == since and _has_ended(order)


def _has_ended(order: OrderJson) -> bool:
    return order["status"] in _ENDED and not order["pending"]


_ENDED = frozenset({"completed", "cancelled", "abandoned"})


def _refused(error: Mapping[str, Any]) -> ApiProblem:
    type_, detail = str(error["type"]), str(error["detail"])
    name = type_.rpartition(":")[2]
    return (NotServedNow if name == _NOT_NOW else ApiProblem)(0, type_, name, detail, ())
