"""Messages of a subscriber: subscribe, unsubscribe, ping. Each is one JSON object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from domain.order.refusals import Rejected
from workflows.boundary.strict_json import JsonRefused, read_json
from workflows.live.topics import Topic, parse_topic

REQUEST_CHARS_MAX = 1024
"""More than the longest request needs."""

_INTEGER_DIGITS_MAX = 15


class MessageUnreadable(Rejected):
    """A message is not a request. Retryable: no."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """``since``: the version or position that the subscriber has; None: only events to come."""

    topic: Topic
    since: int | None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    topic: Topic


@dataclass(frozen=True, slots=True)
class Ping:
    """For clients that cannot send WebSocket pings. ``value`` is sent back."""

    value: Any


LiveRequest: TypeAlias = Subscribe | Unsubscribe | Ping


def read_request(text: str) -> LiveRequest:
    """Read a message of a subscriber. Raises MessageUnreadable, TopicUnknown."""
    if len(text) > REQUEST_CHARS_MAX:
        raise MessageUnreadable(f"a message may have {REQUEST_CHARS_MAX} characters")
    try:
        message = read_json(text, integer_digits_max=_INTEGER_DIGITS_MAX)
    except JsonRefused as refused:
        raise MessageUnreadable(f"{refused.name or 'the message'}: {refused.problem}") from None
    match message:
        case {"subscribe": str(topic), **rest} if rest.keys() <= {"since"}:
            return Subscribe(parse_topic(topic), _since(rest.get("since")))
        case {"unsubscribe": str(topic), **rest} if not rest:
            return Unsubscribe(parse_topic(topic))
        case {"ping": value, **rest} if not rest:
            return Ping(value)
        case _:
            raise MessageUnreadable('send {"subscribe": TOPIC, "since": N}, {"unsubscribe": TOPIC} or {"ping": ...}')


def _since(value: Any) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0):
        return value
    raise MessageUnreadable("since: must be a whole number from 0 on, a version or position that you received")
