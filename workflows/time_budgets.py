"""How long an order may wait for what: one table. The watchdog looks at an order that exceeds its budget.

A budget is the longest time that the state machines themselves take, with their timeouts and retries, plus a margin. So
the watchdog does not disturb a live run; it finds orders whose execution, wait or message is lost. Retries of errors of
Lambda itself are not included: while it throttles for longer, overdue orders get new runs, which wait likewise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

from workflows.settings import Reader


class Awaiting(StrEnum):
    """What an order waits for."""

    AUTHORIZATION = "authorization"
    ACCEPTANCE = "acceptance"
    READINESS = "readiness"
    ASSIGNMENT = "assignment"
    PICKUP = "pickup"
    DELIVERY = "delivery"
    SETTLEMENT = "settlement"
    COMPENSATION = "compensation"
    RUN = "run"


Budgets: TypeAlias = Mapping[Awaiting, timedelta]

MARGIN = timedelta(minutes=10)
"""Starting, queueing, and the retries of a step that registers a wait, which take up to two minutes."""

CIRCUIT_WAIT = timedelta(hours=6) + MARGIN
"""How long a run may wait for a circuit to close: the timeout of that wait in the machines."""

SECONDS_MAX = 99_999_999
"""The longest timeout that a state may have in Step Functions."""

TIMEOUTS = {
    Awaiting.ACCEPTANCE: ("KITCHEN_ANSWER_SECONDS", 600),
    Awaiting.READINESS: ("KITCHEN_READY_SECONDS", 7200),
    Awaiting.ASSIGNMENT: ("COURIER_ANSWER_SECONDS", 180),
    Awaiting.PICKUP: ("COURIER_PICKUP_SECONDS", 5400),
    Awaiting.DELIVERY: ("COURIER_DELIVERY_SECONDS", 7200),
}
"""Answers of restaurants and couriers: the variable with the machines' timeout in seconds, and the template's
default."""

_MACHINES: Budgets = {
    Awaiting.AUTHORIZATION: timedelta(minutes=20),  # five attempts of 90 s in order.asl.yaml, and their waits: 8 min
    Awaiting.SETTLEMENT: timedelta(minutes=20),  # eight attempts of 25 s, and their waits of 2 min at most: 10 min
    Awaiting.COMPENSATION: timedelta(minutes=30),  # eight attempts of 60 s, and their waits of 2 min at most: 20 min
    Awaiting.RUN: timedelta(minutes=30),  # find the reason and park: eleven attempts, their waits 20 min at most
}


def read_budgets(reader: Reader) -> Budgets:
    """Read the table: the timeouts of the deployed machines, each with the margin.

    A missing variable means the template's default, which the machines of a template without that parameter have too.
    """
    answers = {
        awaiting: reader.parsed(name, _timeout, default=str(default_s))
        for awaiting, (name, default_s) in TIMEOUTS.items()
    }
    return {**answers, **_MACHINES}


@lru_cache(maxsize=64)  # read at each call of a function
def _timeout(text: str) -> timedelta:
    if re.fullmatch("[0-9]{1,20}", text) is None or not 1 <= int(text) <= SECONDS_MAX:
        raise ValueError(f"is {text!r}: give a whole number of seconds, from 1 to {SECONDS_MAX}")
    return timedelta(seconds=int(text)) + MARGIN
