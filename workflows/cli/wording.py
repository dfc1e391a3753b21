"""Sentences for people about the state of an order, which comes as the API's JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from workflows.clock import read_timestamp
from workflows.orders.waiting_words import ANSWERS, outcome_words
from workflows.orders.words import Data, is_zero, money, why_cancelled


def payment_sentence(payment: Data) -> str:
    """Say what was authorized, captured, released and refunded of an order's payment."""
    authorization = payment["authorization"]
    if authorization is None:
        return f"{payment['method']}: nothing authorized yet"
    sentence = _UNAUTHORIZED.get(authorization["state"], "").format(money(authorization["amount"]))
    refunded = "" if is_zero(payment["refunded"]) else f", refunded {money(payment['refunded'])}"
    return f"{payment['method']}: {sentence or _authorized(payment)}{refunded}"


_UNAUTHORIZED = {"asked": "authorization of {} requested", "declined": "authorization of {} declined"}


def _authorized(payment: Data) -> str:
    authorized, captured, released = payment["authorized"], payment["captured"], payment["released"]
    if is_zero(captured):
        return f"{money(authorized)} authorized{'' if is_zero(released) else ', released without a capture'}"
    if is_zero(released):
        return f"captured {money(captured)}"
    return f"captured {captured['amount']} of {money(authorized)} authorized, {money(released)} released"


def cancellation_sentence(cancellation: Data, *, ended: bool) -> str:
    """Say who or what cancelled an order, and which party is at fault."""
    cancelled = "Cancelled" if ended else "Being cancelled"
    return f"{cancelled} {why_cancelled(cancellation)}. At fault: {cancellation['fault']}."


def waiting_sentences(order: Data) -> list[str]:
    """Say what the order waits for, e.g. ``waiting for the restaurant to accept ticket 4, until 05:00:36 UTC``.

    First the answers that have a deadline, then the other calls without a recorded outcome.
    """
    answers = [wait for wait in order.get("waiting", ()) if wait["until"]]
    calls = [call for call in order["pending"] if call["version"] not in {wait["intent_version"] for wait in answers}]
    return [
        *(
            f"waiting for {ANSWERS[wait['what']].format(wait['intent_version'])}, until {wait['until'][11:19]} UTC"
            for wait in answers
        ),
        *(f"waiting for {outcome_words(call['intent'], call['version'])}" for call in calls),
    ]


def since(start: str, then: str) -> str:
    """Return the time between two RFC 3339 times: ``+0.4s``, ``+38s``, ``+3m53``, ``+1h23``."""
    passed = max(read_timestamp(then) - read_timestamp(start), timedelta())
    return f"+{length(passed.total_seconds())}"


def lag(as_of: Mapping[str, Any]) -> str:
    """Return how far a list is behind the log: ``3 commits behind the log, the oldest is 0.4s old``.

    Args:
        as_of: With ``lag_commits``, and with ``lag_s``, which may be unknown.
    """
    commits = "1 commit" if as_of["lag_commits"] == 1 else f"{as_of['lag_commits']} commits"
    age = "" if as_of["lag_s"] is None else f", the oldest is {length(as_of['lag_s'])} old"
    return f"{commits} behind the log{age}"


def length(seconds: float) -> str:
    """Return a length of time: ``0.4s``, ``38s``, ``3m53``, ``1h23``."""
    if seconds < 10:
        return f"{seconds:.1f}s"
    minutes, seconds_left = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes_left:02d}"
    return f"{minutes}m{seconds_left:02d}" if minutes else f"{seconds_left}s"
